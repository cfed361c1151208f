"""DuckDB, Polars, plain lists and Spark give the same bits for any histories."""

import pytest
from hypothesis import Phase, given, settings
from hypothesis import seed as reproduce_with
from hypothesis import strategies as st

from features.groups.grouping import grouped
from features.groups.groups import GROUPS
from features.matrix import matrix
from features.posted import open_rows
from histories.reading.histories import Histories
from tests.support.random_histories import DAYS, FIXED, HISTORIES, ROWS, write_tables

GROUPED = {g.table for g in GROUPS}


@settings(max_examples=8)
@given(drawn=HISTORIES)
def test_duckdb_polars_and_plain_lists_give_the_same_bits(tmp_path_factory, drawn):
    same_bits(tmp_path_factory, drawn)


@pytest.mark.prove
@settings(max_examples=60)
@reproduce_with(7)
@given(drawn=HISTORIES)
def test_duckdb_polars_and_plain_lists_give_the_same_bits_of_many_histories(tmp_path_factory, drawn):
    same_bits(tmp_path_factory, drawn)


def same_bits(tmp_path_factory, drawn):
    tables = {**FIXED, **drawn}
    folder = write_tables(tmp_path_factory.mktemp("h"), tables)
    posted = open_rows(tables)
    assert posted.engine == "plain"
    one = matrix(Histories.open(folder), DAYS)
    assert one.equals(matrix(Histories.open(folder, engine="polars"), DAYS))
    assert one.equals(matrix(posted, DAYS))


@settings(max_examples=6)
@given(drawn=st.fixed_dictionaries({t: s for t, s in ROWS.items() if t in GROUPED}))
def test_duckdb_and_polars_give_the_same_groups(tmp_path_factory, drawn):
    tables = {**FIXED, **drawn}
    folder = write_tables(tmp_path_factory.mktemp("h"), tables)
    assert grouped(Histories.open(folder), DAYS).equals(grouped(Histories.from_rows(tables), DAYS))


def apart(tables, n):
    """Make the keys of pupils, schools, homes and authority of one example unique."""
    keys = ("pupil_id", "urn", "household_id", "authority")
    return {
        t: [{c: f"{v}-{n}" if c in keys and v is not None else v for c, v in r.items()} for r in table_rows]
        for t, table_rows in tables.items()
        if t != "areas"
    }


# Any matrix takes Spark about twenty queries, so one matrix holds many independent examples.
@pytest.mark.prove
@pytest.mark.parametrize(
    ("absent", "seed"),
    [
        ((), 1),
        ((), 2),
        (("attendance",), 3),
        (("cme", "addresses", "admissions"), 4),
        (("sen", "termly_attendance"), 5),
    ],
)
def test_spark_gives_the_same_bits(spark, tmp_path, absent, seed):
    examples = []

    @reproduce_with(seed)
    @settings(max_examples=25, phases=[Phase.generate])
    @given(drawn=st.fixed_dictionaries({t: s for t, s in ROWS.items() if t not in absent}))
    def draw(drawn):
        examples.append(apart({**FIXED, **drawn}, len(examples)))

    draw()
    together = {t: [r for e in examples for r in e[t]] for t in examples[0]} | {"areas": FIXED["areas"]}
    folder = write_tables(tmp_path / "h", together)
    opened = Histories.open(folder), Histories.open(folder, engine="spark")
    one, other = (matrix(h, DAYS) for h in opened)
    assert one.num_rows > 5
    assert one.equals(other)
    assert grouped(opened[0], DAYS).equals(grouped(opened[1], DAYS))
