"""`meetbot init DIR`: a commented configuration, registry templates and the credentials example."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from meetbot.errors import BadInput, Mistake


@dataclass(frozen=True, slots=True)
class Initialized:
    """What `run_init` did: files it wrote, and files that were there and were left alone."""

    written: tuple[Path, ...]
    kept: tuple[Path, ...]


def run_init(directory: Path) -> Initialized:
    """Write every template below `directory` that is not there yet; nothing is overwritten.

    Raises BadInput if something cannot be written; what was written before stays.
    """
    written: list[Path] = []
    kept: list[Path] = []
    for relative, template in _templates():
        target = directory / relative
        try:
            (written if _write_new(target, template.read_bytes()) else kept).append(target)
        except OSError as error:
            raise BadInput(
                [
                    Mistake(
                        str(target),
                        f"cannot be written ({error.strerror})",
                        "name a directory that you may write to",
                    )
                ]
            ) from error
    return Initialized(tuple(written), tuple(kept))


def _templates() -> Iterator[tuple[Path, Traversable]]:
    """Every template with the path it gets, in the order of the paths."""
    root = resources.files("meetbot") / "templates"
    found: list[tuple[Path, Traversable]] = []
    waiting = [(Path(), root)]
    while waiting:
        path, entry = waiting.pop()
        if entry.is_dir():
            waiting += [(path / below.name, below) for below in entry.iterdir()]
        else:
            found.append((path, entry))
    return iter(sorted(found, key=lambda pair: pair[0]))


def _write_new(target: Path, content: bytes) -> bool:
    """Create a file whole; False if there is one, or a link of that name, already."""
    if target.exists() or target.is_symlink():
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as file:
        file.write(content)
    return True
