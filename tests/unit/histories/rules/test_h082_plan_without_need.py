from tests.support.broken_rules import findings


def test_a_plan_without_a_need():
    sen = """
        pupil_id | start_date | provision | primary_need
        A        | 2020-01-01 | K         |
        A        | 2021-01-01 | E         |
        A        | 2022-01-01 | E         | SEMH
    """
    assert findings("H082", sen=sen) == {"sen": 1}
