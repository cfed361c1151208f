"""What is not fully known has no label: rolls that come as extracts, and authorities that never sent their register."""

from datetime import date, timedelta

import polars as pl
import pytest

from features import Definition, label
from features.outcome.known_until import NOTHING, KnownUntil
from histories.reading.histories import Histories
from training.rolls_end import warnings_of_ended_rolls

CENSUSES = ("2023-10-05", "2024-01-18", "2024-05-16", "2024-10-03", "2025-01-16", "2025-05-15")
LAST_MARK = "2026-07-17"
DEFAULT = Definition.load()
SCHOOLS = [{"urn": a + "1", "phase": "primary", "authority": a} for a in ("801", "802")]


def child(name, authority="801", **spell):
    return {"pupil_id": name, "date_of_birth": "2014-05-01", "authority": authority}, {
        "pupil_id": name,
        "urn": authority + "1",
        "entry_date": "2018-09-04",
        **spell,
    }


def opened(children, **more):
    pupils, spells = zip(*children, strict=True)
    marks = [
        {"pupil_id": pupils[0]["pupil_id"], "date": day, "session": "AM", "code": "/"}
        for day in ("2023-09-04", LAST_MARK)
    ]
    given = {p["pupil_id"]: p for p in pupils}
    return Histories.from_rows(
        {"pupils": list(given.values()), "enrolments": list(spells), "attendance": marks, "schools": SCHOOLS, **more}
    )


def labels(histories, day, definition=DEFAULT):
    return pl.DataFrame(label(histories, [date.fromisoformat(day)], definition))["label"].to_list()


def days_before(day, days):
    return str(date.fromisoformat(day) - timedelta(days=days))


@pytest.fixture(scope="module")
def by_census():
    """Return histories of which the rolls come with six censuses: at each some children are new, and some have left since the one before."""
    joined = [
        child(f"J{n}{census}", entry_date=days_before(census, 30 + n), recorded_on=census)
        for census in CENSUSES
        for n in range(6)
    ]
    left = [
        child(
            f"L{n}{census}",
            recorded_on="2018-09-04",
            leaving_date=days_before(census, 20 + n),
            leaving_recorded_on=census,
        )
        for census in CENSUSES
        for n in range(3)
    ]
    return opened([*joined, *left])


@pytest.mark.parametrize(
    ("day", "known"), [("2024-09-09", True), ("2025-01-13", False), ("2025-06-09", False), ("2025-11-10", False)]
)
def test_nobody_is_known_to_have_stayed_after_the_last_census(by_census, day, known):
    assert (0.0 in labels(by_census, day)) == known
    assert known or set(labels(by_census, day)) == {None}


@pytest.mark.parametrize("until", ["2024-10-20", "2025-04-07", "2025-07-21"])
def test_nothing_is_known_between_two_censuses(by_census, until):
    until = date.fromisoformat(until)
    newest = max(day for day in map(date.fromisoformat, CENSUSES) if day < until)
    assert KnownUntil.read(by_census, until).rolls["801"] == newest


def test_the_end_of_the_extracts_is_said(by_census):
    (warning,) = warnings_of_ended_rolls(by_census, DEFAULT, 120)
    assert warning.startswith("authority 801: the rolls go on until 2025-05-15 only, other records until 2026-07-17.")


CASE = {"missing_from": "2025-02-03", "reported_on": "2025-02-10"}
TWO = [child(f"{a}{n}", a) for a in ("801", "802") for n in range(3)]


@pytest.mark.parametrize(
    ("definition", "expected"),
    [("cme_register", [1.0, 0.0, 0.0, None, None, None]), ("statutory", [1.0, 0.0, 0.0, 0.0, 0.0, 0.0])],
)
@pytest.mark.parametrize("home", ["801", None])
def test_an_authority_that_never_sent_its_register_has_no_outcome_by_cases_alone(definition, expected, home):
    """Whether the home is known, or the school alone."""
    children = [({**p, "authority": p["authority"] if home else None}, s) for p, s in TWO]
    histories = opened(children, cme=[{"pupil_id": "8010", **CASE}])
    assert labels(histories, "2025-01-13", Definition.load(definition)) == expected


def test_a_child_who_moved_in_since_its_case_brings_no_register():
    pupil, spell = TWO[0]
    moved = {**spell, "urn": "8021", "entry_date": "2025-09-03", "recorded_on": "2025-09-03"}
    left = {**spell, "leaving_date": "2025-07-18", "leaving_recorded_on": "2025-07-18", "destination": "state_school"}
    now = {**pupil, "authority": "802"}
    histories = opened([(now, left), (now, moved), *TWO[1:]], cme=[{"pupil_id": "8010", **CASE}])
    days = KnownUntil.read(histories).days(Definition.load("cme_register"))
    assert (days["801"], days["802"]) == (date.fromisoformat(LAST_MARK), NOTHING)


def test_without_any_case_nothing_is_known_by_cases_alone_and_it_is_said():
    histories, rule = opened(TWO), Definition.load("cme_register")
    assert set(labels(histories, "2025-01-13", rule)) == {None}
    assert set(labels(histories, "2025-01-13", Definition.load("statutory"))) == {0.0}
    told = warnings_of_ended_rolls(histories, rule, 120)
    assert [t.split(",")[0] for t in told] == [f"authority {a}: cme_register counts cases only" for a in ("801", "802")]
