"""What counts as going missing, by example."""

from datetime import date

import pytest

from features import Definition, label
from histories.errors import Faults
from histories.reading.histories import Histories

D = date(2024, 1, 15)
# Pupil B extends the histories far enough for A's window to be known.
PUPILS = [{"pupil_id": p, "date_of_birth": "2014-05-01"} for p in "AB"]
LATE = {
    "pupil_id": "B",
    "urn": "1",
    "entry_date": "2018-09-04",
    "leaving_date": "2025-06-01",
    "destination": "over_age",
}


def outcome(left=None, destination=None, recorded=None, definition="commissioner_or_unknown", again=None, **tables):
    spell = {
        "pupil_id": "A",
        "urn": "1",
        "entry_date": "2018-09-04",
        "leaving_date": left,
        "destination": destination,
        "leaving_recorded_on": recorded,
    }
    back = [{"pupil_id": "A", "urn": "2", "entry_date": again}] if again else []
    ends = [{"pupil_id": "B", "start_date": "2025-06-01", "category": "SUSP"}]
    histories = Histories.from_rows(
        {"pupils": PUPILS, "enrolments": [spell, LATE, *back], "suspensions": ends, **tables}
    )
    labels = label(histories, [D], Definition.load(definition), 120).to_pylist()
    return next((r["label"], r["outcome"]) for r in labels if r["pupil_id"] == "A")


@pytest.mark.parametrize(
    ("left", "destination", "recorded", "expected"),
    [
        (None, None, None, (0.0, "stayed")),
        ("2024-02-01", "missing_education", "2024-02-10", (1.0, "missing_education")),
        ("2024-01-15", "missing_education", "2024-02-10", (1.0, "missing_education")),
        ("2024-05-13", "missing_education", "2024-06-10", (1.0, "missing_education")),
        ("2024-05-14", "missing_education", "2024-06-10", (0.0, "stayed")),
        ("2024-02-01", "unknown", "2024-02-10", (1.0, "unknown")),
        ("2024-02-01", None, "2024-02-10", (1.0, "unknown")),
        ("2024-02-01", "abroad", "2024-02-10", (0.0, "abroad")),
        ("2024-02-01", "home_education", "2024-02-10", (0.0, "home_education")),
        ("2024-01-14", "missing_education", "2024-01-20", (None, "left_before")),
    ],
)
def test_the_label_follows_from_the_window(left, destination, recorded, expected):
    assert outcome(left, destination, recorded) == expected


def test_unknown_does_not_count_when_the_child_is_back_within_twenty_school_days():
    assert outcome("2024-02-01", "unknown", "2024-02-10", again="2024-02-20")[0] == 0.0
    assert outcome("2024-02-01", "unknown", "2024-02-10", again="2024-04-29")[0] == 1.0


def test_definitions_differ():
    assert outcome("2024-02-01", "home_education", "2024-02-10", "any_unplanned_exit")[0] == 1.0
    assert outcome("2024-02-01", "unknown", "2024-02-10", "commissioner")[0] == 0.0
    case = [{"pupil_id": "A", "missing_from": "2024-03-01", "reported_on": "2024-04-01"}]
    assert outcome(definition="cme_register", cme=case)[0] == 1.0


def test_a_window_that_is_not_fully_known_has_no_label():
    spell = {
        "pupil_id": "A",
        "urn": "1",
        "entry_date": "2018-09-04",
        "leaving_date": "2024-02-01",
        "destination": "missing_education",
    }
    histories = Histories.from_rows({"pupils": PUPILS[:1], "enrolments": [spell]})
    labels = label(histories, [D], Definition.load(), 120).to_pylist()
    assert [(r["label"], r["outcome"]) for r in labels] == [(None, "not_known")]


@pytest.mark.parametrize("name", Definition.shipped())
def test_every_shipped_definition_names_its_source(name):
    assert len(Definition.load(name).source) > 20


HEAD = "title = 'x'\ntext = 'x'\nsource = 'x'\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "title = 1",
        HEAD,
        HEAD + "cases = 1",
        HEAD + "destinations = ['moon']",
        HEAD + "cases = true\nnosuch = 1",
        HEAD + "cases = true\nmin_age = -1",
        "title = ",
        HEAD + "destinations = [1]",
    ],
)
def test_an_invalid_definition_is_refused(tmp_path, text):
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(Faults):
        Definition.load(str(tmp_path / "mine.toml"))


def test_all_faults_of_a_definition_are_reported_together(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("title = 'x'\ntext = 1\ndestinations = ['moon']\nmin_age = -1\nminage = 1\n")
    with pytest.raises(Faults) as faults:
        Definition.load(str(file))
    where = {f.where.removeprefix(f"{file}, ") for f in faults.value.faults}
    assert where == {"text", "source", "destinations", "min_age", "minage"}
    assert "Did you mean min_age?" in str(faults.value)
    assert "moon" not in str(faults.value)


def test_of_two_leavings_on_one_day_the_one_recorded_first_decides():
    """Of many children, since joins keep no order of rows that a test of one could rely on."""
    pupils = [f"A{n}" for n in range(60)]
    spell = {"entry_date": "2018-09-04", "leaving_date": "2024-02-01", "destination": "missing_education"}
    spells = [
        {**spell, "pupil_id": p, "urn": urn, "leaving_recorded_on": day}
        for n, p in enumerate(pupils)
        for urn, day in zip("12", ("2024-08-01", "2024-09-02")[:: -1 if n % 2 else 1], strict=True)
    ]
    tables = {
        "pupils": [*PUPILS, *({"pupil_id": p, "date_of_birth": "2014-05-01"} for p in pupils)],
        "enrolments": [*spells, LATE],
        "suspensions": [{"pupil_id": "B", "start_date": "2025-06-01", "category": "SUSP"}],
    }
    labels = label(Histories.from_rows(tables), [D], Definition.load("commissioner_or_unknown"), 120).to_pylist()
    decided = {r["pupil_id"]: r["known_on"] for r in labels if r["pupil_id"] in pupils}
    assert decided == dict.fromkeys(pupils, date(2024, 8, 1))
