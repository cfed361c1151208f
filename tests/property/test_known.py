"""The day of knowledge on random histories: the as-of date itself changes nothing, and no later day shows the future."""

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from features.matrix import matrix
from histories.reading.histories import Histories
from histories.tables import HAPPENED, TABLES
from tests.support.random_histories import FIXED, HISTORIES

DAY = date(2025, 1, 13)


def own(row, columns, delay=0):
    """Return the first date of some columns; what is not the first of them may come with a delay."""
    found = next(((n, row[c]) for n, c in enumerate(columns) if row[c]), None)
    return found and (date.fromisoformat(found[1]) + timedelta(days=delay if found[0] else 0)).isoformat()


def without_future(table, row):
    """Take away what both happened and was recorded from the day on; None when nothing is left."""
    declared, day = TABLES[table], DAY.isoformat()
    recorded = own(row, declared.known_from, declared.known_delay)
    happened = (
        min((row[s.date] for s in declared.stages if row[s.date]), default=recorded)
        if declared.stages
        else row[HAPPENED[table]]
    )
    if recorded is not None and recorded >= day and happened >= day:
        return None
    if declared.end and row[declared.end] and row[declared.end] >= day:
        ended = max(recorded, own(row, declared.end_known_from))
        if ended >= day:
            return {**row, **dict.fromkeys({*declared.end_columns, *declared.end_known_from})}
    return row


@settings(max_examples=30)
@given(made=HISTORIES)
def test_the_as_of_date_as_day_of_knowledge_is_the_default(made):
    histories = Histories.from_rows({**FIXED, **made})
    assert matrix(histories, [DAY], known_on=DAY).equals(matrix(histories, [DAY]))


@settings(max_examples=30)
@given(made=HISTORIES, later=st.integers(0, 400))
def test_what_happened_from_the_as_of_date_on_is_never_seen(made, later):
    cut = {t: [r for row in found if (r := without_future(t, row))] for t, found in made.items()}
    known_on = DAY + timedelta(days=later)
    one, other = (matrix(Histories.from_rows({**FIXED, **m}), [DAY], known_on=known_on) for m in (made, cut))
    assert one.equals(other)
