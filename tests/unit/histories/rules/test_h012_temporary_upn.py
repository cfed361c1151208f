from tests.support.broken_rules import findings


def test_a_temporary_upn_that_stayed():
    pupils = """
        pupil_id | date_of_birth | upn
        A        | 2013-05-01    | B80120000500Z
        B        | 2013-05-01    | B80120000500Z
        C        | 2013-05-01    | B801200005001
    """
    enrolments = """
        pupil_id | urn | entry_date
        A        | 1   | 2022-09-01
        B        | 1   | 2024-09-01
        C        | 1   | 2022-09-01
    """
    assert findings("H012", pupils=pupils, enrolments=enrolments) == {"pupils": 1}
