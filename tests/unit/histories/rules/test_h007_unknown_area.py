from tests.support.broken_rules import findings


def test_homes_in_areas_without_a_row():
    addresses = """
        pupil_id | start_date | lsoa
        A        | 2020-01-01 | E01000001
        A        | 2021-01-01 | E01999999
        A        | 2022-01-01 |
    """
    areas = """
        lsoa      | idaci_decile
        E01000001 | 3
    """
    assert findings("H007", addresses=addresses, areas=areas) == {"addresses": 1}
