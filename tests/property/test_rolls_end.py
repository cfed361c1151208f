"""Where the record of who left ends, nobody is known to have stayed: cutting the rolls never turns what is unknown into "stayed"."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from features import Definition, label
from features.outcome.known_until import ALL, KnownUntil, newest_known
from histories.reading.histories import Histories
from tests.support.rolls_that_go_on import going_on
from training.labeller import Labeller
from training.rolls_end import warnings_of_ended_rolls
from training.task import Task

FIRST, END = date(2023, 9, 4), date(2025, 7, 18)
WEEKS = [FIRST + timedelta(weeks=n) for n in range(98)]  # on a day of each a roll changes
AS_OF = tuple(date(*day) for day in ((2023, 11, 13), (2024, 4, 15), (2024, 9, 9), (2025, 1, 13)))
SCHOOLS = {"1": "801", "2": "801", "3": "802"}
CHILDREN = 36
TASK = Task(as_of=AS_OF)
ENOUGH = 7 * 31  # days from the first on, until a school has so many records that a silence says something
TOLD = 600  # days from the first on: a school that stops later is not told by the end
DELAY = timedelta(days=TASK.horizon + TASK.definition.known_after_days)
KEYS = ["pupil_id", "as_of"]


def world(leavers):
    """Return rows of three schools; some children leave, by number: when, where to, and after how many days that is recorded."""
    pupils, spells = [], []
    for n in range(CHILDREN):
        urn = "123"[n % 3]
        pupils.append({"pupil_id": f"p{n:02}", "date_of_birth": "2014-05-01", "authority": SCHOOLS[urn]})
        spell = {"pupil_id": f"p{n:02}", "urn": urn, "entry_date": "2020-09-02", "recorded_on": "2020-09-02"}
        if n in leavers:
            left, destination, late = leavers[n]
            day = FIRST + timedelta(days=left)
            known = str(day + timedelta(days=late))
            spell |= {"leaving_date": str(day), "destination": destination, "leaving_recorded_on": known}
        spells.append(spell)
    marks = [{"pupil_id": "p00", "date": str(d), "session": "AM", "code": "/"} for d in (FIRST, END)]
    tables = {"pupils": pupils, "enrolments": spells, "attendance": marks}
    tables["schools"] = [{"urn": u, "phase": "primary", "authority": a} for u, a in SCHOOLS.items()]
    for urn, authority in SCHOOLS.items():
        tables = going_on(tables, *WEEKS, urn=urn, authority=authority)
    return tables


def cut(tables, day, urns):
    """Return the rows without what schools recorded on their rolls from a day on; all else goes on."""
    spells = []
    for row in tables["enrolments"]:
        row = dict(row)
        if row["urn"] in urns and row["recorded_on"] >= str(day):
            continue
        if row["urn"] in urns and row.get("leaving_recorded_on", "") >= str(day):
            row = {k: v for k, v in row.items() if not k.startswith("leaving") and k != "destination"}
        spells.append(row)
    return {**tables, "enrolments": spells}


def labels(tables, **how):
    frame = pl.DataFrame(label(Histories.from_rows(tables), list(AS_OF), TASK.definition, TASK.horizon, **how))
    return frame.select(*KEYS, "label", "outcome")


LEAVERS = st.dictionaries(
    st.integers(0, CHILDREN - 1),
    st.tuples(st.integers(0, 680), st.sampled_from(["missing_education", None, "abroad"]), st.integers(0, 55)),
    max_size=12,
)
GOING = {"an authority": ["3"], "an authority of two schools": ["1", "2"], "all": ["1", "2", "3"], "a school": ["1"]}


@settings(max_examples=40, phases=[Phase.generate])
@given(LEAVERS, st.integers(75, 670), st.sampled_from(sorted(GOING)))
def test_cutting_the_rolls_never_turns_unknown_into_stayed(leavers, days, who):
    """What is known of the schools that were cut is what was known on that day; the others stay as they were."""
    days = min(max(days, ENOUGH), TOLD) if who == "a school" else days
    tables, day, urns = world(leavers), FIRST + timedelta(days=days), GOING[who]
    whole, then, now = labels(tables), labels(tables, until=day), labels(cut(tables, day, urns))
    here = pl.col("pupil_id").str.slice(1).cast(pl.Int64) % 3
    ours = here.is_in([int(u) - 1 for u in urns])
    assert now.filter(~ours).equals(whole.filter(~ours))
    told = now.filter(ours & pl.col("label").is_not_null())
    assert told.equals(then.join(told.select(KEYS), on=KEYS, how="semi", maintain_order="left"))
    assert all(as_of + DELAY < day for as_of in told["as_of"])


@pytest.mark.parametrize("who", sorted(GOING))
def test_training_learns_nothing_of_windows_beyond_the_rolls(who):
    """The labeller and the task, which training and evaluation use, ask the same."""
    day, urns = date(2024, 7, 1), GOING[who]
    opened = Histories.from_rows(cut(world({}), day, urns))
    learned = Labeller(opened, TASK).labels(TASK)
    assert learned.select(KEYS).sort(KEYS).equals(TASK.labels(opened).select(KEYS).sort(KEYS))
    newest = dict(learned.group_by("urn").agg(pl.max("as_of")).iter_rows())
    assert newest == {u: AS_OF[0] if u in urns else AS_OF[3] for u in SCHOOLS}


@pytest.mark.parametrize(("moved", "known"), [(None, True), ("1", True), ("2", False)])
def test_of_a_child_who_moved_the_last_school_must_go_on(moved, known):
    """School 2 stops in July 2024. A child of school 1 had moved there, or came from there before it stopped."""
    tables = world({})
    spell = tables["enrolments"][0]
    if moved:
        tables["enrolments"][0] = spell = {**spell, "urn": "1" if moved == "2" else "2"}
        spell |= {"leaving_date": "2024-04-26", "destination": "state_school", "leaving_recorded_on": "2024-04-26"}
        tables["enrolments"].append(
            {"pupil_id": "p00", "urn": moved, "entry_date": "2024-04-29", "recorded_on": "2024-04-29"}
        )
    found = labels(cut(tables, date(2024, 7, 1), ["2"])).filter(
        pl.col("pupil_id") == "p00", pl.col("as_of") == AS_OF[1]
    )
    assert (found["label"].item() is not None) == known


def test_a_school_that_closed_has_nothing_to_record():
    tables = world({})
    closed = [
        {**row, "leaving_date": "2024-04-26", "destination": "state_school", "leaving_recorded_on": "2024-04-26"}
        if row["urn"] == "2"
        else row
        for row in cut(tables, date(2024, 4, 26), ["2"])["enrolments"]
    ]
    moved = [
        {"pupil_id": r["pupil_id"], "urn": "1", "entry_date": "2024-04-29", "recorded_on": "2024-04-29"}
        for r in closed
        if r["urn"] == "2" and r["pupil_id"].startswith("p")
    ]
    tables["enrolments"] = [*closed, *moved]
    opened = Histories.from_rows(tables)
    assert KnownUntil.read(opened).schools == {}
    assert set(labels(tables).filter(pl.col("as_of") <= AS_OF[1])["label"]) == {0.0}


def test_what_is_known_as_of_a_day_does_not_follow_from_what_was_recorded_since():
    """The rolls of 802 were silent for half a year, and went on: until then nobody could know that they would."""
    tables = world({})
    gap = [r for r in tables["enrolments"] if r["urn"] != "3" or not "2024-01-01" < r["recorded_on"] < "2024-07-01"]
    tables["enrolments"] = gap
    opened, until = Histories.from_rows(tables), date(2024, 6, 24)
    ended = {t: [r for r in rows if r.get("recorded_on", "") < str(until)] for t, rows in tables.items()}
    for name in ("pupils", "attendance", "schools"):
        ended[name] = [r for r in tables[name] if r.get("date", "") < str(until)]
    ended["attendance"].append({"pupil_id": "p00", "date": "2024-06-23", "session": "AM", "code": "/"})
    read, alone = KnownUntil.read(opened, until), KnownUntil.read(Histories.from_rows(ended))
    assert (read.rolls, read.schools) == (alone.rolls, alone.schools)
    assert read.rolls["802"] == date(2024, 1, 1)
    assert KnownUntil.read(opened).rolls["802"] == END


def test_where_cases_are_the_outcome_they_must_go_on_too():
    weekly = [day for day in WEEKS if day <= date(2024, 9, 2)]
    tables = going_on(world({}), urn="1", cases=weekly)
    opened = Histories.from_rows(tables)
    of_cases = newest_known(opened, Definition.load("cme_register"), 120)
    assert of_cases.of("801") < newest_known(opened, TASK.definition, 120).of("801")
    assert of_cases.of("802") < FIRST  # it never sent its register


def test_few_records_that_are_silent_for_long_have_not_stopped():
    """A roll of one school on which nobody comes or goes for years, and one case, are no sign that nobody looks."""
    pupils = [{"pupil_id": f"p{n}", "date_of_birth": "2014-05-01", "authority": "801"} for n in range(3)]
    spells = [{"pupil_id": p["pupil_id"], "urn": "1", "entry_date": "2018-09-04"} for p in pupils]
    marks = [{"pupil_id": "p0", "date": str(d), "session": "AM", "code": "/"} for d in (FIRST, END)]
    cases = [{"pupil_id": "p2", "missing_from": "2023-10-02", "reported_on": "2023-10-03", "resolved_on": "2023-11-01"}]
    tables = {"pupils": pupils, "enrolments": spells, "attendance": marks, "cme": cases}
    tables["schools"] = [{"urn": "1", "phase": "primary", "authority": "801"}]
    opened = Histories.from_rows(tables)
    assert newest_known(opened, TASK.definition, TASK.horizon).of("801") == END - DELAY
    of_cases = Definition.load("cme_register")
    assert newest_known(opened, of_cases, 120).of("801") == END - timedelta(days=120 + of_cases.known_after_days)
    known = [day for day in AS_OF if day <= END - DELAY]
    told = TASK.labels(opened).filter(pl.col("pupil_id") != "p2")
    assert sorted(told["as_of"].unique()) == known
    assert set(told["label"]) == {0.0}


def test_an_authority_whose_rolls_have_no_day_of_record_has_not_stopped_where_another_has():
    tables = cut(world({}), date(2024, 7, 1), ["1", "2"])
    without = [{k: v for k, v in r.items() if k != "recorded_on" or r["urn"] != "3"} for r in tables["enrolments"]]
    tables["enrolments"] = without
    opened = Histories.from_rows(tables)
    assert KnownUntil.read(opened).rolls == {"801": date(2024, 6, 24), "802": END, ALL: END}
    known = TASK.labels(opened).group_by("authority").agg(pl.max("as_of"))
    assert dict(known.iter_rows()) == {"801": AS_OF[0], "802": AS_OF[3]}
    assert [w[:13] for w in warnings_of_ended_rolls(opened, TASK.definition, TASK.horizon)] == ["authority 801"]


def test_training_says_in_words_whose_rolls_ended_and_which_days_count():
    opened = Histories.from_rows(cut(world({}), date(2024, 7, 1), ["3"]))
    newest = newest_known(opened, TASK.definition, TASK.horizon)
    (warning,) = warnings_of_ended_rolls(opened, TASK.definition, TASK.horizon, AS_OF)
    assert warning.startswith("authority 802: the rolls go on until 2024-06-24 only, other records until 2025-07-18.")
    assert f"as-of dates count up to {newest.of('802')} and 2024-04-15, 2024-09-09, 2025-01-13 teach nothing" in warning
    (warning,) = warnings_of_ended_rolls(
        Histories.from_rows(cut(world({}), date(2024, 7, 1), ["1"])), TASK.definition, TASK.horizon
    )
    assert warning.startswith("the rolls of 1 school have stopped (1 since 2024-06-24), for two months longer")
    assert warnings_of_ended_rolls(Histories.from_rows(world({})), TASK.definition, TASK.horizon, AS_OF) == []
