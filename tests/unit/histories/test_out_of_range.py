"""Numbers out of range and pupils sent twice are told, with their place, in posted rows and in histories opened directly."""

import polars as pl
import pytest

from histories.reading.histories import Histories
from histories.tables import TABLES

SOUND = {
    "pupils": [{"pupil_id": "p0", "date_of_birth": "2012-01-01"}],
    "enrolments": [{"pupil_id": "p0", "urn": "100001", "entry_date": "2020-09-02"}],
}
LIMITED = [(name, c.name, c.limits) for name, table in TABLES.items() for c in table.columns.values() if c.limits]
VALUES = {"date": "2024-09-04", "integer": 5, "boolean": True}


def row_of(table, column, value):
    """Return a row with every required value."""
    row = {"pupil_id": "p0", "urn": "100001"}
    for c in TABLES[table].columns.values():
        if c.required:
            row.setdefault(
                c.name, {"code": "O", "category": "SUSP", "phase": "primary"}.get(c.name, VALUES.get(c.kind, "x"))
            )
    return {k: v for k, v in row.items() if k in TABLES[table].columns} | {column: value}


def warnings_of(how, tables, folder):
    if how == "posted":
        return Histories.from_rows(tables).warnings
    folder.mkdir()
    for name, rows in tables.items():
        frame = pl.DataFrame(rows)
        if how == "csv":
            frame.write_csv(folder / f"{name}.csv")
        else:
            frame.write_parquet(folder / f"{name}.parquet")
    return Histories.open(folder).warnings


@pytest.mark.parametrize("how", ["posted", "csv", "parquet"])
@pytest.mark.parametrize(("table", "column", "limits"), LIMITED, ids=[f"{t}.{c}" for t, c, _ in LIMITED])
def test_a_number_out_of_its_limits_is_told_by_place(tmp_path, how, table, column, limits):
    low, high = limits
    for value, told in ((low - 1, True), (low, False), (high, False), (high + 1, True)):
        tables = {**SOUND, table: [row_of(table, column, value)]}
        warnings = [w for w in warnings_of(how, tables, tmp_path / str(value)) if "out of range" in w]
        assert len(warnings) == told, value
        assert all(column in w and ": 1 row: " in w for w in warnings)


def test_a_pupil_sent_twice_is_told():
    twice = {**SOUND, "pupils": [*SOUND["pupils"], {"pupil_id": "p0", "date_of_birth": "2013-01-01"}]}
    assert Histories.from_rows(twice).warnings == [
        "tables.pupils[1].pupil_id: 1 row: the pupil is in an earlier row too"
    ]
    assert Histories.from_rows(SOUND).warnings == []


def test_every_count_and_rank_has_limits():
    integers = {f"{t}.{c.name}" for t, table in TABLES.items() for c in table.columns.values() if c.kind == "integer"}
    assert integers == {f"{t}.{c}" for t, c, _ in LIMITED}
