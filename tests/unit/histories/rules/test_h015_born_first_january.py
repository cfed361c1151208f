from datetime import date, timedelta

from tests.support.broken_rules import findings


def born(many, on_first):
    days = [date(2011, 1, 2) + timedelta(days=n % 360) for n in range(many - on_first)]
    firsts = [date(2012 + n % 3, 1, 1) for n in range(on_first)]
    return [{"pupil_id": f"P{n}", "date_of_birth": d.isoformat()} for n, d in enumerate(days + firsts)]


def test_too_many_birthdays_on_the_first_day_of_the_year():
    assert findings("H015", pupils=born(400, 5)) == {"pupils": 5}
    assert findings("H015", pupils=born(400, 3)) == {}
    assert findings("H015", pupils=born(200, 9)) == {}
