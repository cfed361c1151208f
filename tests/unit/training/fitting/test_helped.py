"""Outcomes after help: who was helped when, what each way teaches, and that windows which end with help give the risk without it."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from histories.errors import Usage
from histories.reading.histories import Histories
from tests.support.rolls_that_go_on import going_on
from training.cli import helped_option
from training.fitting.helped import (
    AS_THEY_CAME,
    ASKED,
    LEAVE_OUT,
    NOBODY,
    STILL_DAYS,
    UNTREATED,
    WAYS,
    WORDS,
    carried,
    counted,
    days_without_help,
    handled,
    weighted,
)
from training.provenance import recipe, task_of
from training.task import Task

DAY, WINDOW = date(2024, 1, 8), 120
HELP_SCHEMA = {"pupil_id": pl.String, "helped_on": pl.Date}


def labels(*onsets):
    """One child for each outcome; ``None`` did not go missing."""
    return pl.DataFrame(
        [
            {
                "pupil_id": f"p{n}",
                "as_of": DAY,
                "label": float(onset is not None),
                "outcome": "stayed" if onset is None else "missing_education",
                "happened_on": None if onset is None else DAY + timedelta(days=onset),
            }
            for n, onset in enumerate(onsets)
        ],
        schema_overrides={"happened_on": pl.Date},
    )


def given(*help_of):
    rows = [(f"p{n}", DAY + timedelta(days=d)) for n, days in enumerate(help_of) for d in days]
    return pl.DataFrame(rows, schema=HELP_SCHEMA, orient="row")


@pytest.mark.parametrize(
    ("onset", "helped", "days"),
    [
        (None, [], None),
        (None, [7], 8),
        (None, [30, 7], 8),
        (None, [WINDOW - 1], WINDOW),
        (None, [WINDOW], None),  # after the window
        (50, [7], 8),
        (7, [7], None),  # the outcome came before the help of its day
        (6, [7], None),
        (None, [-1], 0),
        (6, [-STILL_DAYS], 0),
        (None, [-STILL_DAYS - 1], None),
        (None, [-1, 7], 0),
    ],
)
def test_the_window_without_help_ends_with_the_first_help_in_it(onset, helped, days):
    with_days = days_without_help(labels(onset), given(helped), WINDOW)
    assert with_days["untreated_days"].to_list() == [days]


def test_help_after_the_known_part_of_a_window_is_none():
    part = labels(None, None).with_columns(pl.Series("window_days", [30, 31]))
    assert days_without_help(part, given([30], [30]), 364)["untreated_days"].to_list() == [None, 31]


@pytest.fixture
def four():
    """Never helped and missing; helped and missing later; helped; helped before the day."""
    return days_without_help(labels(50, 50, None, 9), given([], [7], [20], [-3]), WINDOW)


def test_as_they_came_changes_nothing_and_counts_the_helped(four):
    assert handled(four, AS_THEY_CAME).equals(four)
    counts = {"snapshots": 4, "helped": 3, "left_out": 0, "ended": 0, "until": "2024-05-06", "recorded_until": "never"}
    assert counted(four, AS_THEY_CAME, WINDOW, None).to_dict() == counts
    assert counted(labels(None), AS_THEY_CAME, WINDOW, DAY).to_dict() == {
        **dict.fromkeys(counts, 0),
        "snapshots": 1,
        "until": "2024-05-06",
        "recorded_until": "2024-01-08",
    }


@pytest.mark.parametrize(("way", "left_out", "ended"), [(LEAVE_OUT, 3, 0), (UNTREATED, 1, 2), (NOBODY, 0, 0)])
def test_the_helped_are_counted_before_they_are_handled(four, way, left_out, ended):
    counts = counted(four, way, WINDOW, None)
    assert (counts.snapshots, counts.helped, counts.left_out, counts.ended) == (4, 3, left_out, ended)


def test_leave_out_keeps_only_children_without_help(four):
    assert handled(four, LEAVE_OUT)["pupil_id"].to_list() == ["p0"]


def test_untreated_takes_outcomes_after_help_away_and_leaves_out_earlier_help(four):
    kept = handled(four, UNTREATED)
    assert kept["pupil_id"].to_list() == ["p0", "p1", "p2"]
    assert kept["label"].to_list() == [1.0, 0.0, 0.0]
    assert kept["outcome"].to_list() == ["missing_education", "helped", "helped"]
    assert kept["happened_on"].to_list() == [DAY + timedelta(days=50), None, None]


def drawn(helped_share, factor, seed, children=60_000):
    """Children whose hazard is constant; help comes on a random day of the window and multiplies it."""
    rng = np.random.default_rng(seed)
    hazard = 0.15 / WINDOW
    on = np.where(rng.random(children) < helped_share, rng.integers(0, 90, children), 10**6)
    before = rng.exponential(1 / hazard, children)
    onset = np.where(before <= on, before, on + (before - on) / max(factor, 1e-9))
    happened = [DAY + timedelta(days=int(d)) if d < WINDOW else None for d in onset]
    frame = pl.DataFrame(
        {
            "pupil_id": [str(n) for n in range(children)],
            "as_of": [DAY] * children,
            "label": [float(h is not None) for h in happened],
            "outcome": ["stayed"] * children,
            "happened_on": pl.Series(happened, dtype=pl.Date),
            "already_stopping": rng.random(children) < 0.5,
            "weight": np.where(rng.random(children) < 0.5, 1.0, 2.0),
        }
    )
    reached = np.flatnonzero(on < WINDOW)
    help_rows = pl.DataFrame(
        [(str(n), DAY + timedelta(days=int(on[n]))) for n in reached], schema=HELP_SCHEMA, orient="row"
    )
    return days_without_help(frame, help_rows, WINDOW), 1 - np.exp(-hazard * WINDOW)


def rate(frame):
    return float(np.average(frame["label"], weights=frame["weight"]))


@pytest.mark.parametrize("factor", [0.0, 0.3])
def test_windows_that_end_with_help_give_the_rate_without_help(factor):
    frame, truth = drawn(0.6, factor, seed=4)
    untreated = rate(weighted(handled(frame, UNTREATED), WINDOW))
    assert untreated == pytest.approx(truth, rel=0.06)
    assert rate(frame) < 0.85 * truth  # learnt as they came: too low
    assert rate(handled(frame, LEAVE_OUT)) > 1.1 * truth  # who went missing before the help stays


def test_help_without_effect_leaves_the_rate_as_it_is():
    frame, truth = drawn(0.6, 1.0, seed=5)
    assert rate(frame) == pytest.approx(truth, rel=0.04)
    assert rate(weighted(handled(frame, UNTREATED), WINDOW)) == pytest.approx(truth, rel=0.06)


def test_nobody_helped_keeps_every_weight():
    frame, _ = drawn(0.0, 1.0, seed=6, children=500)
    assert weighted(handled(frame, UNTREATED), WINDOW).equals(frame)


def histories(**more):
    rows = {
        "pupils": [{"pupil_id": f"p{n}", "date_of_birth": "2012-03-10", "authority": "801"} for n in range(3)],
        "enrolments": [{"pupil_id": f"p{n}", "urn": "100001", "entry_date": "2023-09-04"} for n in range(3)],
        "attendance": [
            {"pupil_id": "p0", "date": d, "session": "AM", "code": "/"} for d in ("2023-09-11", "2024-12-02")
        ],
    }
    return Histories.from_rows(going_on({**rows, **more}, "2024-08-30", "2024-12-02"))


HELP = [
    {"pupil_id": "p0", "date": "2024-01-15", "kind": "visit"},
    {"pupil_id": "p1", "date": "2024-01-15", "kind": "visit", "recorded_on": "2024-10-01"},
]


def test_labels_say_who_was_helped_as_known_before_the_day():
    task = Task(as_of=(DAY,), until=date(2024, 9, 2))
    with_help = histories(interventions=HELP)
    assert task.labels(with_help).sort("pupil_id")["untreated_days"].to_list() == [8, None, None]
    assert replace(task, helped=LEAVE_OUT).labels(with_help)["pupil_id"].to_list() == ["p1", "p2"]
    assert replace(task, until=None).labels(with_help).sort("pupil_id")["untreated_days"].to_list() == [8, 8, None]
    assert "untreated_days" not in task.labels(histories()).columns


def test_children_who_were_helped_weigh_less():
    frame = Task(as_of=(DAY,), helped=UNTREATED).labelled(histories(interventions=HELP)).sort("pupil_id")
    assert frame["weight"].to_list() == pytest.approx([8 / WINDOW, 8 / WINDOW, 1.0])
    assert frame["label"].to_list() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("way", [UNTREATED, LEAVE_OUT])
def test_help_is_handled_in_short_windows_only(way):
    with pytest.raises(Usage, match="windows that teach in part"):
        Task(as_of=(DAY,), horizon=180, helped=way).labels(histories(interventions=HELP))


def test_a_way_that_does_not_exist_is_refused():
    with pytest.raises(Usage, match="no such way"):
        Task(as_of=(DAY,), helped="untreted").labels(histories(interventions=HELP))


@pytest.mark.parametrize("way", [AS_THEY_CAME, *ASKED])
def test_a_recipe_keeps_the_way(way):
    settings = {"config": {}, "released": {}, "seed": 1, "memory": None, "trials": 0, "blas_threads": 1}
    task = Task(as_of=(DAY,), helped=way)
    stored = recipe(histories(), task, helped={"snapshots": 3, "helped": 0}, **settings)
    assert task_of(stored) == task
    del stored["question"]["helped"]  # as earlier versions of onroll wrote it
    assert task_of(stored).helped == AS_THEY_CAME


def test_every_way_has_its_words_and_can_be_asked_for():
    assert helped_option.ASKED == ASKED
    assert set(WORDS) == {AS_THEY_CAME, *ASKED}
    assert [carried(way) for way in (AS_THEY_CAME, *ASKED)] == [AS_THEY_CAME, *WAYS, AS_THEY_CAME]
