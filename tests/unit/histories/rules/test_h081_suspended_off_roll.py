from tests.support.broken_rules import findings


def test_a_suspension_outside_every_spell_there():
    enrolments = """
        pupil_id | urn | entry_date | leaving_date
        A        | 1   | 2020-09-01 | 2024-01-31
        A        | 2   | 2024-02-01 |
    """
    suspensions = """
        pupil_id | urn | start_date | category
        A        | 1   | 2024-01-08 | SUSP
        A        | 1   | 2024-02-08 | SUSP
        A        | 2   | 2024-03-08 | SUSP
        A        | 3   | 2024-04-08 | SUSP
        A        |     | 2024-05-08 | SUSP
    """
    assert findings("H081", enrolments=enrolments, suspensions=suspensions) == {"suspensions": 2}
