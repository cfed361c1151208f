from tests.support.broken_rules import findings


def test_two_homes_at_once():
    addresses = """
        pupil_id | start_date | end_date
        A        | 2020-01-01 |
        A        | 2021-01-01 |
        B        | 2020-01-01 | 2020-12-31
        B        | 2021-01-01 |
    """
    assert findings("H025", addresses=addresses) == {"addresses": 1}


def test_two_kinds_of_care_at_once_are_usual():
    social_care = """
        pupil_id | kind | start_date
        A        | cin  | 2020-01-01
        A        | cpp  | 2020-02-01
        B        | cin  | 2020-01-01
        B        | cin  | 2020-02-01
    """
    assert findings("H025", social_care=social_care) == {"social_care": 1}
