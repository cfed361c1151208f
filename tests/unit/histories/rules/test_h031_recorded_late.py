from tests.support.broken_rules import findings


def test_recorded_two_months_after():
    suspensions = """
        pupil_id | start_date | category | recorded_on
        A        | 2024-01-08 | SUSP     | 2024-03-08
        A        | 2024-02-08 | SUSP     | 2024-07-08
        A        | 2024-03-08 | SUSP     |
    """
    assert findings("H031", suspensions=suspensions) == {"suspensions": 1}


def test_a_census_is_not_late_for_rows_before_its_first_day():
    enrolments = """
        pupil_id | urn | entry_date | recorded_on
        A        | 1   | 2018-09-03 | 2023-10-05
        A        | 2   | 2023-10-10 | 2024-01-18
        A        | 3   | 2023-09-05 | 2024-01-18
    """
    assert findings("H031", enrolments=enrolments) == {"enrolments": 1}
