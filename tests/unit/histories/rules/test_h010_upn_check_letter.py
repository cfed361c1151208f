from tests.support.broken_rules import findings


def test_wrong_letters_and_wrong_forms():
    pupils = """
        pupil_id | date_of_birth | upn
        A        | 2013-05-01    | B801200005001
        B        | 2013-05-01    | A801200005001
        C        | 2013-05-01    | 801200005001
        D        | 2013-05-01    |
    """
    assert findings("H010", pupils=pupils) == {"pupils": 2}
