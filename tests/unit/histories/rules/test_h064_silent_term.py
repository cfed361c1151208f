from tests.support.broken_rules import findings, register, weekdays


def test_a_term_between_others_without_marks():
    without_spring = weekdays("2023-09-11", 60) + weekdays("2024-05-06", 30)
    assert findings("H064", attendance=register(without_spring)) == {"attendance": 1}
    assert findings("H064", attendance=register(weekdays("2023-09-11", 250))) == {}
    assert findings("H064", attendance=[]) == {}
