from tests.support.broken_rules import findings


def test_a_upn_of_two_pupils():
    pupils = """
        pupil_id | date_of_birth | upn
        A        | 2013-05-01    | B801200005001
        B        | 2014-05-01    | B801200005001
        C        | 2014-05-01    | Q801200005002
        D        | 2013-05-01    |
        E        | 2013-05-01    |
    """
    assert findings("H011", pupils=pupils) == {"pupils": 1}
