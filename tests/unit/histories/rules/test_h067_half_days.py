from histories.rules import h067_half_days
from tests.support.broken_rules import findings, register, weekdays


def test_afternoons_that_are_missing(monkeypatch):
    monkeypatch.setattr(h067_half_days, "MIN", 20)
    morning = register(weekdays("2024-09-09", 60))
    few, all_ = (register(weekdays("2024-09-09", n), session="PM") for n in (40, 59))
    assert findings("H067", attendance=morning + few) == {"attendance": 1}
    assert findings("H067", attendance=morning + all_) == {}
