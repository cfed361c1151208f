from tests.support.broken_rules import findings


def test_episodes_that_nobody_closed():
    social_care = """
        pupil_id | kind       | start_date | end_date
        A        | missing    | 2023-01-09 |
        B        | missing    | 2023-01-09 | 2023-01-11
        C        | missing    | 2024-06-03 |
        D        | assessment | 2023-01-09 |
        E        | cla        | 2019-01-09 |
        F        | referral   | 2024-06-10 |
    """
    assert findings("H083", social_care=social_care) == {"social_care": 2}
