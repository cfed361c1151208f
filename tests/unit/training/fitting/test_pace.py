"""The time that is left in a training run: from the work that remains, at what such work has cost, by a clock that the tests step."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from training.fitting import uncertainty
from training.fitting.candidates import Candidate, Learning, grid
from training.fitting.candidates.boosted import DEFAULTS
from training.fitting.pace import USUAL, Pace, work_of_the_model, work_of_training
from training.fitting.rolling_origin import predict
from training.fitting.splits import split

DAYS = [date(2020 + n // 3, (1, 4, 9)[n % 3], 10) for n in range(11)]
SECONDS = {"ridge": 3.0, "checklist": 0.5}  # a row


class Clock:
    """A clock that goes on only when it is told to, and all that was told of the time left, with the time at which it was."""

    def __init__(self):
        self.now, self.told = 0.0, []

    def __call__(self):
        return self.now

    def advance(self, steps=1, description=None, left=None):
        self.told.append((self.now, left))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pace(clock):
    return Pace(clock.advance, clock)


def snapshots():
    """More snapshots on each day than on the day before, so that no origin takes as long as another."""
    return pl.DataFrame(
        [
            {"pupil_id": f"P{p}", "as_of": d, "label": float(p < 9), "known_on": d + timedelta(days=180), "a": float(p)}
            for n, d in enumerate(DAYS)
            for p in range(30 + 10 * n)
        ]
    )


def candidates(clock):
    def learn(name):
        def step(learning):
            clock.now += SECONDS[name] * len(learning.y)
            return lambda x: x[:, 0]

        return step

    return [Candidate(name, "", learn(name)) for name in SECONDS]


def test_after_the_first_origin_the_time_left_is_the_true_one(clock, pace):
    frame, made = snapshots(), candidates(clock)
    splits = split(frame)
    pace.expect(
        [work for work in work_of_training(frame, splits, made) if work[0] in SECONDS][: 2 * len(splits.origins)]
    )
    predict(frame, ["a"], splits, made, seed=1, advance=pace)
    assert len(clock.told) == 2 * len(splits.origins)
    for at, left in clock.told[2:]:
        assert left == pytest.approx(clock.now - at)


def test_what_was_not_done_yet_is_slower_by_as_much_as_what_was(clock, pace):
    pace.expect([("features", 100), ("ridge", 50)])
    pace(work=("features", 100))
    clock.now += 7 * USUAL["features"] * 100
    pace.end()
    assert pace.left == pytest.approx(7 * USUAL["ridge"] * 50)


def test_what_runs_counts_down_and_never_below_what_comes_after_it(clock, pace):
    pace.expect([("ridge", 10), ("ridge", 20), ("ridge", 20)])
    pace(work=("ridge", 10))
    clock.now = 10.0
    pace(work=("ridge", 20))

    def left_at(now):
        clock.now = now
        return pace.left

    assert [left_at(now) for now in (10.0, 15.0, 30.0, 90.0)] == [40.0, 35.0, 20.0, 20.0]


def test_where_nobody_knows_what_is_to_come_no_time_is_told(clock, pace):
    pace(description="labels")
    assert clock.told == [(0.0, None)]


def test_each_model_of_a_resample_is_work(clock, pace):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(40, 1))
    learning = Learning(x=x, y=(x[:, 0] > 0).astype(float), weight=np.ones(40), names=["a"], seed=1)

    def learn(drawn):
        clock.now += 2.0
        return lambda x: rng.normal(size=len(x))

    pace.expect(work_of_the_model("ridge", 40))
    pace(work=("ridge", 40))
    clock.now += 2 / uncertainty.DRAWN
    uncertainty.spread(learning, np.arange(40), x, x[:, 0], learn, advance=pace, kind="ridge")
    # The jobs run side by side, so that only the end of all is certain; the last model leaves no work behind it.
    assert len(clock.told) == 1 + uncertainty.MODELS
    assert clock.told[0][1] == pytest.approx(USUAL["ridge"] * 40 * (1 + uncertainty.DRAWN * uncertainty.MODELS))
    pace.end()
    assert pace.left is None


def test_all_work_of_a_training_has_a_usual_cost():
    frame = snapshots()
    work = work_of_training(frame, split(frame), grid(DEFAULTS))
    assert {kind for kind, _ in work} <= set(USUAL)
    assert len(work) == 2 + 6 * 6 + 1 + uncertainty.MODELS
