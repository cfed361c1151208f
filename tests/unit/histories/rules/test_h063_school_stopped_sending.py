from tests.support.broken_rules import findings, register, weekdays

ENROLMENTS = """
    pupil_id | urn | entry_date
    A        | 1   | 2020-09-01
    B        | 2   | 2020-09-01
"""


def test_a_school_silent_for_three_weeks():
    sent = register(weekdays("2024-09-09", 60))
    short, long = (register(weekdays("2024-09-09", n), pupil="B") for n in (20, 55))
    assert findings("H063", enrolments=ENROLMENTS, attendance=sent + short) == {"attendance": 1}
    assert findings("H063", enrolments=ENROLMENTS, attendance=sent + long) == {}
