from tests.support.broken_rules import findings, register, weekdays

CME = """
    pupil_id | missing_from | reported_on | resolved_on
    A        | 2024-01-08   | 2024-01-15  |
    B        | 2024-01-08   | 2024-01-15  | 2024-02-01
"""


def test_a_child_who_is_back():
    back = [m for p in "AB" for m in register(weekdays("2024-02-05", 14), pupil=p)]
    assert findings("H102", cme=CME, attendance=back) == {"cme": 1}


def test_marks_before_the_report_and_absences_are_no_proof():
    before = register(weekdays("2024-01-01", 15)) + register(weekdays("2024-02-05", 30), "O")
    assert findings("H102", cme=CME, attendance=before) == {}
