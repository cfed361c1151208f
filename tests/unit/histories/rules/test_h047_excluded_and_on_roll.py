from tests.support.broken_rules import findings

ENROLMENTS = """
    pupil_id | urn | entry_date | leaving_date
    A        | 1   | 2020-09-01 |
    B        | 1   | 2020-09-01 | 2024-02-12
    C        | 1   | 2020-09-01 |
    D        | 2   | 2024-09-01 |
"""


def test_a_pupil_who_stayed():
    suspensions = """
        pupil_id | urn | start_date | category
        A        | 1   | 2024-01-08 | PERM
        B        | 1   | 2024-01-08 | PERM
        C        | 1   | 2024-01-08 | SUSP
    """
    assert findings("H047", enrolments=ENROLMENTS, suspensions=suspensions) == {"suspensions": 1}


def test_an_exclusion_that_may_still_be_reviewed():
    suspensions = """
        pupil_id | urn | start_date | category
        A        | 1   | 2024-07-08 | PERM
    """
    assert findings("H047", enrolments=ENROLMENTS, suspensions=suspensions) == {}
