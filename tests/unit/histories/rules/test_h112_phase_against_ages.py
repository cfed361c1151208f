from tests.support.broken_rules import findings


def test_a_primary_school_for_teenagers():
    schools = """
        urn | phase     | low_age | high_age
        1   | primary   | 11      | 16
        2   | secondary | 4       | 11
        3   | primary   | 4       | 11
        4   | secondary | 11      | 18
        5   | secondary |         |
        6   | special   | 11      | 16
    """
    assert findings("H112", schools=schools) == {"schools": 2}
