"""A few rows with a wrong year decide neither when records begin nor when they end."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import Definition, default_as_of, label
from histories.reading.days_apart import APART, MAX_DAYS, span_of
from histories.reading.histories import Histories
from tests.support.rolls_that_go_on import going_on
from training.rolls_end import warnings_of_ended_rolls

FIRST, LAST = date(2023, 9, 4), date(2025, 3, 28)
DAYS = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
PUPILS = [{"pupil_id": f"p{n}", "date_of_birth": "2014-05-01", "authority": "801"} for n in range(4)]
SPELLS = [{"pupil_id": p["pupil_id"], "urn": "1", "entry_date": "2018-09-04"} for p in PUPILS]


def opened(marks=(), **more):
    days = [*((p["pupil_id"], d) for p in PUPILS for d in DAYS), *(("p0", date.fromisoformat(d)) for d in marks)]
    attendance = [{"pupil_id": p, "date": str(d), "session": "AM", "code": "/"} for p, d in days]
    return Histories.from_rows({"pupils": PUPILS, "enrolments": SPELLS, "attendance": attendance, **more})


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"marks": ["2026-03-27"]},
        {"marks": ["2013-09-04"]},
        {"marks": ["2013-09-04", "2026-03-27"]},
        {"suspensions": [{"pupil_id": "p1", "start_date": "2026-03-03", "category": "SUSP"}]},
    ],
)
def test_one_wrong_year_makes_no_window_known_and_no_as_of_date(more):
    histories = opened(**more)
    assert histories.last_known() == LAST
    assert default_as_of(histories) == [date(2024, 1, 15), date(2024, 4, 15), date(2024, 9, 9), date(2025, 1, 13)]
    labels = pl.DataFrame(label(histories, [date(2025, 1, 13)], Definition.load()))
    assert set(labels["label"]) == {None}
    told = [w for w in warnings_of_ended_rolls(histories, Definition.load(), 120) if "two months from all others" in w]
    assert len(told) == sum(len(rows) for rows in more.values())


def test_records_that_go_on_after_a_break_or_thinly_count():
    later = [{"pupil_id": "p1", "start_date": f"2025-{m:02}-03", "category": "SUSP"} for m in (7, 8, 9, 10, 11)]
    assert opened(suspensions=later).last_known() == date(2025, 11, 3)
    rolls = going_on({"pupils": PUPILS, "enrolments": SPELLS}, "2024-12-20", "2025-06-30")
    assert Histories.from_rows(rolls).last_known() == date(2025, 6, 30)


RECORDS = st.dictionaries(st.integers(0, 60), st.integers(1, 400), min_size=8, max_size=60)


@settings(max_examples=60)
@given(RECORDS, st.integers(APART + 1, 4000), st.integers(1, MAX_DAYS), st.booleans())
def test_few_rows_far_away_move_no_end(records, away, days, late):
    """Of at least 1,000 rows for each of the few; as many on more days do."""
    first, last = min(records), max(records)
    far = [last + away + n if late else first - away - n for n in range(MAX_DAYS + 1)]
    found = span_of([*records.items(), *((day, 1) for day in far[:days])])
    enough = sum(records.values()) + days >= 1000 * days
    assert ((found.first, found.last) == (first, last)) == enough
    going = span_of([*records.items(), *((day, 1) for day in far)])
    assert (going.last if late else going.first) == far[-1]
