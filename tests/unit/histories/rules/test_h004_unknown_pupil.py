from tests.support.broken_rules import findings


def test_rows_without_a_pupil():
    fsm = """
        pupil_id | start_date
        A        | 2021-01-01
        B        | 2021-01-01
    """
    cme = """
        pupil_id | missing_from | reported_on
        B        | 2024-01-01   | 2024-02-01
    """
    assert findings("H004", fsm=fsm, cme=cme) == {"fsm": 1}
