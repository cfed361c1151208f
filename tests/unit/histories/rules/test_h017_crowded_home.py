from tests.support.broken_rules import findings


def living(many, until=None):
    return [
        {"pupil_id": f"P{n}", "start_date": "2020-01-01", "end_date": until, "household_id": "H1"} for n in range(many)
    ]


def test_thirteen_pupils_in_one_home():
    assert findings("H017", addresses=living(13)) == {"addresses": 1}
    assert findings("H017", addresses=living(12)) == {}
    assert findings("H017", addresses=living(13, until="2021-01-01")) == {}
