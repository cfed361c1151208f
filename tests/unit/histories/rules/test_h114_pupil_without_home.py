from tests.support.broken_rules import findings


def test_a_pupil_whose_last_address_ended():
    enrolments = """
        pupil_id | urn | entry_date | leaving_date
        A        | 1   | 2020-09-01 |
        B        | 1   | 2020-09-01 |
        C        | 1   | 2020-09-01 |
        D        | 1   | 2019-09-03 | 2020-07-20
    """
    addresses = """
        pupil_id | start_date | end_date
        A        | 2019-01-01 | 2019-12-31
        A        | 2020-01-01 |
        B        | 2020-01-01 | 2020-06-01
    """
    assert findings("H114", enrolments=enrolments, addresses=addresses) == {"addresses": 2}
