from tests.support.broken_rules import findings


def test_codes_that_are_in_no_set():
    sen = """
        pupil_id | start_date | provision | primary_need
        A        | 2021-01-01 | K         | ASD
        A        | 2022-01-01 | ?         | ASD
        A        | 2023-01-01 | E         | Autism
        A        | 2024-01-01 | E         |
    """
    assert findings("H001", sen=sen) == {"sen.provision": 1, "sen.primary_need": 1}


def test_a_code_of_every_coded_column_is_looked_at():
    from histories.rules.h001_unknown_code import RULE

    assert {"attendance.code", "enrolments.destination", "schools.phase", "pupils.sex"} <= set(RULE.places)
