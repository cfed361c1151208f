from datetime import timedelta

from histories.calendar import london_today
from tests.support.broken_rules import findings, register


def test_marks_of_tomorrow():
    days = [(london_today() + timedelta(days=n)).isoformat() for n in (-1, 0, 2)]
    assert findings("H023", attendance=register(days)) == {"attendance": 1}


def test_a_place_may_begin_next_september():
    enrolments = [{"pupil_id": "A", "urn": "1", "entry_date": (london_today() + timedelta(days=90)).isoformat()}]
    assert findings("H023", enrolments=enrolments) == {}
