from tests.support.broken_rules import findings, register, weekdays


def test_a_day_with_hardly_any_mark():
    usual = [m for n in range(60) for m in register(weekdays("2024-09-09", 12), pupil=f"P{n}")]
    assert findings("H062", attendance=usual) == {}
    assert findings("H062", attendance=[*usual, *register(["2024-08-20"], pupil="P7")]) == {"attendance": 1}
