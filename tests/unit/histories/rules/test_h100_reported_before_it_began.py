from tests.support.broken_rules import findings


def test_a_report_before_the_first_day():
    cme = """
        pupil_id | missing_from | reported_on
        A        | 2024-01-08   | 2024-01-07
        B        | 2024-01-08   | 2024-01-08
    """
    assert findings("H100", cme=cme) == {"cme": 1}
