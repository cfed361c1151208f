from tests.support.broken_rules import findings


def test_ranks_that_were_taken_for_deciles():
    areas = """
        lsoa | idaci_decile
        E1   | 1
        E2   | 10
        E3   | 0
        E4   | 28113
    """
    assert findings("H113", areas=areas) == {"areas": 2}
