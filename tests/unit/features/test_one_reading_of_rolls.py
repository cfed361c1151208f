"""Labels and scores read rolls alike: what labels know until a day is what a score as of that day sees."""

from datetime import date, timedelta

import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from features.outcome.leavings import Leavings
from histories.calendar import day_number
from histories.reading.as_of import visible
from histories.reading.frames import collect
from tests.support.engines import open_on

FIRST = date(2025, 1, 1)
COLUMNS = ["pupil_id", "urn", "entry_date", "leaving_date", "destination", "leaving_ground"]


def day(number):
    return None if number is None else str(FIRST + timedelta(days=number))


DAYS = st.integers(0, 30)
ROWS = st.tuples(
    st.sampled_from("12"),
    DAYS,
    st.none() | DAYS,
    st.sampled_from([None, "abroad", "missing_education"]),
    st.none() | DAYS,
)


def opened(rows, engine="polars", folder=None):
    """Open versions of two spells: the urn, when it was recorded, when the child left and where to, and when that was recorded."""
    spells = [
        {
            "pupil_id": "A",
            "urn": urn,
            "entry_date": "2018-09-04",
            "recorded_on": day(recorded),
            "leaving_date": day(left),
            "destination": to,
            "leaving_recorded_on": day(told),
        }
        for urn, recorded, left, to, told in rows
    ]
    pupils = [{"pupil_id": "A", "date_of_birth": "2014-05-01"}]
    marks = [{"pupil_id": "A", "date": "2025-07-18", "session": "AM", "code": "/"}]
    return open_on(engine, {"pupils": pupils, "enrolments": spells, "attendance": marks}, folder)


def both(histories, until):
    """Return the spells as labels know them until a day, and as a score as of the day sees them."""
    keys = pa.table({"pupil_id": ["A"], "as_of": pa.array([day_number(until)], pa.int32())})
    seen = collect(visible(histories, "enrolments", histories.given(keys)).select(COLUMNS))
    return Leavings.read(histories, until).spells.select(COLUMNS).sort("urn"), seen.sort("urn")


@settings(max_examples=60, phases=[Phase.generate])
@given(st.lists(ROWS, min_size=1, max_size=5), st.integers(1, 40))
def test_labels_know_until_a_day_what_a_score_as_of_it_sees(rows, until):
    known, seen = both(opened(rows), FIRST + timedelta(days=until))
    assert known.equals(seen)


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
@pytest.mark.parametrize(("until", "left"), [(5, None), (11, 180), (42, 180), (43, 40), (120, 40)])
def test_of_two_ends_recorded_for_one_row_the_last_recorded_counts(engine, until, left, tmp_path):
    """First the child is to leave in the summer; on the 42nd day it is recorded to have left on the 40th."""
    rows = [("1", 2, 180, None, 10), ("1", 2, 40, "abroad", 42)]
    for found in both(opened(rows, engine, tmp_path), FIRST + timedelta(days=until)):
        (leaving,) = found["leaving_date"]
        assert leaving == (None if left is None else day_number(FIRST + timedelta(days=left)))
