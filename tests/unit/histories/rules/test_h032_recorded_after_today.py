from tests.support.broken_rules import findings
from tests.support.days import from_today


def test_rows_recorded_in_the_future():
    days = (str(from_today(2)), "2021-01-01", None)
    rows = [{"pupil_id": "A", "start_date": "2021-01-01", "recorded_on": day} for day in days]
    assert findings("H032", fsm=rows) == {"fsm": 1}


def test_the_record_of_an_end_counts_too():
    row = {"pupil_id": "A", "urn": "1", "entry_date": "2020-09-01", "leaving_date": "2024-07-19"}
    assert findings("H032", enrolments=[{**row, "leaving_recorded_on": str(from_today(2))}]) == {"enrolments": 1}
    assert findings("H032", enrolments=[{**row, "leaving_recorded_on": "2024-07-20"}]) == {}
