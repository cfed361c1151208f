from tests.support.broken_rules import findings


def test_codes_before_and_after_their_time():
    attendance = """
        pupil_id | date       | session | code
        A        | 2024-06-03 | AM      | C2
        A        | 2024-10-01 | AM      | C2
        A        | 2024-06-03 | PM      | H
        A        | 2024-10-01 | PM      | H
        A        | 2024-10-02 | AM      | ?
    """
    assert findings("H002", attendance=attendance) == {"attendance": 2}
