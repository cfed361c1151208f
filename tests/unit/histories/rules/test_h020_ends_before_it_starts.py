from tests.support.broken_rules import findings


def test_ends_before_starts():
    sen = """
        pupil_id | start_date | end_date   | provision
        A        | 2021-01-02 | 2021-01-01 | K
        A        | 2022-01-02 | 2022-01-02 | K
        A        | 2023-01-02 |            | K
    """
    termly = """
        pupil_id | term_start | term_end   | code | sessions
        A        | 2024-12-20 | 2024-09-02 | I    | 3
    """
    assert findings("H020", sen=sen, termly_attendance=termly) == {"sen": 1, "termly_attendance": 1}
