from histories.rules import h066_fewer_marks
from tests.support.broken_rules import findings, register, weekdays


def test_a_year_with_a_third_fewer_marks_between_others(monkeypatch):
    monkeypatch.setattr(h066_fewer_marks, "MIN", 20)
    first, second, last = (register(weekdays(d, 90)) for d in ("2022-09-12", "2023-09-11", "2025-09-08"))
    thin, whole = (register(weekdays("2024-09-09", n)) for n in (40, 90))
    assert findings("H066", attendance=first + second + thin + last) == {"attendance": 1}
    assert findings("H066", attendance=first + second + whole + last) == {}
