from tests.support.broken_rules import findings


def test_recorded_too_soon():
    cme = """
        pupil_id | missing_from | reported_on
        A        | 2024-01-08   | 2024-01-01
    """
    fsm = """
        pupil_id | start_date | recorded_on
        A        | 2021-01-02 | 2021-01-01
        A        | 2022-01-02 | 2022-01-02
        A        | 2023-01-02 |
    """
    assert findings("H030", fsm=fsm, cme=cme) == {"fsm": 1}


def test_a_place_is_planned():
    enrolments = """
        pupil_id | urn | entry_date | recorded_on
        A        | 1   | 2024-09-03 | 2024-06-01
    """
    assert findings("H030", enrolments=enrolments) == {}
