from tests.support.broken_rules import findings


def test_codes_of_the_statistics_office():
    pupils = """
        pupil_id | date_of_birth | authority
        A        | 2013-05-01    | 801
        B        | 2013-05-01    | E06000023
        C        | 2013-05-01    |
    """
    schools = """
        urn | phase   | authority
        1   | primary | Bristol
    """
    assert findings("H115", pupils=pupils, schools=schools) == {"pupils.authority": 1, "schools.authority": 1}
