"""Partly known windows teach with the part that is known, and only with what was recorded before the day."""

from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest

from features import Definition
from features.outcome import cohort
from features.outcome.leavings import Leavings
from histories.reading.histories import Histories
from tests.support.rolls_that_go_on import going_on
from training.fitting.candidates import boosted
from training.fitting.partial_windows import MIN_DAYS, learned_before, with_exposure
from training.fitting.splits import known_before
from training.pipeline import train
from training.task import Task

HORIZON = 364
FIRST, LAST = date(2021, 9, 6), date(2025, 7, 18)
CUT = date(2024, 6, 3)
KEYS = ["as_of", "pupil_id"]
DELAYS = (0, 25, 70, 200)  # days until a leaving is recorded


def histories(until=None):
    """Children who leave for missing education one after another, and some who stay; what is recorded from ``until`` on is left out."""
    pupils, spells = [], []
    for n in range(120):
        pupils.append({"pupil_id": f"p{n:03}", "date_of_birth": f"2012-{n % 12 + 1:02d}-10", "authority": "801"})
        spell = {"pupil_id": f"p{n:03}", "urn": "100001", "entry_date": "2021-09-02"}
        if n < 90:
            left = FIRST + timedelta(days=7 + 13 * n)
            known = left + timedelta(days=DELAYS[n % len(DELAYS)])
            if until is None or known < until:
                case = {
                    "leaving_date": str(left),
                    "destination": "missing_education",
                    "leaving_recorded_on": str(known),
                }
                spell |= case
        spells.append(spell)
    marks = [
        {"pupil_id": "p119", "date": str(day), "session": "AM", "code": "/"}
        for day in (FIRST, CUT - timedelta(days=1), LAST)
        if until is None or day < until
    ]
    rolls = [day for day in (CUT - timedelta(days=1), LAST) if until is None or day < until]
    return Histories.from_rows(going_on({"pupils": pupils, "enrolments": spells, "attendance": marks}, *rolls))


TASK = Task(horizon=HORIZON, until=CUT)


def test_a_short_horizon_has_no_parts():
    assert Task(until=CUT).partly_known(histories()) is None
    assert "matured_on" not in Task(until=CUT).labels(histories()).columns


def test_each_day_after_the_newest_labelled_one_has_the_part_that_is_known():
    opened = histories()
    parts, newest = TASK.partly_known(opened), TASK.newest_labelled(opened)
    after_days = TASK.definition.known_after_days
    expected = {
        d: (CUT - d).days - after_days - 1
        for d in TASK.days(opened)
        if d > newest and (CUT - d).days - after_days - 1 >= MIN_DAYS
    }
    assert len(expected) == 3
    assert dict(parts.select("as_of", "window_days").unique().iter_rows()) == expected
    assert parts["matured_on"].unique().to_list() == [CUT - timedelta(days=1)]
    went = parts.filter(pl.col("label") == 1)
    assert len(went) > 5
    assert ((went["happened_on"] - went["as_of"]).dt.total_days() < went["window_days"]).all()
    assert went["recorded_on"].max() < CUT


def test_a_part_uses_nothing_recorded_from_the_day_on():
    with_future, without = histories(), histories(until=CUT)
    assert without.last_known() < CUT < with_future.last_known()
    assert TASK.partly_known(with_future).equals(TASK.partly_known(without))


def frame_of(opened, task):
    """Labels of all days with what training adds to them."""
    return task.labels(opened).with_columns(pl.lit(False).alias("already_stopping"), pl.lit(1.0).alias("weight"))


def test_an_origin_learns_what_a_training_on_that_day_would():
    opened = histories()
    whole = Task(horizon=HORIZON)
    learned = learned_before(frame_of(opened, whole), CUT)
    parts = learned.filter(pl.col("known_on").is_null())
    now = TASK.partly_known(opened)
    shown = [*KEYS, "label", "happened_on", "recorded_on", "window_days"]
    # Of a leaving that nobody had recorded yet, a child counts as still there on the day; labels leave nobody else out.
    assert parts.select(shown).sort(KEYS).equals(now.select(shown).join(parts.select(KEYS), on=KEYS).sort(KEYS))
    assert parts["label"].sum() == now["label"].sum() > 5


def test_the_case_that_dates_an_outcome_says_when_it_was_recorded():
    """The first case was reported after the day; that a later one was reported before it dates nothing."""
    origin, as_of = date(2024, 5, 20), (date(2021, 9, 6), date(2024, 1, 8))
    cases = [
        {"pupil_id": "p", "missing_from": "2024-01-12", "reported_on": "2024-06-03"},
        {"pupil_id": "p", "missing_from": "2024-03-22", "reported_on": "2024-03-25"},
    ]
    rows = {
        "pupils": [{"pupil_id": "p", "date_of_birth": "2012-03-10", "authority": "801"}],
        "enrolments": [{"pupil_id": "p", "urn": "100001", "entry_date": "2021-09-02"}],
        "attendance": [
            {"pupil_id": "p", "date": str(day), "session": "AM", "code": "/"} for day in (FIRST, origin, LAST)
        ],
        "cme": cases,
    }
    known = (origin - timedelta(days=1), LAST)
    opened = Histories.from_rows(going_on(rows, *known, cases=known))
    task = Task(definition=Definition.load("cme_register"), horizon=HORIZON, as_of=as_of)
    then = replace(task, until=origin).partly_known(opened)
    parts = learned_before(frame_of(opened, task), origin).filter(pl.col("known_on").is_null())
    assert (parts["window_days"].to_list(), then["window_days"].to_list()) == ([42], [42])
    assert (parts["label"].to_list(), then["label"].to_list()) == ([0.0], [0.0])


def test_what_is_recorded_later_changes_no_part():
    frame = frame_of(histories(), Task(horizon=HORIZON))
    later = pl.col("recorded_on") >= CUT
    # Recorded a year later, or on other days, or with an outcome that never came to light: the same to the origin.
    for changed in (
        frame.with_columns(pl.when(later).then(None).otherwise("happened_on").alias("happened_on")),
        frame.with_columns(pl.when(later).then("as_of").otherwise("happened_on").alias("happened_on")),
        frame.with_columns(pl.when(later).then(1 - pl.col("label")).otherwise("label").alias("label")),
    ):
        assert not changed.equals(frame)
        before, after = (learned_before(f, CUT).filter(pl.col("known_on").is_null()) for f in (frame, changed))
        assert len(before) > 100
        assert before.drop("outcome").equals(after.drop("outcome"))


def test_children_without_the_outcome_weigh_as_much_as_the_exposure_of_their_list():
    def rows(days, onset, stopping, window):
        return {
            "as_of": date(2023, 1, 9),
            "happened_on": None if onset is None else date(2023, 1, 9) + timedelta(days=onset),
            "already_stopping": stopping,
            "label": float(onset is not None),
            "window_days": window,
            "weight": 3.0,
            "known_on": date(2024, 6, 1),
        }

    schema = {"happened_on": pl.Date}
    early, late = [10] * 45, [300] * 45
    whole = pl.DataFrame(
        [rows(364, o, True, 364) for o in early] + [rows(364, o, False, 364) for o in late], schema_overrides=schema
    )
    parts = pl.DataFrame([rows(91, o, s, 91) for s in (True, False) for o in (None, 5)], schema_overrides=schema)
    weight = with_exposure(whole, parts)["weight"].to_list()[len(whole) :]
    assert weight == pytest.approx([3 * (45 + 5 / 4) / 50, 3.0, 3 * (5 / 4) / 50, 3.0])


SETTINGS = {**boosted.DEFAULTS, "rounds": 5, "min_data_in_leaf": 5}


def test_a_training_learns_from_the_newest_days_and_says_so():
    opened = histories()
    task = Task(horizon=HORIZON)
    trained = train(opened, task, config=SETTINGS)
    newest, manifest = task.newest_labelled(opened), trained.manifest
    assert trained.frame["as_of"].max() <= newest
    assert date.fromisoformat(manifest.trained_on[-1]) > newest
    assert manifest.newest_labelled == str(trained.frame["as_of"].max()) == manifest.whole_days[-1]
    assert manifest.part_days == [str(d) for d in trained.splits.later]
    assert trained.recipe["parts"] is True
    assert trained.splits.dates[-1] <= newest
    *origins, released = trained.splits.text().splitlines()[2:]
    assert released.endswith("L" + "P" * len(manifest.part_days))
    for origin, line in zip(trained.splits.origins, origins, strict=True):
        parts = learned_before(trained.frame, origin.day).filter(pl.col("known_on").is_null())
        assert line.count("P") == len(origin.partly)
        assert list(origin.partly) == parts["as_of"].unique().sort().to_list()
    assert any(o.partly for o in trained.splits.origins)


def test_without_later_days_the_origins_learn_no_parts_either():
    opened = histories()
    task = Task(horizon=HORIZON)
    days = tuple(d for d in task.days(opened) if d <= task.newest_labelled(opened))
    trained = train(opened, replace(task, as_of=days), config=SETTINGS)
    for origin in trained.splits.origins:
        assert learned_before(trained.frame, origin.day).equals(known_before(trained.frame, origin.day))
        assert not origin.partly
    assert trained.recipe["parts"] is False
    assert trained.manifest.part_days == trained.splits.later == []
    assert "P" not in trained.splits.text().split("\n", 2)[2]


def test_rolls_and_cohorts_are_read_once_for_all_parts(monkeypatch):
    reads, cohorts = [], []
    read, of_days = Leavings.read.__func__, cohort.cohort
    monkeypatch.setattr(Leavings, "read", classmethod(lambda cls, *a: reads.append(1) or read(cls, *a)))
    monkeypatch.setattr("training.task.cohort", lambda *a: cohorts.append(1) or of_days(*a))
    opened = histories()
    leavings = Leavings.read(opened, CUT)
    TASK.labels(opened, leavings=leavings)
    assert TASK.partly_known(opened, leavings)["as_of"].n_unique() == 3
    assert (len(reads), len(cohorts)) == (1, 2)
