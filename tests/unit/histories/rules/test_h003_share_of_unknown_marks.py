from tests.support.broken_rules import findings, register, weekdays


def test_a_year_with_codes_of_a_suppliers_own():
    good, other = register(weekdays("2023-09-11", 100)), register(weekdays("2024-09-09", 10), "Present")
    assert findings("H003", attendance=good + other) == {"attendance": 1}
    assert findings("H003", attendance=good) == {}
