from tests.support.broken_rules import findings

PUPILS = """
    pupil_id | date_of_birth
    A        | 2013-05-01
    B        | 2002-05-01
"""


def test_open_spells_of_the_grown_up():
    enrolments = """
        pupil_id | urn | entry_date | leaving_date
        A        | 1   | 2024-09-01 |
        B        | 1   | 2013-09-01 |
        B        | 2   | 2006-09-01 | 2013-07-20
    """
    assert findings("H024", pupils=PUPILS, enrolments=enrolments) == {"enrolments": 1}
