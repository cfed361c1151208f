"""Tests of guards, each in a child of one process that has imported and collected all of them: a fork costs nothing, the imports seconds."""

import os
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import Any

import pytest

from tests.support.guard import Guard

OPTIONS = ("-n", "0", "-q", "-s", "-p", "no:cacheprovider")


class Outcome(Enum):
    """What became of a test; one that cannot be set up proves nothing."""

    PASSES, FAILS, BROKEN = range(3)


class InChildren:
    """A plugin of pytest that runs what was collected in children of this process, with a guard taken out.

    A test also runs with its guard: one that fails then proves nothing, and what it builds for all tests is built soundly.
    """

    def __init__(self, take_out: Callable[[Guard], None], told: Callable[[Guard, Outcome], None]) -> None:
        self.take_out, self.told = take_out, told
        self.guards: Sequence[Guard] = ()

    def run(self, guards: Iterable[Guard]) -> None:
        """Tell the outcome of each guard's test without it."""
        self.guards = tuple(guards)
        ended = pytest.main([*OPTIONS, *dict.fromkeys(g.test for g in self.guards)], plugins=[self])
        if self.guards and ended is not pytest.ExitCode.OK:
            raise RuntimeError(f"the tests of the guards cannot be collected: {ended!r}")

    def pytest_runtestloop(self, session: Any) -> bool:
        """Run no test in this process itself."""
        with_guard: dict[str, Outcome] = {}
        for guard in self.guards:
            items = _cheap([i for i in session.items if i.nodeid.partition("[")[0] == guard.test])
            if guard.test not in with_guard:
                with_guard[guard.test] = _in_child(session, items, lambda: None)
            if with_guard[guard.test] is Outcome.PASSES:
                self.told(guard, _in_child(session, items, lambda taken=guard: self.take_out(taken)))
            else:
                self.told(guard, Outcome.BROKEN)
        return True


def _cheap(items: Sequence[Any]) -> Sequence[Any]:
    """Return a test's items without the dear ones, unless all are dear."""
    return [i for i in items if i.get_closest_marker("prove") is None] or items


def _in_child(session: Any, items: Sequence[Any], prepare: Callable[[], None]) -> Outcome:
    child = os.fork()
    if child == 0:
        status = Outcome.BROKEN
        try:
            silence = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silence, 1)
            os.dup2(silence, 2)
            prepare()
            status = _run(session, items)
        finally:
            os._exit(status.value)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return Outcome(ended) if ended in (0, 1) else Outcome.BROKEN


def _run(session: Any, items: Sequence[Any]) -> Outcome:
    reports: list[Any] = []

    class Listening:
        def pytest_runtest_logreport(self, report: Any) -> None:
            reports.append(report)

    session.config.pluginmanager.register(Listening())
    for item, following in zip(items, [*items[1:], None], strict=True):
        session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
    if any(r.failed and r.when == "call" for r in reports):
        return Outcome.FAILS
    sound = any(r.passed and r.when == "call" for r in reports) and not any(r.failed for r in reports)
    return Outcome.PASSES if sound else Outcome.BROKEN
