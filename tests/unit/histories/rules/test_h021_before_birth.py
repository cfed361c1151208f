from tests.support.broken_rules import findings


def test_rows_before_birth():
    fsm = """
        pupil_id | start_date
        A        | 2013-04-30
        A        | 2013-05-01
        B        | 2000-01-01
    """
    social_care = """
        pupil_id | kind | start_date
        A        | cin  | 2013-02-01
    """
    assert findings("H021", fsm=fsm, social_care=social_care) == {"fsm": 1}
