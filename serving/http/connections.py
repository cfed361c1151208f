"""Limits on connections without a complete request head: a time limit, a maximum per address, and lines that end with CRLF.

uvicorn closes connections that are idle after an answer, but waits forever for a head that never ends.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from typing import Any, ClassVar

import h11
import uvicorn.config
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 10.0  # from the first byte of a head, or from the opening of a connection, until the head is whole
MAX_WAITING = 512  # connections of one worker without a whole head
MAX_PER_ADDRESS = 128  # of them from one address
HEAD_END = re.compile(rb"\n\r?\n")
BARE_LF = re.compile(rb"(?<!\r)\n")


class StrictConnection(h11.Connection):
    """Refuses heads whose lines end with a bare LF: a proxy before this service may see other lines than h11 does."""

    def next_event(self) -> Any:
        """Return the next event."""
        if self.their_state is h11.IDLE:
            received = bytes(self.trailing_data[0])
            end = HEAD_END.search(received)
            if BARE_LF.search(received, 0, end.end() if end else len(received)):
                raise h11.RemoteProtocolError("a line ends with a bare LF")
        return super().next_event()


class LimitedProtocol(H11Protocol):
    """The server's side of one connection."""

    _waiting: ClassVar[dict[LimitedProtocol, None]] = {}  # connections without a whole head, in order of opening
    _addresses: ClassVar[Counter[str]] = Counter()
    _deadline: asyncio.TimerHandle | None = None
    _address = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = StrictConnection(h11.SERVER)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._address = self.client[0] if self.client else ""
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Give back the place."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; a head that is not whole yet has the time that is left to it."""
        super().data_received(data)
        self._wait_or_stop()

    def on_response_complete(self) -> None:
        """Wait for the next head, or for the rest of a body that nobody reads."""
        super().on_response_complete()
        self._wait_or_stop()

    def _wait_or_stop(self) -> None:
        unread = self.conn.their_state is h11.SEND_BODY and self.conn.our_state in (h11.DONE, h11.MUST_CLOSE)
        if not self.transport.is_closing() and (self.conn.their_state is h11.IDLE or unread):
            self._wait()
        else:
            self._stop_waiting()

    def _wait(self) -> None:
        if self._deadline is not None:
            return
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._close)
        self._waiting[self] = None
        self._addresses[self._address] += 1
        if self._addresses[self._address] > MAX_PER_ADDRESS:
            self._close_oldest(self._address)
        elif len(self._waiting) > MAX_WAITING:
            self._close_oldest(self._addresses.most_common(1)[0][0])

    def _stop_waiting(self) -> None:
        if self._deadline is None:
            return
        self._deadline.cancel()
        self._deadline = None
        del self._waiting[self]
        self._addresses[self._address] -= 1
        if not self._addresses[self._address]:
            del self._addresses[self._address]

    def _close(self) -> None:
        self._stop_waiting()
        self.transport.close()

    @classmethod
    def _close_oldest(cls, address: str) -> None:
        next(protocol for protocol in cls._waiting if protocol._address == address)._close()


def install() -> None:
    """Make uvicorn use these connections; BentoML's workers start it with the protocol ``auto``."""
    uvicorn.config.HTTP_PROTOCOLS["auto"] = f"{__name__}:{LimitedProtocol.__name__}"
