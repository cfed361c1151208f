from tests.support.broken_rules import findings


def suspended(**years):
    rows = [(y[1:], n) for y, many in years.items() for n in range(many)]
    return [{"pupil_id": f"P{n}", "start_date": f"{y}-10-07", "category": "SUSP"} for y, n in rows]


def test_a_year_unlike_the_one_before():
    assert findings("H122", suspensions=suspended(y2020=9, y2021=120, y2022=250, y2023=9)) == {"suspensions": 1}
    assert findings("H122", suspensions=suspended(y2020=9, y2021=120, y2022=50, y2023=9)) == {"suspensions": 1}
    assert findings("H122", suspensions=suspended(y2020=9, y2021=120, y2022=150, y2023=9)) == {}
    assert findings("H122", suspensions=suspended(y2020=9, y2021=20, y2022=80, y2023=9)) == {}
    assert findings("H122", suspensions=[]) == {}
