"""Guards of the threat model, each taken out in turn: its named test must fail without it.

Run ``make prove-threats``. Each guard is taken out by replacing one attribute, in a process of its own, in which this module is a
plugin of pytest.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.support.guard import Guard
from tests.support.guards_of_access import OF_ACCESS
from tests.support.guards_of_http import OF_HTTP
from tests.support.guards_of_records import OF_RECORDS
from tests.support.shared import VARIABLE as SHARED

ROOT = Path(__file__).parents[2]
GUARDS = (*OF_ACCESS, *OF_RECORDS, *OF_HTTP)
PYTEST = (sys.executable, "-m", "pytest", "-n", "0", "-q", "-x", "-p", "no:cacheprovider")
WARM = "tests/unit/serving/test_api.py::test_counts_name_no_child_and_hide_small_numbers"
VARIABLE = "ONROLL_GUARD_TAKEN_OUT"


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
        take_out(GUARDS[int(os.environ[VARIABLE])])


def fails_without(number: int, shared: str) -> bool:
    """Return whether the test of a guard fails once the guard is taken out; an error while it is collected is no failure."""
    done = subprocess.run(
        [*PYTEST, "-p", "tests.support.guards", GUARDS[number].test],
        cwd=ROOT,
        env={**os.environ, VARIABLE: str(number), SHARED: shared},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode == 1 and "FAILURES" in done.stdout


def main(chosen: Sequence[int] = (), report: Callable[[str], None] | None = None) -> int:
    """Take out each guard in turn, or the chosen ones; return 1 if a test does not notice."""
    unnoticed, numbers = 0, chosen or range(len(GUARDS))
    report = report or partial(print, flush=True)
    with tempfile.TemporaryDirectory(prefix="onroll-") as shared:
        # With every guard in its place: the worlds that the tests share are built here, once.
        subprocess.run([*PYTEST, WARM], cwd=ROOT, env={**os.environ, SHARED: shared}, capture_output=True, check=True)
        for number in numbers:
            guard = GUARDS[number]
            noticed = fails_without(number, shared)
            unnoticed += not noticed
            report(f"{'fails' if noticed else 'PASSES'} without {guard.place}: {guard.test}")
    report(f"{len(numbers) - unnoticed} of {len(numbers)} tests fail without their guard")
    return int(unnoticed > 0)


if __name__ == "__main__":
    sys.exit(main([int(n) for n in sys.argv[1:]]))
