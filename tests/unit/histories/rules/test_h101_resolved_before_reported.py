from tests.support.broken_rules import findings


def test_a_case_that_was_never_open():
    cme = """
        pupil_id | missing_from | reported_on | resolved_on
        A        | 2024-01-08   | 2024-02-01  | 2024-01-31
        B        | 2024-01-08   | 2024-02-01  | 2024-02-01
        C        | 2024-01-08   | 2024-02-01  |
    """
    assert findings("H101", cme=cme) == {"cme": 1}
