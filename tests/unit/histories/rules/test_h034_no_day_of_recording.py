from tests.support.broken_rules import findings


def spells(without, others):
    row = {"pupil_id": "A", "start_date": "2021-01-01"}
    return [row] * without + [{**row, "recorded_on": "2021-02-01"}] * others


def test_a_table_with_mostly_unknown_values():
    assert findings("H034", fsm=spells(80, 40)) == {"fsm": 80}
    assert findings("H034", fsm=spells(40, 80)) == {}
    assert findings("H034", fsm=spells(80, 0)) == {}


def test_marks_are_recorded_on_their_day():
    mark = {"pupil_id": "A", "date": "2024-10-01", "session": "AM", "code": "/"}
    assert findings("H034", attendance=[mark] * 200) == {}
