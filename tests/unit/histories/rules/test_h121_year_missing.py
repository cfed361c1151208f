from tests.support.broken_rules import findings


def suspended(*years, many=25):
    return [{"pupil_id": f"P{n}", "start_date": f"{y}-10-07", "category": "SUSP"} for y in years for n in range(many)]


def test_a_year_between_others():
    assert findings("H121", suspensions=suspended(2021, 2023)) == {"suspensions": 1}
    assert findings("H121", suspensions=suspended(2021, 2022, 2023)) == {}
    assert findings("H121", suspensions=suspended(2021, 2023, many=5)) == {}
    assert findings("H121", suspensions=[]) == {}
