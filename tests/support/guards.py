"""Guards of the threat model, each taken out in turn: its named test must fail without it.

Run ``make prove-threats``. Each guard is taken out by replacing one attribute, in a child of one process; where the test does not
notice, once more in a process of its own, in which this module is a plugin of pytest, so that nothing was imported before. A guard in a
file, or of a process that a test starts, is taken out by replacing one text of a copy of this tree, in which its test then runs.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.support.guard import FileGuard, Guard
from tests.support.guards_forked import InChildren, Outcome
from tests.support.guards_in_files import IN_FILES
from tests.support.guards_of_access import OF_ACCESS
from tests.support.guards_of_files import OF_FILES
from tests.support.guards_of_http import OF_HTTP
from tests.support.guards_of_records import OF_RECORDS
from tests.support.shared import VARIABLE as SHARED

ROOT = Path(__file__).parents[2]
GUARDS: tuple[Guard | FileGuard, ...] = (*OF_ACCESS, *OF_RECORDS, *OF_HTTP, *OF_FILES, *IN_FILES)
PYTEST = (sys.executable, "-m", "pytest", "-n", "0", "-q", "-x", "-p", "no:cacheprovider")
WARM = "tests/unit/serving/test_api.py::test_counts_name_no_child_and_hide_small_numbers"
VARIABLE = "ONROLL_GUARD_TAKEN_OUT"
NOT_COPIED = shutil.ignore_patterns(*(".git", ".venv", "__pycache__", "site", "mlruns"))


def take_out(guard: Guard) -> None:
    """Take a guard out of this process."""
    module, _, attribute = guard.place.partition(":")
    where: Any = import_module(module)
    if not attribute:
        guard.instead(where)
        return
    *path, name = attribute.split(".")
    for part in path:
        where = getattr(where, part)
    if not hasattr(where, name):
        raise AttributeError(f"{guard.place} is not there any more")
    setattr(where, name, guard.instead)


def pytest_configure() -> None:
    """Take out the guard that the environment names."""
    if VARIABLE in os.environ:
        guard = GUARDS[int(os.environ[VARIABLE])]
        assert isinstance(guard, Guard)
        take_out(guard)


@contextmanager
def taken_out(guard: FileGuard, tree: Path) -> Iterator[None]:
    """Replace the text of a guard in a copy of this tree, and put it back."""
    file = tree / guard.place
    before = file.read_text("utf-8")
    if before.count(guard.text) != 1:
        raise ValueError(f"{guard.place} does not hold this text once any more: {guard.text}")
    file.write_text(before.replace(guard.text, guard.instead), "utf-8")
    try:
        yield
    finally:
        file.write_text(before, "utf-8")


def fails_without(number: int, scratch: Path) -> bool:
    """Return whether the test of a guard fails, in a process of its own, once the guard is taken out; an error before it is no failure."""
    guard = GUARDS[number]
    if isinstance(guard, FileGuard):
        tree = scratch / "tree"
        if not tree.exists():
            shutil.copytree(ROOT, tree, ignore=NOT_COPIED)
        with taken_out(guard, tree):
            # The copy is imported, in children of the test too, and not the tree that is installed.
            return _fails([guard.test], tree, {"PYTHONPATH": str(tree)})
    return _fails(["-p", "tests.support.guards", guard.test], ROOT, {VARIABLE: str(number)})


def _fails(words: Sequence[str], folder: Path, variables: Mapping[str, str]) -> bool:
    environment, done = {**os.environ, **variables}, None
    for kind in ("not prove", ""):  # the dear ones only where all of a test are dear
        command = [*PYTEST, "-m", kind, *words]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != pytest.ExitCode.NO_TESTS_COLLECTED:
            break
    return done is not None and done.returncode == 1 and "FAILURES" in done.stdout


def main(chosen: Sequence[int] = (), report: Callable[[str], None] | None = None) -> int:
    """Take out each guard in turn, or the chosen ones; return 1 if a test does not notice."""
    guards = [GUARDS[number] for number in chosen] or list(GUARDS)
    report, noticed = report or partial(print, flush=True), 0

    def told(guard: Guard | FileGuard, outcome: Outcome) -> None:
        nonlocal noticed
        if outcome is Outcome.PASSES and isinstance(guard, Guard) and fails_without(GUARDS.index(guard), scratch):
            outcome = Outcome.FAILS  # the collected tests held the guard already
        noticed += outcome is Outcome.FAILS
        word = {Outcome.FAILS: "fails", Outcome.PASSES: "PASSES", Outcome.BROKEN: "IS BROKEN, also"}[outcome]
        report(f"{word} without {guard.place}: {guard.test}")

    with tempfile.TemporaryDirectory(prefix="onroll-") as folder:
        scratch = Path(folder)
        os.environ[SHARED] = folder
        # With every guard in its place: the worlds that the tests share are built here, once.
        warm = subprocess.run([*PYTEST, WARM], cwd=ROOT, capture_output=True, text=True, check=False)
        if warm.returncode:
            raise RuntimeError(f"a test fails with every guard in its place:\n{warm.stdout[-4000:]}")
        InChildren(take_out, told).run(g for g in guards if isinstance(g, Guard))
        for guard in (g for g in guards if isinstance(g, FileGuard)):
            told(guard, Outcome.FAILS if fails_without(GUARDS.index(guard), scratch) else Outcome.PASSES)
    report(f"{noticed} of {len(guards)} tests fail without their guard")
    return int(noticed < len(guards))


if __name__ == "__main__":
    sys.exit(main([int(n) for n in sys.argv[1:]]))
