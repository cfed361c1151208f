from tests.support.broken_rules import findings, register, weekdays


def suspended(day, many=120):
    return [{"pupil_id": f"P{n}", "start_date": day, "category": "SUSP"} for n in range(many)]


def test_a_table_that_stopped_coming():
    marks = register(weekdays("2024-09-09", 90))
    assert findings("H120", attendance=marks, suspensions=suspended("2024-01-08")) == {"suspensions": 1}
    assert findings("H120", attendance=marks, suspensions=suspended("2024-11-04")) == {}
    assert findings("H120", attendance=marks, suspensions=suspended("2024-01-08", 20)) == {}
    assert findings("H120", attendance=marks, suspensions=[]) == {}
