from tests.support.broken_rules import findings


def test_an_infant_at_a_secondary_school():
    schools = """
        urn | phase     | low_age | high_age
        1   | primary   | 4       | 11
        2   | secondary | 11      | 16
        3   | special   |         |
    """
    enrolments = """
        pupil_id | urn | entry_date
        A        | 1   | 2017-09-04
        A        | 2   | 2017-09-05
        A        | 3   | 2017-09-06
        A        | 2   | 2024-07-01
        A        | 2   | 2024-09-03
        A        | 1   | 2025-09-03
    """
    assert findings("H046", schools=schools, enrolments=enrolments) == {"enrolments": 2}
