"""The bench runs; what it measures is judged by whoever reads its table."""

from __future__ import annotations

import pytest

from tests.bench.__main__ import QUICK, SECTIONS, Bench


@pytest.mark.parametrize("name", ["decisions", "audit rows", "replay", "cases"])
def test_a_section_of_the_bench_gives_its_lines(name: str) -> None:
    """Tiny sizes go through served district, measured process and table lines."""
    bench = Bench(QUICK)

    dict(SECTIONS)[name](bench)

    assert bench.lines
    assert all(line.remark or line.cost for line in bench.lines)
