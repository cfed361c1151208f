"""Which leaving takes a child off all rolls, which counts as going missing, and which ends the window, by example."""

from datetime import date, timedelta

import pytest

from features import Definition, label
from features.specs.spec import rows
from histories.reading.histories import Histories
from serving.monitoring.outcomes import outcomes_of
from tests.support.engines import open_on
from tests.support.rolls_that_go_on import going_on

DAY = date(2024, 9, 9)
DEFAULT = "commissioner_or_unknown"
ROLLS = {
    "the main roll goes on beside one that ends": ["M | 1 | 2018-09-04 |  |", "S | 2 | 2024-02-01 | 2024-10-20 | {to}"],
    "the main roll, entered later, goes on": ["M | 1 | 2024-02-01 |  |", "S | 2 | 2018-09-04 | 2024-10-20 | {to}"],
    "the only roll ends": ["C | 1 | 2018-09-04 | 2024-10-20 | {to}"],
    "the main roll ends after one beside it": [
        "M | 1 | 2018-09-04 | 2024-10-20 | {to}",
        "S | 2 | 2024-09-16 | 2024-10-04 | state_school",
    ],
    "the older of two rolls ends last": [
        "C | 1 | 2018-09-04 | 2024-10-20 | {to}",
        "C | 2 | 2024-02-01 | 2024-10-04 | state_school",
    ],
    "the main roll ends, one beside it goes on": ["M | 1 | 2018-09-04 | 2024-10-20 | {to}", "S | 2 | 2024-02-01 |  |"],
    "both end on one day, and one says where to": [
        "M | 1 | 2018-09-04 | 2024-10-20 | {to}",
        "S | 2 | 2024-02-01 | 2024-10-20 | state_school",
    ],
    "back within twenty school days, then gone for good": [
        "C | 1 | 2018-09-04 | 2024-09-20 |",
        "C | 2 | 2024-10-07 | 2024-10-20 | {to}",
    ],
    "another school within twenty school days": ["C | 1 | 2018-09-04 | 2024-10-20 | {to}", "C | 2 | 2024-11-04 |  |"],
    "another school after more": ["C | 1 | 2018-09-04 | 2024-10-20 | {to}", "C | 2 | 2024-12-02 |  |"],
    "abroad, and back before": ["C | 1 | 2018-09-04 | 2024-09-13 | abroad", "C | 2 | 2024-09-30 | 2024-10-20 | {to}"],
    "abroad from a roll beside the main one": [
        "M | 1 | 2018-09-04 | 2024-10-20 | {to}",
        "S | 2 | 2024-02-01 | 2024-09-20 | abroad",
    ],
    "a move between state schools before": [
        "C | 1 | 2018-09-04 | 2024-09-13 | state_school",
        "C | 2 | 2024-09-16 | 2024-10-20 | {to}",
    ],
    "two rolls begun on one day, one of them long over": [
        "M | 1 | 2018-09-04 | 2024-10-20 | {to}",
        "S | 2 | 2018-09-04 | 2020-07-17 | state_school",
    ],
}
GONE = (1.0, "{to}")
NOT_GONE = (0.0, "stayed")
# By rolls: what holds where no destination is written, and where it is missing_education.
EXPECTED = {
    "the main roll goes on beside one that ends": (NOT_GONE, NOT_GONE),
    "the main roll, entered later, goes on": (NOT_GONE, NOT_GONE),
    "the only roll ends": (GONE, GONE),
    "the main roll ends after one beside it": (GONE, GONE),
    "the older of two rolls ends last": (GONE, GONE),
    "the main roll ends, one beside it goes on": (NOT_GONE, GONE),
    "both end on one day, and one says where to": (NOT_GONE, GONE),
    "back within twenty school days, then gone for good": (GONE, GONE),
    "another school within twenty school days": (NOT_GONE, GONE),
    "another school after more": (GONE, GONE),
    "abroad, and back before": ((0.0, "abroad"), (0.0, "abroad")),
    "abroad from a roll beside the main one": (GONE, GONE),
    "a move between state schools before": (GONE, GONE),
    "two rolls begun on one day, one of them long over": (GONE, GONE),
}
HEAD = "pupil_id | status | urn | entry_date | leaving_date | destination"


@pytest.fixture(params=["polars", "duckdb"])
def labelled(request, tmp_path):
    """Return a function from each child's rolls to its label and outcome, and what monitoring makes of it."""

    def of(rolls, definition=DEFAULT, day=DAY, born="2014-05-01"):
        lines = "\n".join(f"{child} | {line}" for child, of_child in rolls.items() for line in of_child)
        given = rows("enrolments", f"{HEAD}\n{lines}")
        spells = [{**r, "leaving_recorded_on": r["leaving_date"]} for r in given]
        pupils = [{"pupil_id": child, "date_of_birth": born, "authority": "801"} for child in rolls]
        marks = [{"pupil_id": next(iter(rolls)), "date": "2025-12-19", "session": "AM", "code": "/"}]
        tables = {"pupils": pupils, "enrolments": spells, "attendance": marks}
        tables = going_on(tables, "2025-06-30", "2025-12-19", cases=["2025-12-19"])
        histories, rule = open_on(request.param, tables, tmp_path), Definition.load(definition)
        found = label(histories, [day], rule).to_pylist()
        return {r["pupil_id"]: (r["label"], r["outcome"]) for r in found}, (histories, rule)

    return of


@pytest.mark.parametrize("to", ["", "unknown", "missing_education"])
def test_a_child_who_is_still_on_a_roll_has_not_left_and_a_known_exit_ends_the_window(labelled, to):
    found, _ = labelled({name: [s.format(to=to) for s in spells] for name, spells in ROLLS.items()})
    column = to == "missing_education"
    expected = {name: tuple(each[column]) for name, each in EXPECTED.items()}
    assert found == {name: (y, outcome.format(to=to or "unknown")) for name, (y, outcome) in expected.items()}


LEFT_ON = "C | 1 | 2018-09-04 | {left} | {to}"


@pytest.mark.parametrize(
    ("left", "to", "expected"),
    [
        ("2025-06-26", "", (1.0, "unknown")),
        ("2025-06-27", "", (0.0, "over_age")),  # the last Friday in June
        ("2025-07-18", "", (0.0, "over_age")),
        ("2025-07-18", "missing_education", (0.0, "over_age")),
        ("2025-07-18", "abroad", (0.0, "abroad")),
    ],
)
def test_by_section_436a_nobody_is_missing_beyond_compulsory_school_age(labelled, left, to, expected):
    found, _ = labelled({"A": [LEFT_ON.format(left=left, to=to)]}, "statutory", date(2025, 4, 28), born="2009-05-01")
    assert found["A"] == expected


@pytest.mark.parametrize(
    ("to", "definition", "fate"),
    [
        ("", "commissioner", "left_with_nowhere_known_to_go"),
        ("unknown", "commissioner", "left_with_nowhere_known_to_go"),
        ("missing_education", "cme_register", "left_with_nowhere_known_to_go"),
        ("missing_education", "commissioner", "went_missing"),
        ("abroad", "commissioner", "left_for_a_known_reason"),
        ("state_school", "commissioner", "stayed"),
    ],
)
def test_monitoring_calls_nobody_known_to_have_left_or_stayed_who_left_to_nowhere(labelled, to, definition, fate):
    found, (histories, rule) = labelled({"A": [LEFT_ON.format(left="2024-10-20", to=to)]}, definition)
    scores = _scores()
    assert outcomes_of(histories, scores, rule, 120).scored["fate"].to_list() == [fate]
    assert found["A"][0] == float(fate == "went_missing")


def test_what_a_leaving_says_does_not_wait_for_the_case_that_follows():
    pupils = [{"pupil_id": "A", "date_of_birth": "2014-05-01", "authority": "801"}]
    left = {"leaving_date": "2024-10-20", "leaving_recorded_on": "2024-10-20", "destination": "missing_education"}
    spells = [{"pupil_id": "A", "urn": "1", "entry_date": "2018-09-04", **left}]
    case = [{"pupil_id": "A", "missing_from": "2024-10-21", "reported_on": "2025-11-03"}]
    marks = [{"pupil_id": "A", "date": "2025-12-19", "session": "AM", "code": "/"}]
    tables = {"pupils": pupils, "enrolments": spells, "attendance": marks, "cme": case}
    histories = Histories.from_rows(going_on(tables, "2025-06-30", "2025-12-19", cases=["2025-12-19"]))
    found = label(histories, [DAY], Definition.load("statutory")).to_pylist()
    (known,) = [(r["label"], r["known_on"]) for r in found if r["pupil_id"] == "A"]
    assert known == (1.0, DAY + timedelta(days=120 + 60))


def _scores():
    import polars as pl

    row = {"pupil_id": "A", "as_of": DAY, "authority": "801", "model_version": "1"}
    return pl.DataFrame([row], schema_overrides={"as_of": pl.Date})
