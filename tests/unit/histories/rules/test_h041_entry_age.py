from tests.support.broken_rules import findings


def test_entries_of_babies_and_adults():
    enrolments = """
        pupil_id | urn | entry_date
        A        | 1   | 2014-09-01
        A        | 1   | 2017-09-01
        A        | 1   | 2033-09-01
    """
    assert findings("H041", enrolments=enrolments) == {"enrolments": 2}
