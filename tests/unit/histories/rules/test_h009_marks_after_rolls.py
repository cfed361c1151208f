from tests.support.broken_rules import findings, register

NEW = register(["2025-09-03", "2025-09-04"], pupil="B")
KNOWN = register(["2025-09-03"])
UNKNOWN = register(["2016-09-05", "2025-09-03"], pupil="C")


def test_marks_of_children_who_joined_after_the_last_roll_are_no_error():
    marks = [*KNOWN, *NEW, *UNKNOWN]
    assert findings("H009", attendance=marks) == {"attendance": 2}
    assert findings("H004", attendance=marks) == {"attendance": 2}, "a child with older marks has a wrong key"


def test_when_no_key_of_the_register_is_a_pupil_the_keys_are_wrong():
    assert findings("H009", attendance=NEW) == {}
    assert findings("H004", attendance=NEW) == {"attendance": 2}
