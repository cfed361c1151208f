"""Marks count the same however files lay them out: in any order, row groups, files and types, with duplicates, corrections and late marks."""

from collections import defaultdict
from datetime import date, timedelta
from itertools import groupby, permutations, product

import narwhals as nw
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from features.attendance.register import KINDS, MEASURES, RUN_WINDOWS, WINDOWS, mark_tallies
from histories.calendar import day_number
from histories.errors import Faults
from histories.reading import marks as reading
from histories.reading.histories import Histories
from histories.reading.plain_frame import PlainFrame

PUPILS = ["A", "B", "C", "D"]
DAYS = [date(2024, 9, 9), date(2025, 1, 13)]
FIRST = DAYS[1] - timedelta(days=6)
# Few days, sessions and codes, so that many marks meet; the order of codes is that of ``KINDS``: # / I N P X \.
MARKS = st.lists(
    st.fixed_dictionaries(
        {
            "pupil_id": st.sampled_from(PUPILS),
            "date": st.one_of(
                st.integers(0, 7).map(lambda n: FIRST + timedelta(days=n)), st.dates(date(2023, 9, 1), DAYS[1])
            ),
            "session": st.sampled_from(["AM", "PM"]),
            "code": st.sampled_from(["/", "\\", "I", "N", "P", "X", "#"]),
            "late": st.sampled_from([None, 0, 0, 1, 5, -1]),
        }
    ),
    max_size=50,
)
LAYOUTS = st.fixed_dictionaries(
    {
        "sorted": st.booleans(),
        "row_group": st.sampled_from([1, 3, 1000]),
        "files": st.integers(1, 3),
        "dictionary": st.booleans(),
        "kind": st.sampled_from(["date", "date", "text", "odd keys", "odd codes", "csv"]),
        "batch": st.sampled_from([1, 2, 1000]),
        "reads": st.sampled_from([0, 10]),
    }
)
ONE = {"sorted": True, "row_group": 3, "files": 1, "dictionary": True, "kind": "date", "batch": 1000, "reads": 10}
PAIRS = permutations([("I", 0), ("\\", 0), ("/", 0), ("P", 0), ("N", 1), ("/", -1), ("X", 5), ("#", 0)], 2)
# Every pair of marks in both orders, each in a session of its own.
SESSIONS = product(PUPILS, range(7), ["AM", "PM"])
MET = [
    {"pupil_id": pupil, "date": FIRST + timedelta(days=day), "session": session, "code": code, "late": late}
    for (pupil, day, session), pair in zip(SESSIONS, PAIRS, strict=True)
    for code, late in pair
]


def rows_of(drawn):
    """Return the rows of drawn marks, with the day on which each was recorded, if it is known."""
    drawn = list(drawn)
    recorded = (None if m["late"] is None else m["date"] + timedelta(days=m["late"]) for m in drawn)
    columns = ("pupil_id", "date", "session", "code")
    return [{**{c: m[c] for c in columns}, "recorded_on": r} for m, r in zip(drawn, recorded, strict=True)]


def laid_out(folder, rows, layout):
    """Write a folder of histories with the marks laid out as said."""
    pq.write_table(pa.table({"pupil_id": PUPILS, "date_of_birth": [date(2014, 5, 1)] * 4}), folder / "pupils.parquet")
    entry = pa.table({"pupil_id": PUPILS, "urn": ["1"] * 4, "entry_date": [date(2018, 9, 4)] * 4})
    pq.write_table(entry, folder / "enrolments.parquet")
    rows = sorted(rows, key=lambda r: (r["pupil_id"], r["date"], r["session"])) if layout["sorted"] else rows
    kind = pa.string() if layout["kind"] in ("text", "csv") else pa.date32()
    schema = pa.schema(
        {"pupil_id": pa.string(), "date": kind, "session": pa.string(), "code": pa.string(), "recorded_on": kind}
    )
    if layout["kind"] in ("text", "csv"):
        rows = [{c: str(v) if v and c in ("date", "recorded_on") else v for c, v in r.items()} for r in rows]
    if layout["kind"] == "odd keys":
        rows = [{**r, "pupil_id": f" {r['pupil_id']}"} for r in rows]
    if layout["kind"] == "odd codes":
        rows = [{**r, "session": r["session"].lower(), "code": f"{r['code'].lower()} "} for r in rows]
    table = pa.Table.from_pylist(rows, schema)
    if layout["kind"] == "csv":
        pl.from_arrow(table).write_csv(folder / "attendance.csv")
        return folder
    (folder / "attendance").mkdir()
    share = -(-len(rows) // layout["files"]) or 1
    for n in range(layout["files"]):
        how = {"row_group_size": layout["row_group"], "use_dictionary": layout["dictionary"]}
        pq.write_table(table.slice(n * share, share), folder / "attendance" / f"{n}.parquet", **how)
    return folder


def posted(rows, *, plain):
    """Open the marks as the rows of a request."""
    text = [{c: str(v) if isinstance(v, date) else v for c, v in r.items()} for r in rows]
    pupils = [{"pupil_id": p, "date_of_birth": "2014-05-01"} for p in PUPILS]
    return Histories.from_rows({"pupils": pupils, "enrolments": [], "attendance": text}, plain=plain)


def tallied(histories, pupils, known_on):
    """Return the tallies of each child and day, as one dictionary for each."""
    asked = {
        "pupil_id": [p for p in pupils for _ in DAYS],
        "as_of": [day_number(d) for _ in pupils for d in DAYS],
    }
    plain = histories.engine == "plain"
    frame = PlainFrame(asked, len(asked["as_of"])) if plain else nw.from_native(pl.DataFrame(asked), eager_only=True)
    return mark_tallies(histories, frame, known_on).rows(named=True)


def counted_anew(rows, pupil, day, known_on):
    """Return some of the tallies of a child, counted from its rows as they stand."""
    marks = defaultdict(list)
    for r in rows:
        known = r["recorded_on"] or r["date"]
        if r["pupil_id"] == pupil and r["date"] < day and known < (known_on or day):
            marks[r["date"], r["session"]].append((known, list(KINDS).index(r["code"]), r["code"]))
    valid = [((day - on).days, max(many)[-1]) for (on, _), many in sorted(marks.items())]
    september = (day - date(day.year if day.month >= 9 else day.year - 1, 9, 1)).days
    tallies = {
        f"{measure}_{name}": sum(ago <= far and code in codes for ago, code in valid)
        for name, far in (*((str(w), w) for w in WINDOWS), ("year", september))
        for measure, codes in MEASURES.items()
    }
    for far in RUN_WINDOWS:
        possible = [code in MEASURES["absent"] for ago, code in valid if ago <= far and code in MEASURES["possible"]]
        runs = [len(list(run)) for missed, run in groupby(possible) if missed]
        tallies |= {f"longest_run_{far}": max(runs, default=0), f"runs_{far}": len(runs)}
    excused = [ago for ago, code in valid if code == "X"]
    return tallies | {"last_not_possible_days": min(excused, default=None)}


@pytest.mark.parametrize("known_on", [None, date(2025, 1, 10)])
@settings(max_examples=25)
@given(drawn=MARKS, layout=LAYOUTS)
@example(drawn=MET, layout=ONE)
@example(drawn=MET, layout={**ONE, "row_group": 1, "files": 3})
@example(drawn=[], layout=ONE)
def test_marks_count_the_same_in_every_layout(tmp_path_factory, known_on, drawn, layout):
    rows = rows_of(drawn)
    folder = laid_out(tmp_path_factory.mktemp("h"), rows, layout)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("BATCH", "ROWS"):
            patch.setattr(reading, name, layout["batch"])
        patch.setattr(reading, "READS", layout["reads"])
        opened = Histories.open(folder)
        whole = tallied(opened, PUPILS, known_on)
        blocks = []
        for low, high in ((None, "B"), ("B", "D"), ("D", None)):
            with opened.between(low, high) as block:
                inside = [p for p in PUPILS if (low or "") <= p < (high or "E")]
                blocks += tallied(block, inside, known_on)
    assert blocks == whole
    for plain in (False, True):
        assert tallied(posted(rows, plain=plain), PUPILS, known_on) == whole
    for row, (pupil, day) in zip(whole, ((p, d) for p in PUPILS for d in DAYS), strict=True):
        anew = counted_anew(rows, pupil, day, known_on)
        assert {name: row[name] for name in anew} == anew


@pytest.mark.prove
def test_spark_counts_marks_that_meet_as_plain_lists_do(spark, tmp_path):
    pairs = [("\\", 0, "I", 0), ("I", 0, "P", 0), ("/", 0, "/", 0), ("/", 0, "N", 2)]
    met = [
        {"pupil_id": pupil, "date": FIRST, "session": "AM", "code": code, "late": late}
        for pupil, pair in zip(PUPILS, pairs, strict=True)
        for code, late in (pair[:2], pair[2:])
    ]
    alone = [{**m, "date": FIRST - timedelta(days=n), "late": n % 2} for n, m in enumerate(met, 1)]
    rows = rows_of(met + alone)
    opened = Histories.open(laid_out(tmp_path, rows, ONE), engine="spark")
    for known_on in (None, date(2025, 1, 10)):
        found = tallied(opened, PUPILS, known_on)
        assert sum(r["absent_14"] for r in found) > 1
        assert found == tallied(posted(rows, plain=True), PUPILS, known_on)


def test_a_table_in_another_order_is_copied_once_when_it_was_read_often(tmp_path, monkeypatch):
    drawn = [{"pupil_id": p, "date": FIRST, "session": "AM", "code": "/", "late": 0} for p in "DABC"]
    opened = Histories.open(laid_out(tmp_path, rows_of(drawn), {**ONE, "sorted": False, "row_group": 1}))
    scratch = opened.mark_files._copy
    monkeypatch.setattr(reading, "READS", 2)
    for read in range(1, 12):
        with opened.between("A", "B") as block:
            assert tallied(block, ["A"], None)[1]["possible_14"] == 1
        assert scratch.exists() == (read > 8)


def test_files_in_order_are_read_by_the_row_groups_of_a_block_only(tmp_path):
    drawn = [{"pupil_id": p, "date": FIRST, "session": "AM", "code": "/", "late": 0} for p in PUPILS]
    opened = Histories.open(laid_out(tmp_path, rows_of(drawn), {**ONE, "row_group": 1}))
    for _ in range(50):
        assert len(opened.mark_files.groups(("B", "C"), range(0, 10**6))) == 1
    assert opened.mark_files.groups((None, None), range(0, 10)) == []
    assert not opened.mark_files._copy.exists()


def test_a_place_outside_its_dictionary_is_refused_before_compiled_loops_follow_it(tmp_path):
    codes = ["/", "I", "N"] * 2 + ["/", "I"]
    drawn = [
        {"pupil_id": p, "date": FIRST + timedelta(days=n % 4), "session": "AM", "code": c, "late": 0}
        for n, (p, c) in enumerate(zip("AABBCCDD", codes, strict=True))
    ]
    (file,) = (laid_out(tmp_path, rows_of(drawn), {**ONE, "row_group": 1000}) / "attendance").iterdir()
    pq.write_table(pq.read_table(file), file, compression="none")
    places = [sum(at % 3 << 2 * at for at in range(8)), 3 << 14 | sum(at % 3 << 2 * at for at in range(7))]
    found, crafted = (n.to_bytes(2, "little") for n in places)
    content = file.read_bytes()
    assert content.count(found) == 1
    opened = Histories.open(tmp_path)
    assert tallied(opened, PUPILS, None)[-1]["absent_14"] > 0
    file.write_bytes(content.replace(found, crafted))
    with pytest.raises(Faults, match="cannot be read as Parquet"):
        tallied(opened, PUPILS, None)
