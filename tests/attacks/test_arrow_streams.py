"""Bytes that are no honest Arrow: they are refused before they become memory, and never crash the service or show a value."""

import struct
import tracemalloc
from datetime import date, datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histories.errors import Faults
from histories.reading.histories import Histories
from serving.http.arrow_messages import Flatbuffer
from serving.http.arrow_stream import MAX_COLUMNS, MAX_STREAMS, read, written
from serving.http.problems import Problem
from serving.http.schemas import MAX_ROWS
from tests.support.interface import CANARY, ROWS

DAY = date(2025, 1, 13)
METADATA = {b"table": b"pupils", b"as_of": b"2025-01-13"}


REST = written({"enrolments": pa.Table.from_pylist(ROWS["enrolments"])}, DAY)


def stream(table, **options):
    sink = pa.BufferOutputStream()
    schema = table.schema.with_metadata(METADATA)
    with pa.ipc.new_stream(sink, schema, options=pa.ipc.IpcWriteOptions(**options)) as out:
        out.write_table(table.cast(schema))
    return sink.getvalue().to_pybytes()


def status(body):
    try:
        Histories.from_rows(read(body)["histories"])
    except Problem as problem:
        return problem.status
    except Faults:
        return 422
    return 200


def batches_of(body):
    """Yield the place of each record batch's header in a body, and of its bytes."""
    place = 0
    while place + 8 <= len(body):
        size = struct.unpack_from("<i", body, place + 4)[0]
        if size == 0:
            return
        header = Flatbuffer(body[place + 8 : place + 8 + size])
        length = header.number(header.root, 3)
        batch = header.table(header.root, 2)
        if header.data[header.field(header.root, 1)] == 3:  # a record batch
            yield place + 8, header, batch
        place += 8 + size + length


def said_to_hold(body, rows):
    """Return a body whose batches say that they hold a number of rows."""
    changed = bytearray(body)
    for start, header, batch in batches_of(body):
        struct.pack_into("<q", changed, start + header.field(batch, 0), rows)
        nodes = header.table(batch, 1)
        for node in range(struct.unpack_from("<I", header.data, nodes)[0]):
            struct.pack_into("<q", changed, start + nodes + 4 + 16 * node, rows)
    return bytes(changed)


def sharing(columns, size):
    """Return a body in which the texts of all columns are those of the first."""
    table = pa.table({f"c{n}": ["x" * size] * 50 for n in range(columns)})
    body = bytearray(stream(table))
    ((start, header, batch),) = batches_of(bytes(body))
    buffers = start + header.table(batch, 2)
    first = [struct.unpack_from("<qq", body, buffers + 4 + 16 * n) for n in range(3)]
    for n in range(3 * columns):
        struct.pack_into("<qq", body, buffers + 4 + 16 * n, *first[n % 3])
    whole = struct.unpack_from("<q", body, start + header.field(header.root, 3))[0]
    kept = -(-sum(first[2]) // 8) * 8
    struct.pack_into("<q", body, start + header.field(header.root, 3), kept)
    bytes_of_batch = start + struct.unpack_from("<i", body, start - 4)[0]
    return bytes(body[: bytes_of_batch + kept] + body[bytes_of_batch + whole :])


def reading_beyond(column):
    """Return a body whose first column of two texts says that the second ends far beyond the bytes."""
    body = bytearray(stream(pa.table({"pupil_id": column})))
    end = struct.pack("<iii", 0, 1, 2)
    place = bytes(body).rindex(end)
    body[place : place + 12] = struct.pack("<iii", 0, 1, 1 << 30)
    return bytes(body)


def growing(additions):
    """Return a body whose dictionary grows by one text in each batch."""
    sink, texts = pa.BufferOutputStream(), pa.array([f"{n} {'x' * 200}" for n in range(additions)])
    schema = pa.schema({"pupil_id": pa.dictionary(pa.int32(), pa.string())}, metadata=METADATA)
    with pa.ipc.new_stream(sink, schema, options=pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True)) as out:
        for n in range(additions):
            column = pa.DictionaryArray.from_arrays(pa.array([n], pa.int32()), texts[: n + 1])
            out.write_batch(pa.record_batch([column], schema=schema))
    return sink.getvalue().to_pybytes()


def dictionaries_of_flags(batches):
    """Return a body with a dictionary of as many flags as there may be rows in each batch, of which eight are a byte."""
    sink = pa.BufferOutputStream()
    schema = pa.schema({"pupil_id": pa.dictionary(pa.int32(), pa.bool_())}, metadata=METADATA)
    with pa.ipc.new_stream(sink, schema) as out:
        for n in range(batches):
            flags = pa.array([n % 2 == 0] * MAX_ROWS)
            column = pa.DictionaryArray.from_arrays(pa.array([0], pa.int32()), flags)
            out.write_batch(pa.record_batch([column], schema=schema))
    return sink.getvalue().to_pybytes()


BOMBS = {
    "ends beyond the bytes": (lambda: reading_beyond(["a", "b"]), 400),
    "ends beyond the bytes of a dictionary": (lambda: reading_beyond(pa.array(["a", "b"]).dictionary_encode()), 400),
    "compressed": (lambda: stream(pa.table({"pupil_id": ["x" * 400] * 9000}), compression="zstd"), 415),
    "compressed dictionary": (
        lambda: stream(pa.table({"pupil_id": pa.array(["x" * 400] * 9).dictionary_encode()}), compression="lz4"),
        415,
    ),
    "rows without bytes": (lambda: said_to_hold(stream(pa.table({"pupil_id": pa.nulls(3)})), 2**40), 413),
    "fewer than no rows": (lambda: said_to_hold(stream(pa.table({"pupil_id": ["a"]})), -1), 413),
    "rows beyond the bytes": (lambda: said_to_hold(stream(pa.table({"pupil_id": ["a", "b"]})), 5000), 400),
    "many batches": (lambda: stream(pa.table({"pupil_id": pa.nulls(150_000)})) * 2, 413),
    "many streams": (lambda: stream(pa.table({})) * (MAX_STREAMS + 1), 413),
    "many columns": (lambda: stream(pa.table({f"c{n}": [1] for n in range(MAX_COLUMNS + 1)})), 413),
    "columns of one's bytes": (lambda: sharing(100, 1900), 400),
    "one text, many places": (
        lambda: stream(
            pa.table({"pupil_id": pa.DictionaryArray.from_arrays(pa.array([0] * 100_000, pa.int8()), ["x" * 5000])})
        ),
        422,
    ),
    "dictionary that grows": (lambda: growing(1000), 415),
    "dictionary of flags": (lambda: dictionaries_of_flags(11), 413),
    "views": (lambda: stream(pa.table({"pupil_id": pa.array(["x"], pa.string_view())})), 422),
    "runs": (
        lambda: stream(
            pa.table({"pupil_id": pa.RunEndEncodedArray.from_arrays(pa.array([100_000], pa.int32()), pa.array(["x"]))})
        ),
        422,
    ),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_what_would_grow_is_refused(bomb):
    body, expected = BOMBS[bomb]
    body = body()
    assert len(body) < 1 << 20
    assert status(body) == expected


def test_the_limit_itself_is_read():
    born = {"date_of_birth": pa.array([date(2014, 5, 1)] * (MAX_ROWS - 1))}
    assert status(stream(pa.table({"pupil_id": pa.array(range(MAX_ROWS - 1)), **born})) + REST) == 200
    assert len(read(sharing(1, 1900))["histories"]["pupils"]) == 1


WHOLE = written(
    {name: pa.Table.from_pylist([{**row, "pupil_id": CANARY} for row in rows]) for name, rows in ROWS.items()}, DAY
)


def test_columns_that_are_not_declared_take_no_memory():
    """Before, 200 columns of nothing, a body of kilobytes, took a third of a gigabyte."""
    body = stream(pa.table({f"c{n}": pa.nulls(MAX_ROWS) for n in range(MAX_COLUMNS)}))
    tracemalloc.start()
    try:
        read(body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 32 << 20


MOMENTS = pa.array([datetime(2014, 5, 1, 9)], pa.timestamp("us", tz="Etc/UTC"))


def test_a_time_zone_that_is_no_text_is_a_problem_of_the_request():
    """Before, Polars panicked, past every handler of errors."""
    body = stream(pa.table({"pupil_id": ["a"], "date_of_birth": MOMENTS}))
    assert status(body + REST) == 200
    assert status(body.replace(b"Etc/UTC", b"Etc/\xffTC") + REST) == 400


PLACES = st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=8)


@settings(max_examples=400)
@given(PLACES, st.integers(0, len(WHOLE)), st.binary(max_size=40))
def test_damaged_bytes_are_a_problem_of_the_request(changes, cut, more):
    body = bytearray(WHOLE)
    for place, value in changes:
        body[place] = value
    assert status(bytes(body)) in (200, 400, 413, 415, 422)
    assert status(bytes(body[:cut]) + more) in (200, 400, 413, 415, 422)


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_problem_of_the_request(body):
    assert status(body) in (400, 422)
