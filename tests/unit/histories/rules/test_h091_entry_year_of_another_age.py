from tests.support.broken_rules import findings


def test_a_year_of_entry_that_does_not_fit():
    admissions = """
        pupil_id | entry_year | phase
        A        | 2017       | primary
        A        | 2024       | secondary
        A        | 2019       | secondary
        A        | 2024       | primary
        A        | 2019       | special
    """
    assert findings("H091", admissions=admissions) == {"admissions": 2}
