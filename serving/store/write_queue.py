"""The write queue: one writer of a process at a time. Writers wait here instead of polling for the database's lock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from histories.errors import Fault
from serving.store.database import PATIENCE, Unavailable


class WriteQueue:
    """A lock with the database's own time limit; waiters leave as soon as another thread has done their work.

    With a plain lock, a thread that only waits for its work to be done would be overtaken by several writers.
    """

    def __init__(self) -> None:
        self._moved = threading.Condition()
        self._is_taken = False

    @contextmanager
    def turn(self, unless: Callable[[], bool] = lambda: False) -> Iterator[bool]:
        """Yield True when it is this thread's turn, or False as soon as ``unless`` holds.

        Raises
        ------
        Unavailable
            When the turn does not come in time.
        """
        with self._moved:
            if not self._moved.wait_for(lambda: unless() or not self._is_taken, PATIENCE):
                do = "Try again; another change is taking a long time."
                raise Unavailable(Fault("the database is busy", "ONROLL_DATABASE_URL", do))
            has_turn = not unless()
            self._is_taken |= has_turn
        try:
            yield has_turn
        finally:
            if has_turn:
                with self._moved:
                    self._is_taken = False
                    self._moved.notify_all()
