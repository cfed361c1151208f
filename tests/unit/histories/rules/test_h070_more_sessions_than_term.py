from tests.support.broken_rules import findings


def test_sessions_that_do_not_fit_into_the_term():
    termly = """
        pupil_id | term_start | term_end   | code | sessions
        A        | 2024-09-02 | 2024-12-20 | /    | 90
        A        | 2024-09-02 | 2024-12-20 | I    | 80
        B        | 2024-09-02 | 2024-12-20 | /    | 90
        B        | 2024-09-02 | 2024-12-20 | I    | 60
    """
    assert findings("H070", termly_attendance=termly) == {"termly_attendance": 1}


def test_a_correction_does_not_add_up():
    termly = """
        pupil_id | term_start | term_end   | code | sessions | recorded_on
        A        | 2024-09-02 | 2024-12-20 | /    | 90       | 2025-01-16
        A        | 2024-09-02 | 2024-12-20 | /    | 92       | 2025-05-15
    """
    assert findings("H070", termly_attendance=termly) == {}
