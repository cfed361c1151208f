from tests.support.broken_rules import findings


def test_fewer_than_none():
    termly = """
        pupil_id | term_start | term_end   | code | sessions
        A        | 2024-09-02 | 2024-12-20 | /    | 0
        A        | 2024-09-02 | 2024-12-20 | I    | -3
    """
    suspensions = """
        pupil_id | start_date | category | sessions
        A        | 2024-01-08 | SUSP     | -1
        A        | 2024-02-08 | SUSP     |
    """
    counts = findings("H071", termly_attendance=termly, suspensions=suspensions)
    assert counts == {"termly_attendance.sessions": 1, "suspensions.sessions": 1}
