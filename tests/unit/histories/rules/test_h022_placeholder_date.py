from tests.support.broken_rules import findings


def test_placeholder_dates():
    enrolments = """
        pupil_id | urn | entry_date | leaving_date
        A        | 1   | 1900-01-01 |
        A        | 1   | 2020-09-01 | 9999-12-31
        A        | 1   | 2021-09-01 | 2022-07-20
    """
    assert findings("H022", enrolments=enrolments) == {"enrolments": 2}
