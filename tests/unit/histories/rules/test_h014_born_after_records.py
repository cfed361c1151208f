from tests.support.broken_rules import findings


def test_a_child_who_is_expected():
    pupils = """
        pupil_id | date_of_birth
        A        | 2013-05-01
        B        | 2018-05-01
    """
    assert findings("H014", pupils=pupils) == {"pupils": 1}
    assert findings("H014", pupils=pupils, enrolments=[]) == {"pupils": 2}
