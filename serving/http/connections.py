"""Limits on connections whose client is slow: to send a request's head, or to read what was answered; and lines that end with CRLF.

uvicorn closes connections that are idle after an answer, but waits forever for a head that never ends, and for a client that reads
nothing. An answer that a client does not read stays in memory: at most ``MAX_UNREAD_BYTES`` of all of them.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any, ClassVar

import h11
import uvicorn.config
from h11._receivebuffer import ReceiveBuffer  # lines are split here, those of a head and of trailers alike
from uvicorn.protocols.http.h11_impl import H11Protocol

from serving.http.addresses import network_of
from serving.http.crowd import Crowd, largest_of_heaviest

HEAD_SECONDS = 10.0  # from the first byte of a head, or from the opening of a connection, until the head is whole
MAX_WAITING, MAX_WAITING_OF_ADDRESS = 512, 128  # connections of one worker without a whole head
READ_SECONDS = 30.0  # in which a client must read MIN_READ bytes of an answer, or the rest of it
MIN_READ = 64 * 1024
MAX_UNREAD, MAX_UNREAD_OF_ADDRESS = 512, 128  # connections of one worker with an answer that is not read yet
MAX_UNREAD_BYTES = 128 * 1024 * 1024
MAX_CHUNKS = 20_000  # of one body: each costs as much time as thousands of bytes
LINES_END = re.compile(rb"^\r?\n|\n\r?\n")
BARE_LF = re.compile(rb"(?<!\r)\n")
# What stands before a chunk: its size, and extensions that nobody uses, of plain characters and few: a proxy could see another end of others.
SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}(;[\t -~]{0,256}|[ \t]*)\r\n")


class StrictLines(ReceiveBuffer):
    """Refuses lines that a proxy before this service may see otherwise than h11 does: bare LFs, lines that go on, and odd extensions of chunks."""

    def __init__(self) -> None:
        super().__init__()
        self._chunks = 0

    def maybe_extract_lines(self) -> Any:
        """Return the lines of a head, or those after a body's last chunk, once they are whole."""
        end = LINES_END.search(self._data)
        if BARE_LF.search(self._data, 0, end.end() if end else len(self._data)):
            raise h11.LocalProtocolError("a line ends with a bare LF")
        if end:
            self._chunks = 0
        lines = super().maybe_extract_lines()
        if any(line[:1] in (b" ", b"\t") for line in lines or ()):
            raise h11.LocalProtocolError("a line goes on with the one before")
        return lines

    def maybe_extract_next_line(self) -> Any:
        """Return the line before a chunk."""
        line = super().maybe_extract_next_line()
        if line is not None:
            self._chunks += 1
            if self._chunks > MAX_CHUNKS:
                raise h11.LocalProtocolError("the body has too many chunks")
            if not SIZE.fullmatch(line):
                raise h11.LocalProtocolError("the line of a chunk is not its size and short extensions")
        return line


class LimitedProtocol(H11Protocol):
    """The server's side of one connection."""

    _waiting: ClassVar[Crowd[LimitedProtocol]] = Crowd()  # connections without a whole head
    _unread: ClassVar[Crowd[LimitedProtocol]] = Crowd()  # connections whose client has not read an answer
    _head_deadline: asyncio.TimerHandle | None = None
    _read_deadline: asyncio.TimerHandle | None = None
    _network = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn._receive_buffer = StrictLines()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)  # whatever the system does not take at once is unread
        self._network = network_of(self.client[0] if self.client else None)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Give back the places."""
        self._stop_waiting()
        self._stop_reading()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; a head that is not whole yet has the time that is left to it."""
        super().data_received(data)
        self._wait_or_stop()

    def on_response_complete(self) -> None:
        """Wait for the next head, or for the rest of a body that nobody reads."""
        super().on_response_complete()
        self._wait_or_stop()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP; an answer that has begun is not followed by another one."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.close()

    def pause_writing(self) -> None:
        """Begin to wait for the client to read."""
        super().pause_writing()
        self._expect_reading()
        self._make_room(self._unread.join(self, self._network, MAX_UNREAD, MAX_UNREAD_OF_ADDRESS))
        if sum(map(_unread_bytes, self._unread)) > MAX_UNREAD_BYTES:
            self._make_room(largest_of_heaviest(self._unread, _network, _unread_bytes, self._unread))

    def resume_writing(self) -> None:
        """Stop to wait: everything is read, or the connection has ended."""
        self._stop_reading()
        super().resume_writing()

    def _expect_reading(self) -> None:
        most = self.transport.get_write_buffer_size() - MIN_READ
        self._read_deadline = self.loop.call_later(READ_SECONDS, self._check_reading, most)

    def _check_reading(self, most: int) -> None:
        if self.transport.get_write_buffer_size() > most:
            self.transport.abort()  # closing would wait for the client to read
        else:
            self._expect_reading()

    def _stop_reading(self) -> None:
        if self._read_deadline is not None:
            self._read_deadline.cancel()
            self._read_deadline = None
        self._unread.leave(self)

    @staticmethod
    def _make_room(unread: LimitedProtocol | None) -> None:
        if unread is not None:
            unread._stop_reading()
            unread.transport.abort()

    def _wait_or_stop(self) -> None:
        unread = self.conn.their_state is h11.SEND_BODY and self.conn.our_state in (h11.DONE, h11.MUST_CLOSE)
        if not self.transport.is_closing() and (self.conn.their_state is h11.IDLE or unread):
            self._wait()
        else:
            self._stop_waiting()

    def _wait(self) -> None:
        if self._head_deadline is not None:
            return
        self._head_deadline = self.loop.call_later(HEAD_SECONDS, self._close)
        oldest = self._waiting.join(self, self._network, MAX_WAITING, MAX_WAITING_OF_ADDRESS)
        if oldest is not None:
            oldest._close()

    def _stop_waiting(self) -> None:
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None
            self._waiting.leave(self)

    def _close(self) -> None:
        """Close, once the client has read what is ready for it: for that it has a limit of its own."""
        self._stop_waiting()
        self.transport.close()


def _network(protocol: LimitedProtocol) -> str:
    return protocol._network


def _unread_bytes(protocol: LimitedProtocol) -> int:
    return protocol.transport.get_write_buffer_size()


def install() -> None:
    """Make uvicorn use these connections; BentoML's workers start it with the protocol ``auto``."""
    uvicorn.config.HTTP_PROTOCOLS["auto"] = f"{__name__}:{LimitedProtocol.__name__}"
