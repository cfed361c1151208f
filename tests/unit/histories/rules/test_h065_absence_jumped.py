from histories.rules import h065_absence_jumped
from tests.support.broken_rules import findings, register, weekdays


def year(first, absent):
    days = weekdays(first, 100)
    return register(days[absent:]) + register(days[:absent], "I")


def test_a_jump_against_the_year_before(monkeypatch):
    monkeypatch.setattr(h065_absence_jumped, "MIN", 20)
    assert findings("H065", attendance=year("2023-09-11", 10) + year("2024-09-09", 20)) == {"attendance": 1}
    assert findings("H065", attendance=year("2023-09-11", 10) + year("2024-09-09", 12)) == {}
