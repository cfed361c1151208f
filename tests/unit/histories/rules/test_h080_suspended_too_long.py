from tests.support.broken_rules import findings


def test_more_than_forty_five_days_of_a_school_year():
    suspensions = """
        pupil_id | start_date | category | sessions
        A        | 2023-09-11 | SUSP     | 60
        A        | 2024-06-03 | SUSP     | 31
        B        | 2024-06-03 | SUSP     | 60
        B        | 2024-09-09 | SUSP     | 31
        C        | 2024-06-03 | PERM     | 99
        D        | 2024-06-03 | SUSP     |
    """
    assert findings("H080", suspensions=suspensions) == {"suspensions": 1}
