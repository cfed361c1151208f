"""What the headers of Arrow's messages announce, read before anything is decoded."""

from __future__ import annotations

import struct
from typing import NamedTuple

import pyarrow as pa

from serving.http.problems import Problem
from serving.http.schemas import MAX_PUPILS, MAX_ROWS


def malformed() -> Problem:
    """Return the problem of bytes that are no Arrow streams, or hold more than they say."""
    return Problem(400, "The body is not a series of Arrow streams.")


def too_many() -> Problem:
    """Return the problem of a body with too many rows."""
    return Problem(413, f"Send at most {MAX_PUPILS} pupils and {MAX_ROWS} rows in a request.")


class Announced(NamedTuple):
    """What the headers of a stream announce: rows, and the entries of its dictionaries."""

    rows: int
    entries: int


def announced_by(messages: pa.ipc.MessageReader) -> Announced:
    """Count what the headers of messages announce, before any is decoded.

    Arrow decodes compressed buffers to the size that they state, so that 1 MiB becomes gigabytes, and makes a dictionary anew with each addition to it,
    so that thousands of small ones become gigabytes too; both are refused.
    """
    rows = entries = 0
    while True:
        try:
            message = messages.read_next_message()
        except StopIteration:
            return Announced(rows, entries)
        if message.type == "schema":
            continue
        header = Flatbuffer(message.metadata.to_pybytes())
        batch = header.table(header.root, 2)  # Message.fbs: version, header type, header, length of the body
        if message.type == "dictionary":
            adds = header.field(batch, 2)  # DictionaryBatch: id, data, whether it adds to the one before
            if adds and header.data[adds]:
                raise Problem(415, "Send each dictionary of an Arrow stream whole.")
            batch = header.table(batch, 1)
        elif message.type != "record batch":
            raise malformed()
        if header.field(batch, 3):  # RecordBatch: length, nodes, buffers, compression
            raise Problem(415, "Send Arrow streams without compression.")
        count = header.number(batch, 0)
        if not 0 <= count <= MAX_ROWS:
            raise too_many()
        if message.type == "dictionary":
            entries += count
        else:
            rows += count


class Flatbuffer:
    """The few fields of a message's header that are needed before it is decoded (Arrow's ``format/Message.fbs``)."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.root = struct.unpack_from("<I", data, 0)[0]

    def field(self, table: int, number: int) -> int:
        """Return the place of a field of a table, or 0 if it is absent."""
        vtable = table - struct.unpack_from("<i", self.data, table)[0]
        place = 4 + 2 * number
        if vtable < 0 or place >= struct.unpack_from("<H", self.data, vtable)[0]:
            return 0
        offset = struct.unpack_from("<H", self.data, vtable + place)[0]
        return table + offset if offset else 0

    def table(self, table: int, number: int) -> int:
        """Return the place of a table to which a field refers."""
        place = self.field(table, number)
        if not place:
            raise malformed()
        return place + struct.unpack_from("<I", self.data, place)[0]

    def number(self, table: int, number: int) -> int:
        """Return a 64-bit number, 0 if it is absent."""
        place = self.field(table, number)
        return struct.unpack_from("<q", self.data, place)[0] if place else 0
