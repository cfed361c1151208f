"""The default as-of dates: a table more, or an authority more, never takes a day away."""

from datetime import date, timedelta

import pytest

from features import default_as_of
from histories.reading.histories import Histories

TERMS = [(date(y, 9, 3), date(y, 12, 19)) for y in range(2022, 2026)]
CHILDREN = {
    "pupils": [{"pupil_id": p, "date_of_birth": "2014-05-01", "authority": a} for p, a in (("A", "801"), ("B", "301"))],
    "enrolments": [{"pupil_id": p, "urn": u, "entry_date": "2018-09-04"} for p, u in (("A", "1"), ("B", "2"))],
}
COUNTED = {
    "termly_attendance": [
        {
            "pupil_id": "A",
            "term_start": start,
            "term_end": end,
            "code": "O",
            "sessions": 9,
            "recorded_on": end + timedelta(40),
        }
        for start, end in TERMS
    ]
}


def marks(first, weeks=20):
    """Return daily marks of the other authority, from a Monday on."""
    days = [first + timedelta(7 * n) for n in range(weeks)]
    return {"attendance": [{"pupil_id": "B", "date": day, "session": "AM", "code": "/"} for day in days]}


def days_of(*tables):
    rows = {name: table for part in tables for name, table in part.items()}
    return default_as_of(Histories.from_rows({k: [_written(r) for r in v] for k, v in rows.items()}))


def _written(row):
    return {k: v.isoformat() if isinstance(v, date) else v for k, v in row.items()}


@pytest.mark.parametrize("first", [date(2025, 9, 8), date(2024, 1, 8), date(2022, 10, 3)])
def test_an_authority_that_begins_to_send_marks_takes_no_day_away(first):
    known = TERMS[0][1] + timedelta(40)
    before = [day for day in days_of(CHILDREN, COUNTED) if day >= known + timedelta(60)]
    both = days_of(CHILDREN, COUNTED, marks(first))
    assert before
    assert set(before) <= set(both)


def test_counts_of_a_term_before_their_return_begin_nothing():
    first = TERMS[-1][0] + timedelta(5)
    late = {"termly_attendance": [{**COUNTED["termly_attendance"][0], "recorded_on": first + timedelta(30)}]}
    assert days_of(CHILDREN, late, marks(first)) == days_of(CHILDREN, marks(first))
