"""The requests that one worker works on; one that waits for somebody else is not among them.

Somebody else: its client, whose body is still arriving or who does not read the answer; or the identity provider.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar

MAX_AT_ONCE = 64


class Work:
    """The requests at work."""

    def __init__(self) -> None:
        self._requests: set[object] = set()

    def is_full(self) -> bool:
        """Return whether no further request may begin."""
        return len(self._requests) >= MAX_AT_ONCE

    def begin(self, request: object) -> bool:
        """Count a request from now on; return False if there are too many already."""
        if request not in self._requests and self.is_full():
            return False
        self._requests.add(request)
        return True

    def end(self, request: object) -> None:
        """Count a request no longer; one that is not counted is no error."""
        self._requests.discard(request)

    @contextmanager
    def left(self, request: object) -> Iterator[None]:
        """Do not count a request meanwhile; whoever makes requests wait has to limit their number."""
        counted = request in self._requests
        self.end(request)
        try:
            yield
        finally:
            if counted:
                self._requests.add(request)


LEFT: ContextVar[Callable[[], AbstractContextManager[None]]] = ContextVar("left", default=nullcontext)


def waiting_for_others() -> AbstractContextManager[None]:
    """Do not count the current request as work meanwhile: somebody else holds it up, and few at once may be held up so."""
    return LEFT.get()()
