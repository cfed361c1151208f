from tests.support.broken_rules import findings


def test_a_pupil_without_a_spell():
    pupils = """
        pupil_id | date_of_birth
        A        | 2013-05-01
        B        | 2013-05-01
    """
    assert findings("H016", pupils=pupils) == {"pupils": 1}
