"""`python -m tests.mutation [PATTERN …]`: does a test notice when a decision is changed?

mutmut changes the code of `domain/` and `rules/` in thousands of places, one at a time. It leaves
decorated functions alone, and every rule is one; so it works on a copy in which `@rule(…) def f` is
written `def f`, and `f = rule(…)(f)` below it. The tests are loaded once; each mutant then gets a
process of its own, forked from there, that runs tests that reach the changed function until one
fails: those first that noticed another mutant of it, then those in the file named after its module,
then quick ones that reach little else. mutmut's own switch in every function would make the tests
three times as slow: instead, the one function gets the changed code.

PATTERN names mutants, such as `meetbot.domain.presence*`; without any, all are tried. What was
noticed once is not tried again until its function changes; remove `build/mutation` to start anew.
`mutmut show NAME`, run in `build/mutation`, shows a mutant.
"""

from __future__ import annotations

import gc
import json
import math
import os
import re
import resource
import shutil
import sys
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from fnmatch import fnmatch
from pathlib import Path
from types import CodeType, FunctionType, MethodType

import libcst as cst
import pytest
from _pytest.runner import runtestprotocol
from mutmut.__main__ import create_mutants
from mutmut.configuration import config
from mutmut.mutation import trampoline
from mutmut.mutation.data import SourceFileMutationData
from mutmut.utils.file_utils import copy_also_copy_files, copy_src_dir, walk_mutatable_files
from mutmut.utils.format_utils import mangled_name_from_mutant_name

COPY = Path("build/mutation")
SURVIVORS = Path("tests/mutation-survivors.md")
WANTED = 0.9
"""The share of mutants that the tests must notice."""
_SUBJECTS = ("meetbot/domain", "meetbot/rules")
_COPIED = ("meetbot", "tests", "pyproject.toml", "README.md")
_KEPT = frozenset({"property", "staticmethod", "classmethod", "dataclass", "overload"})
_CHILDREN = 2
_SECONDS = 1.0
"""How long the tests of one mutant take together at most."""
_ROW = re.compile(r"^\| `(?P<function>[^`]+)` \| (?P<count>\d+) \| (?P<reason>[^|]+) \|$", re.M)
_NOTICED, _SURVIVED, _UNREACHED = 1, 0, 33
"""mutmut's exit codes of a mutant's process."""


def main() -> None:
    """Make the copy, try the mutants, say who survived; exit 1 if too few were noticed."""
    patterns = sys.argv[1:] or ["*"]
    listed = {row["function"]: int(row["count"]) for row in _ROW.finditer(SURVIVORS.read_text())}
    _copy()
    os.chdir(COPY)
    _forget_copies()
    copy_src_dir()
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        copy_also_copy_files()
        create_mutants(_CHILDREN)
    files = [SourceFileMutationData(path=path) for path in walk_mutatable_files()]
    for file in files:
        file.load()
    asked = {
        name: file
        for pattern in patterns
        for file in files
        for name in file.exit_code_by_key
        if fnmatch(name, pattern)
    }
    _try({name: file for name, file in asked.items() if not _is_noticed(file, name)})
    share = _report({name: _is_noticed(file, name) for name, file in asked.items()}, listed)
    sys.exit(share < WANTED)


def _is_noticed(file: SourceFileMutationData, name: str) -> bool:
    """Whether a test failed, or the changed code ran without end, when this mutant was tried."""
    return file.exit_code_by_key[name] not in (None, _SURVIVED, _UNREACHED)


def _try(mutants: dict[str, SourceFileMutationData]) -> None:
    """Load the tests from mutmut's folder, and try each mutant in their midst."""
    folder = Path("mutants").resolve()
    sys.path.insert(0, str(folder))
    for module in [m for m in sys.modules if m.partition(".")[0] == "tests"]:
        del sys.modules[module]  # those of the copy are meant
    chosen = [str(folder / path) for path in config().pytest_add_cli_args_test_selection]
    options = [
        f"--rootdir={folder}",
        f"-c{folder / 'pyproject.toml'}",
        "-qq",
        "--no-summary",
        "--tb=native",
    ]
    vars(trampoline)["wrap_in_trampoline"] = _noted
    code = pytest.main(
        [*options, *config().pytest_add_cli_args, *chosen], plugins=[_Trials(mutants)]
    )
    if code != pytest.ExitCode.OK:
        sys.exit("the tests do not pass without any change")


_Mutants = dict[str, FunctionType | MethodType]
_FUNCTIONS: list[tuple[FunctionType, _Mutants]] = []


def _noted(
    mutants: _Mutants, is_classmethod: bool = False
) -> Callable[[FunctionType], FunctionType]:
    """Stands for mutmut's decorator of every function that has mutants; leaves it as it is."""
    del is_classmethod

    def note(function: FunctionType) -> FunctionType:
        _FUNCTIONS.append((function, mutants))
        return function

    return note


def _mutate(name: str) -> None:
    """Give a function the code of one of its mutants."""
    for function, mutants in _FUNCTIONS:
        module, _, key = name.rpartition(".")
        if function.__module__ == module and key in mutants:
            mutant = mutants[key]
            plain = mutant.__func__ if isinstance(mutant, MethodType) else mutant
            function.__code__, function.__defaults__ = plain.__code__, plain.__defaults__
            function.__kwdefaults__ = plain.__kwdefaults__
            return
    raise LookupError(name)


class _Trials:
    """Takes the place of pytest's own loop over the tests."""

    def __init__(self, mutants: dict[str, SourceFileMutationData]) -> None:
        self._mutants = mutants
        self._running: dict[int, str] = {}
        self._telling: defaultdict[str, Counter[str]] = defaultdict(Counter)
        """By function, the tests that noticed a mutant of it, and how many."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Learn which test reaches which function, then try the mutants, some at a time."""
        gc.freeze()
        seconds, tests = _learned(session.items)
        breadth = Counter(test for reaching in tests.values() for test in reaching)
        items = {item.nodeid: item for item in session.items}
        try:
            for number, (name, file) in enumerate(self._mutants.items()):
                function = mangled_name_from_mutant_name(name)
                told = [test for test, _ in self._telling[function].most_common()]
                closest = _closest(function, tests.get(function, []), seconds, breadth)
                chosen = list(dict.fromkeys([*told, *closest]))
                if not chosen:
                    file.exit_code_by_key[name] = _UNREACHED
                    continue
                if len(self._running) == _CHILDREN:
                    self._await_one()
                budget = math.ceil(2 * sum(seconds[nodeid] for nodeid in chosen)) + 2
                pid = _forked(lambda: _tried(name, [items[n] for n in chosen], budget))  # noqa: B023
                self._running[pid] = name
                if number % 200 == 199:
                    self._save()
                    print(f"{number + 1} of {len(self._mutants)} tried", flush=True)
            while self._running:
                self._await_one()
        finally:
            self._save()
        return True

    def _save(self) -> None:
        for file in set(self._mutants.values()):
            file.save()

    def _await_one(self) -> None:
        pid, status = os.wait()
        name = self._running.pop(pid)
        self._mutants[name].exit_code_by_key[name] = os.waitstatus_to_exitcode(status)
        note = Path(f"noticed-{pid}")
        if note.exists():
            self._telling[mangled_name_from_mutant_name(name)][note.read_text()] += 1
            note.unlink()


def _forked(work: Callable[[], int]) -> int:
    """The id of a silent process that does the work and exits with its result."""
    pid = os.fork()
    if pid:
        return pid
    try:
        os.chdir("mutants")
        code = work()
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
        code = _NOTICED
    os._exit(code)


def _tried(name: str, items: list[pytest.Item], budget: int) -> int:
    """Whether a test notices the mutant; stopped when it has used so many seconds of CPU."""
    limit = int(time.process_time()) + budget
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
    _mutate(name)
    for item in items:
        if not _passes(item):
            Path(f"../noticed-{os.getpid()}").write_text(item.nodeid)
            return _NOTICED
    return _SURVIVED


def _passes(item: pytest.Item) -> bool:
    reports = runtestprotocol(item, log=False, nextitem=None)
    return all(report.outcome != "failed" for report in reports)


def _learned(items: list[pytest.Item]) -> tuple[dict[str, float], dict[str, list[str]]]:
    """Seconds of each test; by function, the tests that reach it.

    Learned in a process of its own, so that nothing is left in a cache when the mutants are tried.
    """
    notes = Path("reached.json").resolve()
    _, status = os.waitpid(_forked(lambda: _watched(items, notes)), 0)
    if os.waitstatus_to_exitcode(status):
        pytest.exit("a test fails without any change", returncode=pytest.ExitCode.TESTS_FAILED)
    seconds, tests = json.loads(notes.read_text())
    return seconds, tests


def _watched(items: list[pytest.Item], notes: Path) -> int:
    names = {
        function.__code__: f"{function.__module__}.{mangled_name_from_mutant_name(key)}"
        for function, mutants in _FUNCTIONS
        for key in mutants
        if key != "_mutmut_orig"
    }
    seconds: dict[str, float] = {}
    tests = defaultdict(list)
    for item in items:
        reached: set[CodeType] = set()
        started = time.process_time()
        sys.setprofile(lambda frame, *_: reached.add(frame.f_code))  # noqa: B023
        is_passed = _passes(item)
        sys.setprofile(None)
        if not is_passed:
            print(f"fails without any change: {item.nodeid}", file=sys.__stderr__)
            return 1
        seconds[item.nodeid] = time.process_time() - started
        for code in reached & names.keys():
            tests[names[code]].append(item.nodeid)
    notes.write_text(json.dumps([seconds, tests]))
    return 0


def _closest(
    function: str, tests: list[str], seconds: dict[str, float], breadth: Counter[str]
) -> list[str]:
    """Tests in the file of the function's module come first, then quick ones that reach few
    functions; as many as there is time for."""
    own = f"test_{function.split('.')[-2]}.py"
    chosen: list[str] = []
    left = _SECONDS
    for test in sorted(tests, key=lambda test: (own not in test, breadth[test] * seconds[test])):
        if seconds[test] <= left:
            left -= seconds[test]
            chosen.append(test)
    return chosen


def _report(noticed: dict[str, bool], listed: dict[str, int]) -> float:
    """Print the share noticed, by module and of all, and the survivors that are not listed."""
    modules: defaultdict[str, list[bool]] = defaultdict(list)
    survivors: defaultdict[str, list[str]] = defaultdict(list)
    for name, is_noticed in noticed.items():
        modules[name.rpartition(".")[0]].append(is_noticed)
        if not is_noticed:
            survivors[_function(name)].append(name)
    for module, each in sorted(modules.items()):
        print(f"{sum(each):5} of {len(each):5}  {sum(each) / len(each):6.1%}  {module}")
    for function, names in sorted(survivors.items()):
        if len(names) > listed.get(function, 0):
            numbers = ", ".join(name.rpartition("_")[2] for name in names)
            print(f"not listed: {function}: {listed.get(function, 0)} of {len(names)} ({numbers})")
    share = sum(noticed.values()) / len(noticed)
    print(f"{sum(noticed.values())} of {len(noticed)} mutants were noticed: {share:.1%}")
    return share


def _function(mutant: str) -> str:
    """`meetbot.domain.dates.x_day__mutmut_7` and `…xǁWindowǁday__mutmut_7` as people name them."""
    module, _, name = mangled_name_from_mutant_name(mutant).rpartition(".")
    return f"{module.removeprefix('meetbot.')}.{name[2:].replace('ǁ', '.')}"


def _copy() -> None:
    """The sources, functions undecorated; a file that did not change is not written again."""
    for name in _COPIED:
        source = Path(name)
        wanted = dict(_texts(source))
        for path, text in wanted.items():
            target = COPY / path
            if not target.exists() or target.read_bytes() != text:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(text)
        for path in (COPY / source).rglob("*"):
            if path.is_file() and path.relative_to(COPY) not in wanted:
                path.unlink()


def _forget_copies() -> None:
    """Let mutmut copy anew what it copies; what it makes and remembers stays."""
    shutil.rmtree("mutants/tests", ignore_errors=True)
    for path in Path("mutants/meetbot").rglob("*"):
        if path.is_file() and path.suffix not in (".py", ".meta", ".spans"):
            path.unlink()


def _texts(source: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file to copy, with what the copy holds."""
    for path in [source] if source.is_file() else sorted(source.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            text = path.read_bytes()
            if path.suffix == ".py" and path.as_posix().startswith(_SUBJECTS):
                text = cst.parse_module(text).visit(_Undecorated()).bytes
            yield path, text


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
