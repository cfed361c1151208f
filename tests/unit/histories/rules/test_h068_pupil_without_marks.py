from tests.support.broken_rules import findings, register, weekdays

ATTENDANCE = register(weekdays("2024-01-08", 100))


def test_a_pupil_who_is_in_no_register():
    enrolments = """
        pupil_id | urn | entry_date | leaving_date | status
        A        | 1   | 2020-09-01 |              | C
        B        | 1   | 2020-09-01 |              | C
        C        | 1   | 2020-09-01 | 2024-01-31   | C
        D        | 2   | 2020-09-01 |              | S
    """
    assert findings("H068", enrolments=enrolments, attendance=ATTENDANCE) == {"attendance": 1}
    assert findings("H068", attendance=[]) == {}
