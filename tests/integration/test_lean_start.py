"""What a pass does not need is not loaded: it would take a third of the memory of a pass."""

from __future__ import annotations

import subprocess
import sys

_RARE = ("alembic", "confusable_homoglyphs", "matplotlib", "sqlalchemy.dialects.postgresql")


def test_what_few_passes_need_is_not_loaded_at_the_start() -> None:
    """Neither pictures and migrations, nor look-alike letters, nor the other database's dialect."""
    code = f"import sys, meetbot.wiring; print(*sorted({set(_RARE)!r} & set(sys.modules)))"
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert loaded == []
