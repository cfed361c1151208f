from tests.support.broken_rules import findings


def test_two_marks_of_one_day_are_double_and_a_correction_is_not():
    attendance = """
        pupil_id | date       | session | code | recorded_on
        A        | 2024-10-01 | AM      | /    |
        A        | 2024-10-01 | AM      | I    |
        A        | 2024-10-02 | AM      | N    |
        A        | 2024-10-02 | AM      | I    | 2024-10-04
    """
    assert findings("H008", attendance=attendance) == {"attendance": 1}


def test_a_pupil_twice():
    pupils = """
        pupil_id | date_of_birth
        A        | 2013-05-01
        A        | 2013-05-01
    """
    assert findings("H008", pupils=pupils) == {"pupils": 1}
