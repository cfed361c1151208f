"""Blocks of pupils are counted in memory, and only pupils with repeated rows are sorted: the rows are those of the opened histories."""

from datetime import date

import narwhals as nw
from hypothesis import given, settings

from features.counting.spells import homes, with_joinings
from histories.calendar import day_number
from histories.reading.as_of import come, visible_each_day, where_repeated
from histories.reading.frames import collect
from histories.reading.histories import Histories
from histories.reading.once import once
from histories.tables import TABLES
from tests.support.random_histories import DAYS, FIXED, HISTORIES

AS_OF = [day_number(d) for d in DAYS]
OF_PUPILS = [
    name for name, table in TABLES.items() if "pupil_id" in table.columns and name not in ("pupils", "attendance")
]
PREPARED = {"enrolments": with_joinings, "addresses": homes}
TWO_VERSIONS = [
    {"pupil_id": "A", "urn": "1", "entry_date": "2024-09-03", "status": "S", "recorded_on": "2024-09-03"},
    {"pupil_id": "A", "urn": "1", "entry_date": "2024-09-03", "status": "C", "recorded_on": "2024-10-01"},
    {"pupil_id": "B", "urn": "1", "entry_date": "2024-09-03", "status": "C", "recorded_on": "2024-09-03"},
]


def rows(histories, table, known_on=None):
    """Return what tallies of a table are counted from, in one order."""
    found = come(visible_each_day(histories, table, AS_OF, known_on), table)
    frame = collect(PREPARED[table](histories, found) if table in PREPARED else found)
    return frame.select(sorted(frame.columns)).sort(sorted(frame.columns))


@settings(max_examples=40)
@given(drawn=HISTORIES)
def test_rows_in_memory_are_those_of_the_opened_histories(drawn):
    opened = Histories.from_rows({**FIXED, **drawn})
    held = opened.in_memory()
    for table in OF_PUPILS:
        for known_on in (None, date(2025, 2, 1)):
            expected = rows(opened, table, known_on)
            assert rows(held, table, known_on).cast(dict(expected.schema)).equals(expected), table


def test_a_row_of_a_pupil_that_is_there_twice_counts_once_in_memory():
    twice = [*FIXED["pupils"], {"pupil_id": "A", "date_of_birth": "2015-01-01", "authority": "802"}]
    opened = Histories.from_rows({**FIXED, "pupils": twice, "enrolments": TWO_VERSIONS})
    held = opened.in_memory()
    assert collect(once(held, "pupils")).sort("pupil_id").equals(collect(once(opened, "pupils")).sort("pupil_id"))
    assert rows(held, "enrolments")["status"].sort().to_list() == ["C", "C", "C", "S"]


def test_only_rows_of_pupils_with_repeats_are_changed():
    held = Histories.from_rows({**FIXED, "enrolments": TWO_VERSIONS}).in_memory()
    seen = []

    def change(some):
        seen.append(collect(some)["pupil_id"].to_list())
        return some.with_columns(nw.lit("changed").alias("status"))

    def statuses(*columns):
        rows = where_repeated(held, "enrolments", columns, held.frame("enrolments"), change)
        return collect(rows).sort("pupil_id")["status"].to_list()

    # Of the same histories: who repeats some columns repeats no others, also when asked again.
    for _ in range(2):
        assert statuses("urn", "entry_date") == ["changed", "changed", "C"]
        assert statuses("status") == ["S", "C", "C"]
    assert seen == [["A", "A"]] * 2  # and nothing is changed where nobody repeats
