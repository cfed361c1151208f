from tests.support.broken_rules import findings


def school(left, on):
    row = {"urn": "1", "entry_date": "2020-09-01"}
    return [{**row, "pupil_id": f"P{n}", "leaving_date": on if n < left else None} for n in range(30)]


def test_many_leavers_on_one_day():
    assert findings("H050", enrolments=school(12, "2024-01-31")) == {"enrolments": 1}
    assert findings("H050", enrolments=school(8, "2024-01-31")) == {}


def test_the_end_of_a_school_year_is_usual():
    assert findings("H050", enrolments=school(12, "2024-07-19")) == {}
