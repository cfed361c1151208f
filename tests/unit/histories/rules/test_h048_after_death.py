from tests.support.broken_rules import findings, register


def test_records_after_a_death():
    enrolments = """
        pupil_id | urn | entry_date | leaving_date | destination
        A        | 1   | 2020-09-01 | 2024-01-08   | deceased
        A        | 2   | 2024-09-01 |              |
        B        | 1   | 2020-09-01 | 2024-01-08   | abroad
        B        | 2   | 2024-09-01 |              |
    """
    attendance = register(["2024-01-08"]) + register(["2024-10-01"], pupil="B")
    assert findings("H048", enrolments=enrolments, attendance=attendance) == {"enrolments": 1}
    assert findings("H048", enrolments=enrolments, attendance=register(["2024-01-09"])) == {
        "enrolments": 1,
        "attendance": 1,
    }
