"""A pupil, a school or an area that is twice in its table counts in the same way whatever the order of the rows, on every engine and to everybody who asks."""

from datetime import date
from itertools import permutations

import polars as pl
import pytest

from features.groups.grouping import grouped
from features.matrix import matrix
from features.outcome.cohort import snapshots_of
from features.outcome.known_until import KnownUntil
from histories.reading.histories import Histories
from histories.rules.days import births

DAY = date(2025, 3, 3)
TABLES = {
    "pupils": [{"pupil_id": "A", "date_of_birth": "2014-05-01", "authority": "801"}],
    "enrolments": [{"pupil_id": "A", "urn": "1", "entry_date": "2018-09-04"}],
    "addresses": [{"pupil_id": "A", "start_date": "2020-01-01", "lsoa": "E1"}],
    "areas": [{"lsoa": "E1", "idaci_decile": 4}],
    "schools": [{"urn": "1", "phase": "primary", "authority": "801"}],
}
# Of several rows the last by value counts, and one with a value before one without; 11 is no decile.
TWICE = {
    "pupils": ("authority", ["801", "802", None], {"cohort": "802", "known": {"802"}}),
    "schools": ("authority", ["803", "804", None], {"cohort": "804", "known": {"804"}}),
    "areas": ("idaci_decile", [2, 6, 11], {"decile": 6.0, "fifth": "3"}),
}


def opened(tables, how, folder):
    if how in ("plain", "rows"):
        return Histories.from_rows(tables, plain=how == "plain")
    folder.mkdir()
    for name, rows in tables.items():
        pl.DataFrame(rows).write_csv(folder / f"{name}.csv")
    return Histories.open(folder, engine=how)


def told(histories, how):
    """Return what those who look a child up are told."""
    (row,) = matrix(histories, [DAY]).to_pylist()
    found = {"cohort": snapshots_of(histories, [DAY])["authority"][0], "decile": row["idaci_decile"]}
    if how != "plain":  # the engine of requests, which ask for no more
        (group,) = grouped(histories, [DAY], names=["idaci_fifth"]).to_pylist()
        born = births(histories).collect(backend="polars")
        known = set(KnownUntil.read(histories).rolls) - {"*"}
        found |= {"fifth": group.get("idaci_fifth"), "known": known, "born": born.rows()}
    return found


@pytest.mark.parametrize("how", ["duckdb", "polars", "rows", "plain"])
@pytest.mark.parametrize("table", TWICE)
def test_the_order_of_the_rows_decides_nothing(tmp_path, table, how):
    column, values, expected = TWICE[table]
    (row,) = TABLES[table]
    without_schools = {name: rows for name, rows in TABLES.items() if name != "schools"}
    for n, order in enumerate(permutations(values)):
        tables = (without_schools if table == "pupils" else TABLES) | {table: [{**row, column: v} for v in order]}
        found = told(opened(tables, how, tmp_path / str(n)), how)
        assert {name: found.get(name) for name in expected if name in found} == {
            name: value for name, value in expected.items() if name in found
        }
        assert len(found.get("born", [0])) == 1
