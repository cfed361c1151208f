from tests.support.broken_rules import findings


def test_an_answer_without_an_offer():
    admissions = """
        pupil_id | entry_year | phase     | offered_urn | offered_on | response
        A        | 2024       | secondary | 1           | 2024-03-01 | accepted
        B        | 2024       | secondary | 1           |            | accepted
        C        | 2024       | secondary |             |            | declined
        D        | 2024       | secondary |             |            |
    """
    assert findings("H092", admissions=admissions) == {"admissions": 1}
