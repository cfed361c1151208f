from tests.support.broken_rules import findings


def test_ages_the_wrong_way_round():
    schools = """
        urn | phase   | low_age | high_age
        1   | primary | 11      | 4
        2   | primary | 4       | 11
        3   | primary | 4       |
    """
    assert findings("H110", schools=schools) == {"schools": 1}
