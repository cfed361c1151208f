from tests.support.broken_rules import findings


def test_schools_without_a_row():
    schools = """
        urn | phase
        1   | primary
    """
    suspensions = """
        pupil_id | urn | start_date | category
        A        | 1   | 2024-01-08 | SUSP
        A        | 2   | 2024-02-05 | SUSP
        A        |     | 2024-03-04 | SUSP
    """
    assert findings("H006", schools=schools, suspensions=suspensions) == {"suspensions.urn": 1}
    assert findings("H006", schools=schools.replace("1 ", "9 ")) == {"enrolments.urn": 1}
