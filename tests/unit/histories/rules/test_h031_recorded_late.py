from tests.support.broken_rules import findings


def test_recorded_two_months_after():
    suspensions = """
        pupil_id | start_date | category | recorded_on
        A        | 2024-01-08 | SUSP     | 2024-03-08
        A        | 2024-02-08 | SUSP     | 2024-07-08
        A        | 2024-03-08 | SUSP     |
    """
    assert findings("H031", suspensions=suspensions) == {"suspensions": 1}
