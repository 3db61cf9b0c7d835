"""`python -m tests.mutation [PATTERN …]`: does a test notice when a decision is changed?

mutmut changes the code of `domain/` and `rules/` in thousands of places, one at a time, and runs the
tests that reach it. It leaves decorated functions alone, and every rule is one; so it works on a
copy in which `@rule(…) def f` is written `def f`, and `f = rule(…)(f)` below it. PATTERN names
mutants, such as `meetbot.domain.presence*`; without any, all are tried.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import libcst as cst

COPY = Path("build/mutation")
_SUBJECTS = ("meetbot/domain", "meetbot/rules")
_COPIED = ("meetbot", "tests", "pyproject.toml", "README.md")
_KEPT = frozenset({"property", "staticmethod", "classmethod", "dataclass", "overload"})
_CHILDREN = "4"
WANTED = 0.9
"""The share of mutants that the tests must notice."""


def main() -> None:
    """Make the copy, try the mutants, print the share noticed and who survived; exit 1 below it."""
    _copy()
    subprocess.run(
        [sys.executable, "-m", "mutmut", "run", "--max-children", _CHILDREN, *sys.argv[1:]],
        cwd=COPY,
        check=True,
    )
    subprocess.run([sys.executable, "-m", "mutmut", "export-cicd-stats"], cwd=COPY, check=True)
    counts = json.loads((COPY / "mutants/mutmut-cicd-stats.json").read_text())
    noticed = counts["killed"] + counts["timeout"] + counts.get("caught_by_type_check", 0)
    tried = noticed + counts["survived"] + counts["suspicious"] + counts["no_tests"]
    subprocess.run([sys.executable, "-m", "mutmut", "results"], cwd=COPY, check=True)
    print(f"{noticed} of {tried} mutants were noticed: {noticed / max(tried, 1):.1%}")
    sys.exit(noticed < WANTED * tried)


def _copy() -> None:
    """A fresh copy of the sources; what mutmut remembers of an earlier run stays."""
    COPY.mkdir(parents=True, exist_ok=True)
    for name in _COPIED:
        source, target = Path(name), COPY / name
        if source.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    for folder in _SUBJECTS:
        for path in (COPY / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            path.write_text(cst.parse_module(text).visit(_Undecorated()).code, encoding="utf-8")


class _Undecorated(cst.CSTTransformer):
    """Writes decorated module-level functions without `@`."""

    def leave_FunctionDef(  # noqa: N802 - libcst's name
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef | cst.FlattenSentinel[cst.BaseStatement]:
        """Give the function, and below it what its decorators make of it."""
        del original_node
        decorators = [d.decorator for d in updated_node.decorators]
        if not decorators or any(_name(d) in _KEPT for d in decorators):
            return updated_node
        made: cst.BaseExpression = updated_node.name
        for decorator in reversed(decorators):
            made = cst.Call(decorator, [cst.Arg(made)])
        below = cst.Assign([cst.AssignTarget(updated_node.name)], made)
        plain = updated_node.with_changes(decorators=[])
        return cst.FlattenSentinel([plain, cst.SimpleStatementLine([below])])


def _name(decorator: cst.BaseExpression) -> str:
    inner = decorator.func if isinstance(decorator, cst.Call) else decorator
    return inner.value if isinstance(inner, cst.Name) else ""


if __name__ == "__main__":
    main()
