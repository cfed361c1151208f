from tests.support.broken_rules import findings


def test_a_school_of_this_authority_that_is_on_no_spell():
    schools = """
        urn | phase   | authority
        1   | primary | 801
        2   | primary | 801
        3   | primary | 802
        4   | primary |
    """
    assert findings("H111", schools=schools) == {"schools": 1}
