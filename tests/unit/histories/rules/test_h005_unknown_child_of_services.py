from tests.support.broken_rules import findings


def test_children_whom_only_a_service_knows():
    social_care = """
        pupil_id | kind     | start_date
        A        | cin      | 2021-01-01
        B        | referral | 2021-01-01
    """
    assert findings("H005", social_care=social_care) == {"social_care": 1}
