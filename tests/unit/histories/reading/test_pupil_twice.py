"""A pupil who is twice in the table of pupils counts in the same way whatever the order of the rows, on every engine."""

from datetime import date

import polars as pl
import pytest

from features.outcome.cohort import snapshots_of
from histories.reading.histories import Histories

BORN = "2014-05-01"
SPELLS = [{"pupil_id": "A", "urn": "1", "entry_date": "2018-09-04"}]
HOMES = ["801", "802", None]


def authority(tables, how, folder):
    if how in ("plain", "rows"):
        opened = Histories.from_rows(tables, plain=how == "plain")
    else:
        folder.mkdir()
        for name, rows in tables.items():
            pl.DataFrame(rows).write_csv(folder / f"{name}.csv")
        opened = Histories.open(folder, engine=how)
    return list(snapshots_of(opened, [date(2025, 3, 3)])["authority"])


@pytest.mark.parametrize("how", ["duckdb", "polars", "rows", "plain"])
def test_the_order_of_the_rows_of_pupils_decides_nothing(tmp_path, how):
    found = set()
    for n, homes in enumerate((HOMES, HOMES[::-1], HOMES[1:] + HOMES[:1])):
        pupils = [{"pupil_id": "A", "date_of_birth": BORN, "authority": home} for home in homes]
        found.add(tuple(authority({"pupils": pupils, "enrolments": SPELLS}, how, tmp_path / str(n))))
    assert found == {("802",)}
