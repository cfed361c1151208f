"""Posted marks are read value by value of each column; the same comes out as when every row is read, whatever form they are sent in."""

import json
from collections import Counter
from datetime import date, timedelta
from unittest import mock

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from features.attendance.missed_weeks import LOOKS_BACK, MissedWeek, missed_weeks
from features.attendance.register import MEASURES
from histories.codes import ABSENCE_CODES, YIELDING
from histories.errors import Faults
from histories.reading import posted_rows
from histories.reading.histories import Histories
from histories.reading.marks import batch_of, posted_batch
from histories.reading.posted_rows import in_lists, read_rows
from serving.http import arrow_stream
from serving.http.json_once import parsed
from serving.http.turns import answered

PUPILS = [{"pupil_id": p, "date_of_birth": "2014-05-01"} for p in "AB"]
ENROLMENTS = [{"pupil_id": p, "urn": "1", "entry_date": "2020-09-01"} for p in "AB"]
DAY = date(2025, 1, 13)
GOOD = {
    "pupil_id": st.sampled_from(["A", "B", " A", "gone"]),
    "date": st.sampled_from(["2025-01-06", "2025-01-07T23:30:00Z", date(2025, 1, 8), "1880-01-01"]),
    "session": st.sampled_from(["AM", "PM", "pm"]),
    "code": st.sampled_from(["/", "o", " O", "I", "0.0"]),
    "recorded_on": st.sampled_from([None, "2025-01-07", "2025-01-20", "1880-01-01", "2999-01-01", ""]),
}
BAD = st.sampled_from([None, "", 3, 2.0, 2.5, True, "soon", "\ud800", "x" * 501, "\x00", b"A", [1], "2025-02-30"])
WHOLE = st.lists(st.fixed_dictionaries(GOOD), max_size=12)
ANY = st.lists(
    st.fixed_dictionaries(
        {n: st.one_of(v, v, v, BAD) for n, v in GOOD.items() if n != "recorded_on"},
        optional={"recorded_on": st.one_of(GOOD["recorded_on"], BAD), "Code": GOOD["code"], "mine": st.just(1)},
    ),
    max_size=6,
)


def tables(marks):
    return {"pupils": PUPILS, "enrolments": ENROLMENTS, "attendance": marks}


def outcome(marks, *, many):
    """Return what reading gives: frames and warnings, or faults."""
    with mock.patch.object(posted_rows, "MANY_ROWS", ("attendance",) if many else ()):
        try:
            frames, _, warnings = read_rows(tables(marks))
        except Faults as faults:
            return faults.faults
    return in_lists(frames["attendance"]).data, warnings


@given(st.one_of(WHOLE, ANY))
@example([{"pupil_id": "A", "date": "soon", "session": "AM", "code": "/"}] * 2)
def test_rows_and_columns_of_marks_are_read_as_row_by_row(marks):
    expected = outcome(marks, many=False)
    assert outcome(marks, many=True) == expected
    names = list(dict.fromkeys(name for row in marks for name in row))
    columns = {name: [row.get(name) for row in marks] for name in names}
    assert outcome(columns, many=True) == outcome(columns, many=False)


ARROW_DAYS = st.sampled_from([None, date(2025, 1, 6), date(2025, 1, 7), date(1880, 1, 1), date(2999, 1, 1)])
TYPED = {
    "pupil_id": (pa.string(), GOOD["pupil_id"]),
    "date": (pa.date32(), ARROW_DAYS.filter(bool)),
    "session": (pa.string(), GOOD["session"]),
    "code": (pa.string(), GOOD["code"]),
    "recorded_on": (pa.date32(), ARROW_DAYS),
}


TEXTS = [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())]
DAYS = [pa.date32(), pa.date64(), pa.timestamp("ms"), pa.dictionary(pa.uint16(), pa.date32())]


def cast(array, kind):
    """Return an array in another type, with a dictionary of its own."""
    return array.dictionary_encode().cast(kind) if pa.types.is_dictionary(kind) else array.cast(kind)


@given(
    st.lists(st.fixed_dictionaries({n: v for n, (_, v) in TYPED.items()}), max_size=12), st.integers(1, 4), st.data()
)
def test_arrow_streams_of_marks_are_read_as_their_columns(marks, rows, data):
    """In batches, with and without dictionaries, texts of either size, days with and without a time."""
    schema = pa.schema([(n, kind) for n, (kind, _) in TYPED.items()])
    table = pa.Table.from_pylist(marks, schema=schema)
    kinds = [data.draw(st.sampled_from(TEXTS if pa.types.is_string(kind) else DAYS)) for kind in schema.types]
    body = pa.BufferOutputStream()
    named = pa.schema(list(zip(schema.names, kinds, strict=True)), {b"table": b"attendance", b"as_of": b"2025-01-13"})
    with pa.ipc.new_stream(body, named) as stream:
        for batch in table.to_batches(max_chunksize=rows):
            arrays = [cast(array, kind) for array, kind in zip(batch.columns, kinds, strict=True)]
            stream.write_batch(pa.record_batch(arrays, schema=named))
    read = arrow_stream.read(body.getvalue().to_pybytes())["histories"]["attendance"]
    assert outcome(read, many=True) == outcome(table.to_pydict(), many=False)


def by_rows(rows, pupils, day, cut, most):
    """Return the same weeks as ``missed_weeks``, mark by mark."""
    valid = {}
    for row in sorted(rows, key=lambda r: (r["known"], r["code"] not in YIELDING, r["code"])):
        if day - LOOKS_BACK <= row["date"] < day and row["known"] < cut:
            valid[row["pupil_id"], row["date"], row["session"]] = row["code"]
    weeks = {}
    for (pupil, on, _), code in valid.items():
        weeks.setdefault((on - (on + 3) % 7, pupil), []).append(code)
    found = {}
    for (monday, pupil), codes in sorted(weeks.items(), reverse=True):
        missed = Counter(c for c in codes if c in ABSENCE_CODES)
        possible = sum(c in MEASURES["possible"] for c in codes)
        if missed and pupil in pupils:
            week = MissedWeek(pupil=pupil, monday=monday, possible=possible, missed=missed)
            found.setdefault(pupil, []).append(week)
    return {pupil: of[:most] for pupil, of in found.items()}


MARKS = st.lists(
    st.fixed_dictionaries(
        {
            "pupil_id": st.sampled_from("ABC"),
            "date": st.one_of(st.integers(20_000, 20_003), st.integers(19_900, 20_020)),
            "session": st.sampled_from(["AM", "PM"]),
            "code": st.sampled_from(["/", "O", "I", "X", "#", "N"]),
            "known": st.integers(20_000, 20_008),
        }
    ),
    min_size=20,
    max_size=60,
)


@given(MARKS, st.integers(20_002, 20_014), st.integers(20_002, 20_014), st.integers(1, 3))
def test_weeks_with_missed_sessions_are_those_found_mark_by_mark(rows, day, cut, most):
    schema = dict.fromkeys(("pupil_id", "session", "code"), pl.String) | dict.fromkeys(("date", "known"), pl.Int32)
    frame = pl.DataFrame(rows, schema=schema)
    found = {}
    for week in missed_weeks(batch_of(frame), ["B", "A", "D"], day, cut, most):
        found.setdefault(week.pupil, []).append(week)
    assert found == by_rows(rows, "ABD", day, cut, most)


def test_marks_without_a_day_of_recording_were_known_on_their_day():
    columns = {
        "pupil_id": ["A"] * 2,
        "session": ["AM"] * 2,
        "code": ["/"] * 2,
        "date": [9, 9],
        "recorded_on": [None, 3],
    }
    assert posted_batch(columns).known.tolist() == [9, 3]


def test_posted_marks_make_the_same_evidence_and_features_as_frames():
    rows = [
        {"pupil_id": p, "date": (DAY - timedelta(days=n)).isoformat(), "session": s, "code": "O" if n % 3 else "/"}
        for n in range(1, 60)
        for p in "AB"
        for s in ("AM", "PM")
    ]
    from features.evidence import evidence
    from features.matrix import matrix

    plain, polars = (Histories.from_rows(tables(rows), plain=plain) for plain in (True, False))
    assert (plain.engine, polars.engine) == ("plain", "polars")
    asked = [("A", ["attendance"]), ("B", ["enrolments"])]
    assert evidence(plain, asked, DAY) == evidence(polars, asked, DAY)
    assert [len(of) for of in evidence(plain, asked, DAY)] == [6, 1]
    assert matrix(plain, [DAY]).equals(matrix(polars, [DAY]))


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters(), max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=8,
)
WRITTEN = [
    "-0",
    "-0.0",
    "1E400",
    "-1e-400",
    "1e5",
    "NaN",
    "-Infinity",
    '"\\ud83d\\ude00"',
    '"\\ud800"',
    '"\\u0000"',
    "",
    " ",
    "{",
    "[1,]",
    "01",
    "1.",
    '"a',
    "nul",
    "[1] 2",
    "\ufeff{}",
    "9" * 30,
    "9" * 5000,
    "[" * 300 + "]" * 300,
    '"\t"',
    "'a'",
    "//",
    "+1",
    "0x1",
]


def pythons(body):
    return json.loads(body.decode("utf-8-sig"))


def read_by(parser, body):
    try:
        return repr(parser(body))
    except (ValueError, RecursionError) as error:
        return type(error), str(error)


@given(JSON, st.booleans(), st.sampled_from(["utf-8", "utf-8", "utf-8-sig"]))
def test_bodies_are_parsed_as_pythons_parser_does(value, ascii_only, encoding):
    body = json.dumps(value, ensure_ascii=ascii_only).encode(encoding, "surrogatepass")
    assert read_by(parsed, body) == read_by(pythons, body)


@pytest.mark.parametrize("text", WRITTEN)
def test_odd_bodies_are_parsed_or_refused_as_pythons_parser_does(text):
    body = text.encode("utf-8", "surrogatepass")
    assert read_by(parsed, body) == read_by(pythons, body)
    assert read_by(parsed, b"\xff" + body) == read_by(pythons, b"\xff" + body)


@given(JSON.filter(lambda value: "nan" not in repr(value) and "inf" not in repr(value)))
def test_an_answer_holds_what_pythons_writer_writes(value):
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # a lone surrogate, which nothing posted may hold
        return
    assert repr(json.loads(answered(value).body)) == repr(value)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_what_is_not_a_number_is_never_answered(number):
    with pytest.raises(ValueError, match="JSON"):
        answered({"scores": [{"risk": number}]})
    assert json.loads(answered({"warnings": ["NaN", "Infinity"]}).body) == {"warnings": ["NaN", "Infinity"]}
