from tests.support.broken_rules import findings


def test_a_year_group_that_does_not_fit_the_birthday():
    pupils = """
        pupil_id | date_of_birth
        A        | 2013-08-31
        B        | 2013-09-01
    """
    enrolments = """
        pupil_id | urn | entry_date | nc_year
        A        | 1   | 2017-09-04 | R
        A        | 1   | 2018-09-04 | 2
        A        | 1   | 2019-09-04 | 4
        B        | 1   | 2018-09-04 | R
        B        | 1   | 2019-09-04 | X
        B        | 1   | 2020-09-04 | R
    """
    assert findings("H045", pupils=pupils, enrolments=enrolments) == {"enrolments": 2}


def test_a_census_gives_the_year_group_of_its_day():
    enrolments = """
        pupil_id | urn | entry_date | nc_year | recorded_on
        A        | 1   | 2017-09-04 | 6       | 2023-10-05
        A        | 2   | 2017-09-04 | 3       | 2023-10-05
    """
    assert findings("H045", enrolments=enrolments) == {"enrolments": 1}
