from tests.support.broken_rules import findings


def test_a_case_within_a_spell():
    enrolments = """
        pupil_id | urn | entry_date | leaving_date
        A        | 1   | 2020-09-01 |
        B        | 1   | 2020-09-01 | 2024-01-20
        C        | 1   | 2024-03-01 |
    """
    cme = """
        pupil_id | missing_from | reported_on
        A        | 2024-01-08   | 2024-02-01
        B        | 2024-01-08   | 2024-02-01
        C        | 2024-01-08   | 2024-02-01
    """
    assert findings("H103", enrolments=enrolments, cme=cme) == {"cme": 1}
