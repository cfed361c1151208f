from tests.support.broken_rules import findings

ADDRESSES = """
    pupil_id | start_date | household_id
    A        | 2020-01-01 | H1
    B        | 2021-01-01 | H1
    C        | 2021-01-01 | H2
"""


def test_a_pupil_without_a_upn_beside_one_with_the_same_birthday():
    pupils = """
        pupil_id | date_of_birth | upn
        A        | 2013-05-01    | B801200005001
        B        | 2013-05-01    |
        C        | 2013-05-01    |
    """
    assert findings("H013", pupils=pupils, addresses=ADDRESSES) == {"pupils": 1}


def test_twins_have_two_upns():
    pupils = """
        pupil_id | date_of_birth | upn
        A        | 2013-05-01    | B801200005001
        B        | 2013-05-01    | Q801200005002
    """
    assert findings("H013", pupils=pupils, addresses=ADDRESSES) == {}
