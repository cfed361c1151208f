"""The turn to write: one writer of a process at a time, so that they queue here instead of polling for the database's lock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from histories.errors import Fault
from serving.store.database import PATIENCE, Unavailable


class WriteQueue:
    """A lock for which nobody waits longer than for the database's own, nor once another has done the work.

    A plain lock lets whoever comes next overtake: one who only waits to learn that the work is done would wait for several writers.
    """

    def __init__(self) -> None:
        self._moved = threading.Condition()
        self._is_taken = False

    @contextmanager
    def taken(self, unless: Callable[[], bool] = lambda: False) -> Iterator[bool]:
        """Yield True in one's turn, or False without it as soon as ``unless`` holds.

        Raises
        ------
        Unavailable
            When the turn does not come.
        """
        with self._moved:
            if not self._moved.wait_for(lambda: unless() or not self._is_taken, PATIENCE):
                do = "Try again; another change takes long."
                raise Unavailable(Fault("the database is busy", "ONROLL_DATABASE_URL", do))
            is_mine = not unless()
            self._is_taken |= is_mine
        try:
            yield is_mine
        finally:
            if is_mine:
                with self._moved:
                    self._is_taken = False
                    self._moved.notify_all()
