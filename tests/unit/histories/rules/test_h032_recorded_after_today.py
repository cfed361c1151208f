from datetime import timedelta

from histories.calendar import london_today
from tests.support.broken_rules import findings

LATER = (london_today() + timedelta(days=2)).isoformat()


def test_rows_recorded_in_the_future():
    rows = [{"pupil_id": "A", "start_date": "2021-01-01", "recorded_on": r} for r in (LATER, "2021-01-01", None)]
    assert findings("H032", fsm=rows) == {"fsm": 1}


def test_the_record_of_an_end_counts_too():
    row = {"pupil_id": "A", "urn": "1", "entry_date": "2020-09-01", "leaving_date": "2024-07-19"}
    assert findings("H032", enrolments=[{**row, "leaving_recorded_on": LATER}]) == {"enrolments": 1}
    assert findings("H032", enrolments=[{**row, "leaving_recorded_on": "2024-07-20"}]) == {}
