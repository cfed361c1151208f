"""Limits on request bodies that are arriving: their number, by address, and their total size.

A request counts as work only once its body is complete. Until then it takes a place here. If there is no free place, the
longest-waiting request of the address with the most places is refused, so that one address cannot crowd out another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from serving.http.schemas import MAX_ROWS

MAX_ARRIVING = 128  # bodies that one worker awaits at once
MAX_PER_ADDRESS = 64  # of them from one address; a proxy that is not trusted is one address
# What JSON becomes takes many times its size: eleven million empty rows, 33 MB, took 1.8 GB. Braces and commas are counted
# before anything is parsed; those within texts count too, which no code, date or number has.
MAX_CONTAINERS = MAX_ROWS + 1000  # rows, lists and objects of one body
MAX_VALUES = 12 * MAX_ROWS
MAX_BYTES = 128 * 1024 * 1024  # of all bodies together: those arriving, and those of requests at work


@dataclass(eq=False, kw_only=True)
class Body:
    """The body of one request.

    Attributes
    ----------
    address : str
        Where the request comes from.
    stop : callable
        Ends reading, so that the request is refused.
    is_text : bool
        Whether braces and commas are counted; the rows of Arrow streams are counted from their headers.
    size : int
        Bytes received so far.
    containers, values : int
        Braces and brackets that open, and commas, received so far.
    """

    address: str
    stop: Callable[[], None]
    is_text: bool = True
    size: int = 0
    containers: int = 0
    values: int = 0

    def count(self, part: bytes) -> bool:
        """Count what a part of JSON holds; return False when the body holds more than any request may."""
        if not self.is_text:
            return True
        self.containers += part.count(b"{") + part.count(b"[")
        self.values += part.count(b",")
        return self.containers <= MAX_CONTAINERS and self.values <= MAX_VALUES


@dataclass
class Bodies:
    """The bodies of one worker, with its limits."""

    _arriving: dict[Body, None] = field(default_factory=dict)  # in order of arrival
    _addresses: Counter[str] = field(default_factory=Counter)
    size: int = 0

    def begin(self, body: Body) -> None:
        """Take a place for a body, at the cost of an older one if there is none free."""
        self._arriving[body] = None
        self._addresses[body.address] += 1
        if self._addresses[body.address] > MAX_PER_ADDRESS:
            self._refuse_oldest(body.address)
        elif len(self._arriving) > MAX_ARRIVING:
            self._refuse_oldest(self._addresses.most_common(1)[0][0])

    def received(self, body: Body, count: int) -> bool:
        """Count bytes; return False when all bodies together hold too many."""
        body.size += count
        self.size += count
        return self.size <= MAX_BYTES

    def whole(self, body: Body) -> None:
        """Give back the place: the body is complete, refused, or no longer awaited."""
        if body in self._arriving:
            del self._arriving[body]
            self._addresses[body.address] -= 1
            if not self._addresses[body.address]:
                del self._addresses[body.address]

    def end(self, body: Body) -> None:
        """Forget a body whose request has ended."""
        self.whole(body)
        self.size -= body.size
        body.size = 0

    def _refuse_oldest(self, address: str) -> None:
        oldest = next(body for body in self._arriving if body.address == address)
        self.whole(oldest)
        oldest.stop()
