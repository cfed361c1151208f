"""A table in several files loses nothing in silence: other endings, headings, types and spellings of a time are read, refused or told."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from histories.calendar import day_number
from histories.errors import Faults
from histories.reading.frames import collect
from histories.reading.histories import Histories

PUPILS = pl.DataFrame({"pupil_id": ["0001", "0002"], "date_of_birth": [date(2012, 1, 1)] * 2})
SPELLS = pl.DataFrame({"pupil_id": ["0001", "0002"], "urn": ["1", "1"], "entry_date": [date(2018, 9, 4)] * 2})
DAYS = [date(2024, 7, 1), date(2025, 1, 7)]
MARKS = [
    pl.DataFrame({"pupil_id": ["0001"], "date": [day], "session": ["AM"], "code": ["O"], "recorded_on": [day]})
    for day in DAYS
]


def folder(tmp_path, **tables):
    home = tmp_path / "h"
    home.mkdir()
    for name, frame in {"pupils": PUPILS, "enrolments": SPELLS, **tables}.items():
        frame.write_parquet(home / f"{name}.parquet")
    return home


def split(tmp_path, *, first=MARKS[0], second=MARKS[1], name="b.parquet"):
    home = folder(tmp_path)
    (home / "attendance").mkdir()
    first.write_parquet(home / "attendance" / "a.parquet")
    if name.lower().endswith(".parquet"):
        second.write_parquet(home / "attendance" / name)
    else:
        second.write_csv(home / "attendance" / name)
    return home


def known(home, engine="duckdb"):
    opened = Histories.open(home, engine=engine)
    assert opened.warnings == []
    return sorted(collect(opened.frame("attendance").select("date", "known")).rows())


BOTH = [(day_number(day), day_number(day)) for day in DAYS]


def test_the_ending_of_a_file_may_be_in_capitals(tmp_path):
    assert known(split(tmp_path, name="b.PARQUET")) == BOTH


@pytest.mark.parametrize("name", ["b.csv", "b.CSV", "later/b.csv.gz"])
def test_csv_beside_parquet_is_refused_since_it_would_be_half_a_table(tmp_path, name):
    home = split(tmp_path)
    file = home / "attendance" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("x")
    with pytest.raises(Faults, match=name):
        Histories.open(home)


def test_other_files_of_a_folder_are_named(tmp_path):
    home = split(tmp_path)
    (home / "attendance" / "notes.txt").write_text("x")
    (home / "attendance" / "_SUCCESS").touch()
    assert Histories.open(home).warnings == ["attendance: 1 file not in Parquet, ignored: notes.txt"]


def test_a_folder_of_csv_says_what_to_do(tmp_path):
    home = folder(tmp_path)
    (home / "sen").mkdir()
    (home / "sen" / "a.csv").write_text("x")
    (warning,) = Histories.open(home).warnings
    assert warning.startswith("sen is a folder without Parquet files and is ignored: the table sen is missing")
    assert "one file, sen.csv" in warning


@pytest.mark.parametrize("written", ["Recorded_On", " recorded_on ", "\ufeffRecorded on", "recorded\u00a0on"])
@pytest.mark.parametrize("engine", ["duckdb", "polars", pytest.param("spark", marks=pytest.mark.prove)])
def test_headings_of_files_that_differ_in_case_and_blanks_are_one_column(tmp_path, written, engine):
    assert known(split(tmp_path, second=MARKS[1].rename({"recorded_on": written})), engine) == BOTH


def test_two_headings_of_one_column_in_one_of_the_files_are_refused(tmp_path):
    twice = MARKS[1].with_columns(pl.col("recorded_on").alias(" recorded_on "))
    with pytest.raises(Faults, match="exists twice"):
        Histories.open(split(tmp_path, second=twice))


TYPES = {
    "text": pl.col("date", "recorded_on").dt.to_string(),
    "a timestamp": pl.col("date", "recorded_on").cast(pl.Datetime("us")),
    "London": pl.col("date", "recorded_on").cast(pl.Datetime("us")).dt.replace_time_zone("Europe/London"),
    "UTC": pl.col("date", "recorded_on").cast(pl.Datetime("us", "UTC")) + pl.duration(hours=12),
}


@pytest.mark.parametrize("other", TYPES)
@pytest.mark.parametrize("one", ["a date", *TYPES])
def test_dates_of_files_may_differ_in_type(tmp_path, one, other):
    first = MARKS[0] if one == "a date" else MARKS[0].with_columns(TYPES[one])
    assert known(split(tmp_path, first=first, second=MARKS[1].with_columns(TYPES[other]))) == BOTH


MOMENT = datetime(2024, 6, 30, 23, 30, tzinfo=UTC)
LATE = day_number(date(2024, 7, 1))
ZONES = ["+00", "+00:00", "+0000", "Z", "z", " UTC", "UTC"]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("kind", ["csv", "parquet", "posted", pytest.param("spark", marks=pytest.mark.prove)])
def test_a_time_with_its_zone_is_a_day_in_london_however_it_is_written(tmp_path, zone, kind):
    assert MOMENT.astimezone(ZoneInfo("Europe/London")).day == 1
    text = f"2024-06-30 23:30:00{zone}"
    spells = SPELLS.with_columns(pl.lit(text).alias("entry_date"))
    if kind == "posted":
        born = PUPILS.with_columns(pl.col("date_of_birth").dt.to_string())
        opened = Histories.from_rows({"pupils": born.to_dicts(), "enrolments": spells.to_dicts()})
    else:
        home = folder(tmp_path, enrolments=spells)
        if kind == "csv":
            (home / "enrolments.parquet").unlink()
            spells.write_csv(home / "enrolments.csv")
        opened = Histories.open(home, engine="spark" if kind == "spark" else "duckdb")
    assert collect(opened.frame("enrolments"))["entry_date"].to_list() == [LATE, LATE]


@pytest.mark.parametrize("table", ["attendance", "sen", "cme", "fsm"])
def test_keys_that_lost_their_zeros_are_told_of_every_table(tmp_path, table):
    tables = {
        "attendance": MARKS[0],
        "sen": pl.DataFrame({"pupil_id": ["0001"], "start_date": DAYS[:1], "provision": ["K"]}),
        "cme": pl.DataFrame({"pupil_id": ["0001"], "missing_from": DAYS[:1], "reported_on": DAYS[:1]}),
        "fsm": pl.DataFrame({"pupil_id": ["0001"], "start_date": DAYS[:1]}),
    }
    lost = tables[table].with_columns(pl.col("pupil_id").cast(pl.Int64))
    both = pl.concat([tables[table], lost.with_columns(pl.col("pupil_id").cast(pl.String))])
    for n, (frame, count) in enumerate(((lost, "1 of 1"), (both, "1 of 2"))):
        (tmp_path / str(n)).mkdir()
        (warning,) = Histories.open(folder(tmp_path / str(n), **{table: frame})).warnings
        assert warning.startswith(f"{table}, column pupil_id: {count} rows have no match in pupils")
        assert "leading zeros" in warning


@pytest.mark.parametrize("many", [False, True])
def test_unmatched_rows_are_counted_in_large_tables_too(tmp_path, monkeypatch, many):
    if many:
        monkeypatch.setattr("histories.reading.files.FEW_ROWS", 0)
    marks = pl.concat([*MARKS, MARKS[0].with_columns(pl.lit(" x1 ").alias("pupil_id"))])
    schools = pl.DataFrame({"urn": ["2"], "phase": ["primary"]})
    warnings = Histories.open(folder(tmp_path, attendance=marks, schools=schools)).warnings
    assert "attendance, column pupil_id: 1 of 3 rows have no match in pupils" in warnings
    assert any(w.startswith("enrolments, column urn: 2 of 2 rows have no match in schools") for w in warnings)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_without_headings_is_refused_without_its_values(tmp_path, kind):
    home = folder(tmp_path)
    (home / "pupils.parquet").unlink()
    if kind == "csv":
        (home / "pupils.csv").write_text("K0001,2012-03-04,M,WBRI,801\nK0002,2012-03-05,F,WBRI,801\n")
    else:
        pl.DataFrame({"K0001": ["x"], "2012-03-04": ["y"]}).write_parquet(home / "pupils.parquet")
    with pytest.raises(Faults) as refused:
        Histories.open(home)
    said = str(refused.value)
    assert "column pupil_id" in said
    assert "column date_of_birth" in said
    assert f"the file has {5 if kind == 'csv' else 2} columns" in said
    for value in ("K0001", "2012-03-04", "WBRI", "801"):
        assert value not in said
