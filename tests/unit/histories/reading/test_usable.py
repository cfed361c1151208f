"""A value that counts as missing does so on every path: in CSV and Parquet, on each engine, in a request, and in marks read from row groups."""

from datetime import date

import narwhals as nw
import polars as pl
import pytest

from features import Definition, label
from features.attendance.register import mark_tallies
from histories.calendar import day_number
from histories.codes import code_set
from histories.errors import Faults
from histories.reading.frames import collect
from histories.reading.histories import Histories
from histories.reading.posted_rows import AUDITED
from histories.reading.values import last_day
from histories.tables import TABLES

SOUND = {"date": "2024-09-04", "integer": "5", "boolean": "true", "text": "x"}
EARLY = "1899-12-31"


def sound(table, n):
    """Return a row with every value."""
    values = {c.name: min(code_set(c.codes)) if c.codes else SOUND[c.kind] for c in TABLES[table].columns.values()}
    values |= {"entry_year": "2025", "pupil_id": f"P{n}", "urn": f"{100001 + n}", "lsoa": f"E{n}"}
    return {c: v for c, v in values.items() if c in TABLES[table].columns}


def oddities(table):
    """Return each column with values that count as missing, and whether a request is read that holds them."""
    for c in TABLES[table].columns.values():
        if c.codes:
            yield c, "QX7", c.codes in AUDITED
        elif c.limits:
            yield from ((c, str(c.limits[0] - 1), True), (c, str(c.limits[1] + 1), True))
        elif c.kind == "date":
            yield c, EARLY, True
            if c.name not in TABLES[table].recordings:
                yield c, f"{last_day().year + 1}-01-01", True


def around(table, rows):
    """Return the rows of a table with the children that they are of."""
    children = [{"pupil_id": f"P{n}", "date_of_birth": "2012-01-01"} for n in range(60)]
    return {"pupils": children, "enrolments": [sound("enrolments", 0)], table: rows}


def written(folder, tables, kind):
    folder.mkdir()
    for name, rows in tables.items():
        frame = pl.DataFrame(rows)
        frame.write_csv(folder / f"{name}.csv") if kind == "csv" else frame.write_parquet(folder / f"{name}.parquet")
    return folder


def read(histories, table):
    frame = histories.frame(table)
    rows = pl.DataFrame(frame.data) if histories.engine == "plain" else collect(frame)
    return sorted(map(str, rows.select(*TABLES[table].columns, "known").rows()))


def meant(table, rows, odd):
    """Return the rows as they count: without the odd values, or without the rows where these are required."""
    declared = TABLES[table]
    kept = [row | ({} if (c := odd.get(n)) is None or c.required else {c.name: None}) for n, row in enumerate(rows)]
    kept = [row for n, row in enumerate(kept) if n not in odd or not odd[n].required]
    if declared.always_known:
        return None
    return read(Histories.from_rows(around(table, kept)), table)


@pytest.mark.parametrize("table", TABLES)
def test_odd_values_count_as_missing_on_every_path(tmp_path, table):
    rows, odd, posted, told = [sound(table, 0)], {}, [sound(table, 0)], {}
    for c, value, in_request in oddities(table):
        odd[len(rows)] = c
        posted += [sound(table, len(rows)) | {c.name: value}] if in_request else []
        rows.append(sound(table, len(rows)) | {c.name: value})
        told[c.name] = told.get(c.name, 0) + 1
    expected = meant(table, [sound(table, n) for n in range(len(rows))], odd)
    for kind in ("csv", "parquet"):
        home = written(tmp_path / kind, around(table, rows), kind)
        opened = Histories.open(home)
        both = [read(opened, table), read(Histories.open(home, engine="polars"), table)]
        assert both[0] == both[1]
        if expected is not None:
            assert both[0] == expected
        else:  # reference data keep the row
            (at,) = {c.name for c in odd.values() if c.required} or {None}
            found = collect(opened.frame(table))
            assert len(found) == len(rows)
            assert at is None or found[at].null_count() == sum(c.name == at for c in odd.values())
        assert len(collect(opened.as_written().frame(table))) == len(rows)
        for name, count in told.items():
            said = [w for w in opened.warnings if f"column {name}: {count} row" in w and "ignored" in w]
            end = (
                "so the row is ignored"
                if TABLES[table].columns[name].required and expected is not None
                else "and is ignored"
            )
            assert len(said) == 1, (name, opened.warnings)
            assert f", {end}" in said[0]
    home = written(tmp_path / "posted", around(table, posted), "parquet")
    for plain in (False, True):
        assert read(Histories.from_rows(around(table, posted), plain=plain), table) == read(Histories.open(home), table)
    for n, c in odd.items():
        if c.codes and c.codes not in AUDITED:
            with pytest.raises(Faults, match="not a code of the set"):
                Histories.from_rows(around(table, [rows[n]]))


@pytest.mark.parametrize("kind", ["parquet", "csv"])
@pytest.mark.parametrize("column", ["session", "code"])
def test_a_mark_with_an_unknown_code_is_no_mark_in_row_groups_either(tmp_path, kind, column):
    mark = {"pupil_id": "P0", "date": "2025-01-08", "session": "AM", "code": "O"}
    odd = [{**mark, "date": f"2025-01-{day:02d}", column: "QX"} for day in (7, 9, 10)]
    counted = []
    for n, marks in enumerate(([mark], [mark, *odd])):
        home = written(tmp_path / str(n), around("attendance", marks), kind)
        if kind == "parquet":  # dates in their own type: decoded as they are
            typed = pl.read_parquet(home / "attendance.parquet").with_columns(pl.col("date").str.to_date())
            typed.write_parquet(home / "attendance.parquet")
        asked = pl.DataFrame({"pupil_id": ["P0"], "as_of": [day_number(date(2025, 1, 13))]})
        counted.append(mark_tallies(Histories.open(home), nw.from_native(asked, eager_only=True), None).rows())
    assert counted[0] == counted[1]


def test_a_destination_that_does_not_exist_is_an_unknown_one(tmp_path):
    spell = {"pupil_id": "P0", "urn": "1", "entry_date": "2018-09-04", "leaving_date": "2024-10-20"}
    marks = [
        {"pupil_id": f"P{n}", "date": day, "session": "AM", "code": "/"}
        for n in range(1, 60)
        for day in ("2024-09-09", "2024-12-18", "2025-03-03", "2025-07-18")
    ]
    labels = []
    for n, destination in enumerate((None, "not known yet")):
        tables = around(
            "enrolments",
            [
                {**spell, "destination": destination},
                {**spell, "pupil_id": "P1", "leaving_date": None, "destination": None},
            ],
        )
        home = written(tmp_path / str(n), {**tables, "attendance": marks}, "parquet")
        definition = Definition.load("commissioner_or_unknown")
        labels.append(pl.DataFrame(label(Histories.open(home), [date(2024, 9, 9)], definition)).sort("pupil_id").rows())
    assert labels[0] == labels[1]
    assert "unknown" in str(labels[0])


@pytest.mark.prove
@pytest.mark.parametrize("table", ["enrolments", "attendance", "schools", "termly_attendance"])
def test_spark_reads_odd_values_as_duckdb_does(spark, tmp_path, table):
    rows = [sound(table, 0), *(sound(table, n) | {c.name: odd} for n, (c, odd, _) in enumerate(oddities(table), 1))]
    home = written(tmp_path / "h", around(table, rows), "parquet")
    expected = read(Histories.open(home), table)
    assert expected != read(Histories.open(home).as_written(), table)
    for place in (home, f"file://{home}"):
        assert read(Histories.open(place, engine="spark"), table) == expected
