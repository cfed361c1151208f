from tests.support.broken_rules import findings


def test_a_second_main_school():
    enrolments = """
        pupil_id | urn | entry_date | leaving_date | status
        A        | 1   | 2020-09-01 |              | C
        A        | 2   | 2021-09-01 |              | C
        A        | 3   | 2022-09-01 |              | S
    """
    assert findings("H040", enrolments=enrolments) == {"enrolments": 1}


def test_a_corrected_leaving_is_no_overlap():
    enrolments = """
        pupil_id | urn | entry_date | leaving_date | status | recorded_on
        A        | 1   | 2020-09-01 |              | C      | 2020-09-01
        A        | 1   | 2020-09-01 | 2021-08-31   | C      | 2021-09-20
        A        | 2   | 2021-09-01 |              | C      | 2021-09-01
    """
    assert findings("H040", enrolments=enrolments) == {}
