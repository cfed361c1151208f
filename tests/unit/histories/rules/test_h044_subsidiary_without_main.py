from tests.support.broken_rules import findings


def test_a_second_registration_without_a_first():
    enrolments = """
        pupil_id | urn | entry_date | leaving_date | status
        A        | 1   | 2020-09-01 |              | M
        A        | 2   | 2022-09-01 |              | S
        B        | 1   | 2020-09-01 | 2021-07-20   | M
        B        | 2   | 2022-09-01 |              | S
        C        | 2   | 2022-09-01 |              | S
    """
    assert findings("H044", enrolments=enrolments) == {"enrolments": 2}
