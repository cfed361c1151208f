from histories.rules import h069_year_without_absence
from tests.support.broken_rules import findings, register, weekdays


def test_a_kind_of_absence_that_never_occurs(monkeypatch):
    monkeypatch.setattr(h069_year_without_absence, "MIN", 20)
    present, ill, away = (
        register(weekdays(d, 30), c) for d, c in (("2024-09-09", "/"), ("2024-11-04", "I"), ("2025-01-06", "O"))
    )
    assert findings("H069", attendance=present + ill) == {"attendance": 1}
    assert findings("H069", attendance=present + away) == {"attendance": 1}
    assert findings("H069", attendance=present + ill + away) == {}
