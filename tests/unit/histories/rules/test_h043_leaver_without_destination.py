from tests.support.broken_rules import findings


def leavers(without, with_destination, born="2013-05-01"):
    pupils = [{"pupil_id": f"P{n}", "date_of_birth": born} for n in range(without + with_destination)]
    row = {"urn": "1", "entry_date": "2020-09-01", "leaving_date": "2024-07-19"}
    return {
        "pupils": pupils,
        "enrolments": [
            {**row, "pupil_id": p["pupil_id"], "destination": None if n < without else "state_school"}
            for n, p in enumerate(pupils)
        ],
    }


def test_a_year_in_which_most_leavers_have_none():
    assert findings("H043", **leavers(15, 10)) == {"enrolments": 15}
    assert findings("H043", **leavers(10, 15)) == {}
    assert findings("H043", **leavers(15, 10, born="2007-05-01")) == {}


def test_a_child_who_joined_another_school_here_needs_no_destination():
    tables = leavers(15, 10)
    tables["enrolments"] += [
        {**r, "urn": "2", "entry_date": "2024-09-03", "leaving_date": None} for r in tables["enrolments"]
    ]
    assert findings("H043", **tables) == {}
