"""The day of knowledge on random histories: the as-of date itself changes nothing, and no later day reveals the future."""

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from features.matrix import matrix
from histories.reading.histories import Histories
from histories.tables import HAPPENED, TABLES
from tests.support.random_histories import FIXED, HISTORIES

DAY = date(2025, 1, 13)


def first_date(row, columns, delay=0):
    """Return the first date in some columns; a fallback after the first column gets a delay."""
    first = next(((n, row[c]) for n, c in enumerate(columns) if row[c]), None)
    return first and (date.fromisoformat(first[1]) + timedelta(days=delay if first[0] else 0)).isoformat()


def without_future(table, row):
    """Remove what both happened and was recorded on or after the day; None if nothing remains."""
    declared, day = TABLES[table], DAY.isoformat()
    recorded = first_date(row, declared.known_from, declared.known_delay)
    happened = (
        min((row[s.date] for s in declared.stages if row[s.date]), default=recorded)
        if declared.stages
        else row[HAPPENED[table]]
    )
    if recorded is not None and recorded >= day and happened >= day:
        return None
    if declared.end and row[declared.end] and row[declared.end] >= day:
        ended = max(recorded, first_date(row, declared.end_known_from))
        if ended >= day:
            return {**row, **dict.fromkeys({*declared.end_columns, *declared.end_known_from})}
    return row


@settings(max_examples=30)
@given(drawn=HISTORIES)
def test_the_as_of_date_as_day_of_knowledge_is_the_default(drawn):
    histories = Histories.from_rows({**FIXED, **drawn})
    assert matrix(histories, [DAY], known_on=DAY).equals(matrix(histories, [DAY]))


@settings(max_examples=30)
@given(drawn=HISTORIES, later=st.integers(0, 400))
def test_events_from_the_as_of_date_on_are_never_visible(drawn, later):
    cut = {t: [r for row in table_rows if (r := without_future(t, row))] for t, table_rows in drawn.items()}
    known_on = DAY + timedelta(days=later)
    one, other = (matrix(Histories.from_rows({**FIXED, **m}), [DAY], known_on=known_on) for m in (drawn, cut))
    assert one.equals(other)
