from tests.support.broken_rules import findings, register

ENROLMENTS = """
    pupil_id | urn | entry_date | leaving_date
    A        | 1   | 2020-09-01 | 2024-07-19
"""


def test_marks_before_and_after_every_spell():
    assert findings("H060", enrolments=ENROLMENTS, attendance=register(["2020-06-01"])) == {"attendance": 1}
    assert findings("H060", enrolments=ENROLMENTS, attendance=register(["2024-10-01"])) == {"attendance": 1}
    assert findings("H060", enrolments=ENROLMENTS, attendance=register(["2024-07-19"])) == {}
    assert findings("H060", attendance=register(["2024-10-01"])) == {}


def test_marks_of_a_child_on_no_roll():
    assert findings("H060", attendance=register(["2024-07-19"], pupil="B")) == {"attendance": 1}
