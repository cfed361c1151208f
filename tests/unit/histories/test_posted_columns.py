"""A table may be sent as rows or as columns: the same checks, faults and frames."""

import pytest

from histories.errors import Faults
from histories.reading.frames import collect
from histories.reading.histories import Histories

ROWS = {
    "pupils": [{"pupil_id": "A", "date_of_birth": "2014-05-01"}, {"pupil_id": "B", "date_of_birth": "2013-05-01"}],
    "enrolments": [
        {"pupil_id": "A", "urn": "1", "entry_date": "2020-09-01", "leaving_date": "2024-03-01"},
        {"pupil_id": "B", "urn": "1 ", "entry_date": "2020-09-01", "nc_year": "r"},
    ],
}


def in_columns(tables):
    return {
        name: {column: [row.get(column) for row in rows] for column in sorted(set().union(*rows))}
        for name, rows in tables.items()
    }


def test_columns_are_read_like_rows():
    by_rows, by_columns = Histories.from_rows(ROWS), Histories.from_rows(in_columns(ROWS))
    for table in ROWS:
        assert collect(by_rows.frame(table)).equals(collect(by_columns.frame(table)))
    assert by_rows.warnings == by_columns.warnings


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"pupil_id": ["A"]}, "tables.pupils, column"),
        ({"pupil_id": "AB"}, "tables.pupils, column"),
        ({"date_of_birth": ["2014-05-01", "soon"]}, "tables.pupils[1].date_of_birth"),
        ({"sex": ["F", "F"], "SEX": ["M", "M"]}, "tables.pupils.sex"),
        ({"date_of_birth": None}, "tables.pupils"),
    ],
)
def test_a_faulty_column_is_located(change, place):
    tables = in_columns(ROWS)
    tables["pupils"] |= change
    if change.get("date_of_birth", "") is None:
        del tables["pupils"]["date_of_birth"]
    with pytest.raises(Faults) as refused:
        Histories.from_rows(tables)
    assert place in str(refused.value)


def test_an_empty_object_lacks_its_columns():
    with pytest.raises(Faults, match="a required column is missing"):
        Histories.from_rows({**in_columns(ROWS), "pupils": {}})


@pytest.mark.parametrize("undeclared", [[], {}, [{"a": 1}], {"a": [1]}, {"a": 1}, [1], None, 3, "text"])
def test_an_undeclared_table_is_ignored_whatever_it_holds(undeclared):
    sent = Histories.from_rows({"pupils": ROWS["pupils"], "mine": undeclared, "enrolments": ROWS["enrolments"]})
    assert sent.warnings == ["the table mine is not declared and is ignored"]
