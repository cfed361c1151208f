"""Limits on request bodies that are arriving: their number, by address, and their total size, by caller.

A request counts as work only once its body is complete. Until then it takes a place here. If there is no free place, the
longest-waiting request of the address with the most places is refused. If all bodies together become too large, the largest one of
the caller with the most bytes is. So whoever sends much is refused, and not whoever sends something just then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from serving.http.crowd import Crowd, largest_of_heaviest
from serving.http.schemas import MAX_ROWS

MAX_ARRIVING = 128  # bodies that one worker awaits at once
MAX_PER_ADDRESS = 64  # of them from one address; a proxy that is not trusted is one address
# What JSON becomes takes many times its size: eleven million empty rows, 33 MB, took 1.8 GB. Braces and commas are counted
# before anything is parsed; those within texts count too, which no code, date or number has.
MAX_CONTAINERS = MAX_ROWS + 1000  # rows, lists and objects of one body
MAX_VALUES = 12 * MAX_ROWS
MAX_BYTES = 128 * 1024 * 1024  # of all bodies together: those arriving, and those of requests at work
MAX_BYTES_OF_HOLDER = 64 * 1024 * 1024  # of them of one caller, or of one address as long as the caller is not known


@dataclass(eq=False, kw_only=True)
class Body:
    """The body of one request.

    Attributes
    ----------
    network : str
        Where the request comes from.
    stop : callable
        Ends reading, so that the request is refused.
    caller : callable
        Returns who sends it, or None as long as that is not known.
    is_text : bool
        Whether braces and commas are counted; the rows of Arrow streams are counted from their headers.
    size : int
        Bytes received so far.
    held : int
        Those that are still in memory.
    containers, values : int
        Braces and brackets that open, and commas, received so far.
    """

    network: str
    stop: Callable[[], None]
    caller: Callable[[], str | None]
    is_text: bool = True
    size: int = 0
    held: int = 0
    containers: int = 0
    values: int = 0

    def count(self, part: bytes) -> bool:
        """Count what a part of JSON holds; return False when the body holds more than any request may."""
        if not self.is_text:
            return True
        self.containers += part.count(b"{") + part.count(b"[")
        self.values += part.count(b",")
        return self.containers <= MAX_CONTAINERS and self.values <= MAX_VALUES

    def holder(self) -> str:
        """Return who answers for its bytes: the caller, or the network."""
        return self.caller() or self.network


@dataclass
class Bodies:
    """The bodies of one worker, with its limits."""

    _arriving: Crowd[Body] = field(default_factory=Crowd)
    _held: dict[Body, None] = field(default_factory=dict)  # arriving, or of a request at work
    size: int = 0

    def begin(self, body: Body) -> None:
        """Take a place for a body, at the cost of an older one if there is none free."""
        self._held[body] = None
        oldest = self._arriving.join(body, body.network, MAX_ARRIVING, MAX_PER_ADDRESS)
        if oldest is not None:
            self._refuse(oldest)

    def received(self, body: Body, count: int) -> bool:
        """Count bytes of a body that is arriving; return False when it is the one that has to be refused for all of them."""
        body.size += count
        body.held += count
        self.size += count
        if self.size <= min(MAX_BYTES, MAX_BYTES_OF_HOLDER):
            return True
        holder = body.holder()
        own = [other for other in self._held if other.holder() == holder]
        return self._shrink(own, body, MAX_BYTES_OF_HOLDER) and self._shrink([*self._held], body, MAX_BYTES)

    def whole(self, body: Body) -> None:
        """Give back the place: the body is complete, refused, or no longer awaited."""
        self._arriving.leave(body)

    def end(self, body: Body) -> None:
        """Forget a body whose request has ended."""
        self.whole(body)
        self._held.pop(body, None)
        self.size -= body.held
        body.held = 0

    def _shrink(self, among: list[Body], body: Body, most: int) -> bool:
        """Refuse bodies that are still arriving until few bytes are held; return False when it is this one's turn."""
        while sum(other.held for other in among) > most:
            arriving = [other for other in among if other.held and other in self._arriving]
            largest = largest_of_heaviest(among, Body.holder, _held, arriving)
            if largest is None or largest is body:
                return False
            self._refuse(largest)
        return True

    def _refuse(self, body: Body) -> None:
        self.end(body)
        body.stop()


def _held(body: Body) -> int:
    return body.held
