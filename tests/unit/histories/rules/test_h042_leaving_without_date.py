from tests.support.broken_rules import findings


def test_a_destination_without_a_leaving():
    enrolments = """
        pupil_id | urn | entry_date | leaving_date | destination    | leaving_ground
        A        | 1   | 2020-09-01 |              | home_education |
        B        | 1   | 2020-09-01 |              |                | 9(1)(f)
        C        | 1   | 2020-09-01 | 2024-01-08   | home_education | 9(1)(f)
        D        | 1   | 2020-09-01 |              |                |
    """
    assert findings("H042", enrolments=enrolments) == {"enrolments": 2}
