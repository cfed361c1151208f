from tests.support.broken_rules import findings


def test_steps_that_run_backwards():
    admissions = """
        pupil_id | entry_year | phase     | applied_on | offered_on | response_on
        A        | 2024       | secondary | 2023-10-01 | 2024-03-01 | 2024-03-10
        B        | 2024       | secondary | 2023-10-01 | 2023-03-01 | 2024-03-10
        C        | 2024       | secondary | 2023-10-01 | 2024-03-01 | 2024-02-10
        D        | 2024       | secondary | 2023-10-01 |            | 2023-02-10
        E        | 2024       | secondary |            |            |
    """
    assert findings("H090", admissions=admissions) == {"admissions": 3}
