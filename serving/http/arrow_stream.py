"""The histories of a request in Apache Arrow's streaming format: one stream for each table, one after another.

The metadata of a stream's schema name its ``table``, and of at least one stream the ``as_of`` date. Columns are as in JSON, but typed:
text, whole numbers, yes or no, dates and timestamps. The bytes come from outside, so that nothing is decoded before the headers of
its messages say how much it becomes, and nothing read before its offsets have been checked.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from histories.errors import Fault, Faults
from histories.io.delimited import heading
from histories.reading.posted_columns import MANY_ROWS, CodedColumn, PostedColumn
from histories.reading.typed_columns import TWICE, WANTED
from histories.tables import TABLES
from serving.http.arrow_messages import announced_by, malformed, too_many
from serving.http.schemas import MAX_ROWS

TABLE, AS_OF = b"table", b"as_of"
MAX_STREAMS, MAX_COLUMNS = 50, 200
MAX_ENTRIES = 10 * MAX_ROWS  # of all dictionaries, of which eight fit into a byte and each becomes a value
DO = "Send text, whole numbers, yes or no, dates or timestamps; uncompressed."
SECONDS = (-62_135_596_800, 253_402_300_799)  # from the year 1 to the year 9999, as Python's dates
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def written(histories: Mapping[str, Any], as_of: date) -> bytes:
    """Return histories as the body of a request.

    Parameters
    ----------
    histories : mapping
        By table a ``pyarrow.Table``, or any frame that exports Arrow streams, such as those of Polars and pandas.
    as_of : date
    """
    body = io.BytesIO()
    for name, frame in histories.items():
        table = pa.table(frame)
        # Text views and the like are a matter of the sender's memory; the service reads plain text.
        plain = [pa.field(f.name, _plain(f.type)) for f in table.schema]
        schema = pa.schema(plain, metadata={TABLE: name, AS_OF: as_of.isoformat()})
        with pa.ipc.new_stream(body, schema) as stream:
            stream.write_table(table.cast(schema))
    return body.getvalue()


def _plain(kind: pa.DataType) -> pa.DataType:
    return pa.large_string() if pa.types.is_string_view(kind) else kind


def read(body: bytes) -> dict[str, Any]:
    """Return the request that Arrow streams hold, as its JSON would be: ``as_of``, and ``histories`` as columns by table.

    Raises
    ------
    Problem
        400 if the bytes are no Arrow streams, or hold more than they say; 413 for too many rows.
    Faults
        With the table and the position of every stream and column that cannot be read, never a name that is not declared.
    """
    histories: dict[str, Any] = {}
    days: set[str] = set()
    faults: list[Fault] = []
    try:
        for position, table in enumerate(_tables(body), start=1):
            metadata = table.schema.metadata or {}
            given = metadata.get(TABLE, b"").decode("utf-8", "replace")
            name = heading(given) if heading(given) in TABLES else given
            days |= {metadata[AS_OF].decode("utf-8", "replace")} if AS_OF in metadata else set()
            where = f"tables.{name}" if name in TABLES else f"tables, stream {position}"
            if not name:
                faults.append(Fault("the schema's metadata name no table", where, "Add the key table."))
            elif name in histories:
                faults.append(Fault("the table is sent twice", where, "Send each table in one stream."))
            else:
                histories[name] = _columns(table, name, where, faults) if name in TABLES else []
    except (pa.ArrowException, struct.error, ValueError, OverflowError, OSError):
        raise malformed() from None  # the message of Arrow may repeat a value
    if len(days) != 1:
        what = "streams name different days" if days else "no schema's metadata name the day"
        faults.append(Fault(what, "as_of", "Add the key as_of, such as 2025-01-13."))
    if faults:
        raise Faults(faults)
    return {"as_of": days.pop(), "histories": histories}


def _tables(body: bytes) -> Iterator[pa.Table]:
    """Yield the table of each stream, after its messages and buffers have been checked."""
    source = pa.BufferReader(body)
    rows = entries = streams = 0
    while (start := source.tell()) < len(body):
        streams += 1
        announced = announced_by(pa.ipc.MessageReader.open_stream(source))
        rows, entries = rows + announced.rows, entries + announced.entries
        end = source.tell()
        if rows > MAX_ROWS or entries > MAX_ENTRIES or streams > MAX_STREAMS:
            raise too_many()
        with pa.ipc.open_stream(pa.py_buffer(body).slice(start, end - start)) as stream:
            if len(stream.schema) > MAX_COLUMNS:
                raise too_many()
            batches = list(stream)
        for batch in batches:
            batch.validate(full=True)
        # Columns can share the bytes of one, and become many times the body.
        if sum(map(_size, batches)) + _size_of_dictionaries(batches) > end - start:
            raise malformed()
        yield pa.Table.from_batches(batches, stream.schema)


def _size(batch: pa.RecordBatch) -> int:
    return sum((c.indices if isinstance(c, pa.DictionaryArray) else c).nbytes for c in batch.columns)


def _size_of_dictionaries(batches: list[pa.RecordBatch]) -> int:
    dictionaries = (c.dictionary for batch in batches for c in batch.columns if isinstance(c, pa.DictionaryArray))
    held = {_addresses(d): d.nbytes for d in dictionaries}
    return sum(held.values())


def _addresses(array: pa.Array) -> tuple[int, ...]:
    return tuple(b.address if b else 0 for b in array.buffers())


def _columns(table: pa.Table, name: str, where: str, faults: list[Fault]) -> dict[str, PostedColumn]:
    """Return the values of a table's columns; of columns that are not declared, only that they are there."""
    columns: dict[str, PostedColumn] = {}
    nothing: list[Any] = [None] * len(table)
    for position, (column, values) in enumerate(zip(table.column_names, table.columns, strict=True), start=1):
        declared = TABLES[name].columns.get(heading(column))
        if declared is None:
            columns[column] = nothing
        elif column in columns:
            faults.append(Fault(TWICE, f"{where}.{declared.name}", "Send one of them."))
        else:
            try:
                columns[column] = _coded(values) if name in MANY_ROWS else _values(values)
            except _NotRead:
                faults.append(Fault("the column has a type that is not read", f"{where}, column {position}", DO))
                columns[column] = nothing
            except _Unreadable as rows:
                for row in rows.args[0]:
                    what = f"the value is not {WANTED[declared.kind]}"
                    faults.append(Fault(what, f"{where}[{row}].{declared.name}", "Send a day from 1900 on."))
                columns[column] = nothing
    return columns


class _NotRead(Exception):
    """A type that is not read."""


class _Unreadable(Exception):
    """Rows whose days lie before the year 1 or after 9999."""


def _coded(column: pa.ChunkedArray) -> PostedColumn:
    """Return a column of texts or days with each distinct value read once, any other as ``_values`` does."""
    kind, types = column.type, pa.types
    if types.is_dictionary(kind):
        return _joined(column)
    is_text = types.is_string(kind) or types.is_large_string(kind)
    if not (is_text or types.is_date(kind) or types.is_timestamp(kind)):
        return _values(column)
    whole = column.combine_chunks().dictionary_encode(null_encoding="encode")
    try:
        return CodedColumn(_values(pa.chunked_array([whole.dictionary])), whole.indices.to_numpy())
    except _Unreadable:
        return _values(column)  # which names the rows


def _joined(column: pa.ChunkedArray) -> CodedColumn:
    """Return a column with a dictionary of its own in each chunk."""
    values: list[Any] = [None]
    places: list[np.ndarray] = []
    begun: dict[
        tuple[int, ...], int
    ] = {}  # where the values of each dictionary begin: thousands of chunks may share a large one
    for chunk in column.chunks:
        which = (*_addresses(chunk.dictionary), chunk.dictionary.offset, len(chunk.dictionary))
        if which not in begun:
            begun[which] = len(values)
            values += _texts(chunk.dictionary)
        of_chunk = chunk.indices.cast(pa.int64()).fill_null(-begun[which])
        places.append((of_chunk.to_numpy() + begun[which]).astype(np.int32))
    return CodedColumn(values, np.concatenate(places) if places else np.empty(0, np.int32))


def _texts(dictionary: pa.Array) -> list[Any]:
    try:
        return _values(pa.chunked_array([dictionary]))
    except _Unreadable:
        raise _NotRead from None  # its places are those of the dictionary


def _values(column: pa.ChunkedArray) -> list[Any]:
    """Return a column as Python's values, days as dates of Europe/London; not a number is no value, as in Parquet."""
    kind, types = column.type, pa.types
    if types.is_dictionary(kind):
        return _joined(column).to_list()
    if types.is_timestamp(kind) or types.is_date(kind):
        return _days(column)
    if types.is_floating(kind):
        return [None if value is None or value != value else value for value in pl.Series(column).to_list()]
    text = types.is_string(kind) or types.is_large_string(kind)
    if not (text or types.is_integer(kind) or types.is_boolean(kind) or types.is_null(kind)):
        raise _NotRead
    return pl.Series(column).to_list()


def _days(column: pa.ChunkedArray) -> list[Any]:
    kind = column.type
    if pa.types.is_date32(kind):
        numbers, unit = column.cast(pa.int32()).cast(pa.int64()), 1 / 86400
    else:
        numbers = column.cast(pa.int64())
        unit = PER_SECOND[kind.unit if pa.types.is_timestamp(kind) else "ms"]
    low, high = (min(max(int(second * unit), -(2**63)), 2**63 - 1) for second in SECONDS)  # nanoseconds end before
    _require(pc.and_(pc.greater_equal(numbers, low), pc.less_equal(numbers, high)))
    zone = pa.types.is_timestamp(kind) and kind.tz  # one that is no text is an error here, where Polars would panic
    try:
        days = pl.Series(column)
        return (days.dt.convert_time_zone("Europe/London") if zone else days).dt.date().to_list()
    except pl.exceptions.PolarsError:
        raise _NotRead from None  # a time zone that there is not


def _require(test: pa.ChunkedArray) -> None:
    if pc.any(pc.invert(test)).as_py():
        raise _Unreadable([row for row, holds in enumerate(test.to_pylist()) if holds is False])
