from tests.support.broken_rules import findings


def on_roll(size):
    born = [f"{2013 + year}-05-01" for year in range(3) for _ in range(size[year])]
    pupils = [{"pupil_id": f"P{n}", "date_of_birth": b} for n, b in enumerate(born)]
    return {
        "pupils": pupils,
        "enrolments": [{"pupil_id": p["pupil_id"], "urn": "1", "entry_date": "2022-09-01"} for p in pupils],
    }


def test_a_birth_year_that_stands_out():
    assert findings("H049", **on_roll((120, 60, 120))) == {"enrolments": 1}
    assert findings("H049", **on_roll((120, 170, 120))) == {"enrolments": 1}
    assert findings("H049", **on_roll((120, 100, 120))) == {}
    assert findings("H049", **on_roll((60, 20, 60))) == {}
