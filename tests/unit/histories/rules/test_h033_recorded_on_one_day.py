from datetime import date, timedelta

from tests.support.broken_rules import findings


def spells(apart, recorded):
    days = [date(2018, 1, 1) + timedelta(days=apart * n) for n in range(250)]
    return [{"pupil_id": "A", "start_date": d.isoformat(), "recorded_on": recorded(d)} for d in days]


def test_years_that_came_in_one_load():
    assert findings("H033", fsm=spells(5, lambda d: "2022-01-10")) == {"fsm": 250}


def test_rows_recorded_on_arrival_or_over_little_time():
    assert findings("H033", fsm=spells(5, lambda d: d.isoformat())) == {}
    assert findings("H033", fsm=spells(1, lambda d: "2022-01-10")) == {}
    assert findings("H033", fsm=spells(5, lambda d: None)) == {}
