"""The tables of candidates in simulated worlds: soft figures, paired leads, shares of the ceiling, and which files are computed again."""

import json

import numpy as np
import polars as pl
import pytest

from benchmarks import scenarios, worlds
from features.catalogue import catalogue
from training.fitting.rolling_origin import Predictions
from training.measures.metrics import average_precision


@pytest.fixture(scope="module")
def predictions():
    """Two test dates after one that only calibrates; one child in four had already stopped coming."""
    rng = np.random.default_rng(1)
    rows = 900
    frame = pl.DataFrame(
        {
            "pupil_id": [f"p{n % 300}" for n in range(rows)],
            "risk": rng.random(rows),
            "already_stopping": np.arange(rows) % 4 == 0,
        }
    )
    origin = np.repeat([0, 1, 2], 300)
    margins = {"ridge": rng.normal(size=rows).round(1)}
    return Predictions(frame=frame, origin=origin, judged=origin > 0, seen=np.ones(rows, bool), margins=margins)


@pytest.mark.parametrize("early", [False, True])
def test_soft_precision_is_the_mean_over_test_dates_with_risks_as_labels(predictions, early):
    risk, margins = predictions.frame["risk"].to_numpy(), predictions.margins["ridge"]
    kept = ~predictions.frame["already_stopping"].to_numpy() | (not early)
    days = [kept & (predictions.origin == n) for n in (1, 2)]
    twice = [np.where(np.arange(900) % 3 == 0, 2.0, 1.0), np.full(900, 2.0)]
    expected = [np.mean([average_precision(margins[d], risk[d], w[d]) for d in days]) for w in twice]
    assert worlds.soft_draws(predictions, "ridge", twice, early=early) == pytest.approx(expected)
    assert worlds.soft_precision(predictions, "ridge", early=early) == pytest.approx(expected[1])
    assert expected[0] != pytest.approx(expected[1], abs=1e-4)


def made_up(seed, ridge, released, **more):
    """A world whose figures are all the same number: first of the pupils, then of two resamples."""
    drawn = {"ridge": ridge, "released": released, "truth": [0.8] * 3, **more}
    candidates = {name: {"draws": dict.fromkeys(scenarios.FIGURES, d), "slope": None} for name, d in drawn.items()}
    counts = {"pupils": 2000, "authorities": 1, "snapshots": 7000, "positives": 4, "early": 2}
    seconds = dict.fromkeys(scenarios.STEPS, 1.0)
    return {
        "seed": seed,
        "catalogue": catalogue().digest,
        "chosen": "mean",
        "candidates": candidates,
        "held": None,
        "seconds": seconds,
        **counts,
    }


def test_leads_are_paired_and_averaged_over_worlds():
    one = made_up(1, [0.2, 0.1, 0.5], [0.3, 0.2, 0.6])
    other = made_up(2, [0.2, 0.1, 0.5], [0.1, 0.0, 0.4])
    row = next(line for line in scenarios.leads_table([one]) if line.startswith("| ridge"))
    assert row.split(" | ")[1] == "+0.100 (+0.100 to +0.100), 1 of 1"
    row = next(line for line in scenarios.leads_table([one, other]) if line.startswith("| ridge"))
    assert row.split(" | ")[1] == "+0.000 (+0.000 to +0.000), 1 of 2"


def test_shares_of_the_ceiling_are_shown_if_every_world_has_one():
    with_one = made_up(1, [0.2] * 3, [0.3] * 3, ceiling=[0.4] * 3, ceiling_early=[0.5] * 3)
    row = next(line for line in scenarios.figures_table([with_one]) if "released" in line)
    assert row.split(" | ")[4] == "0.75, 0.60"
    without = made_up(2, [0.2] * 3, [0.3] * 3)
    assert not any("ceiling" in line for line in scenarios.figures_table([with_one, without]))


def test_a_stored_world_is_taken_unless_features_or_candidates_changed_or_something_is_asked_that_it_lacks(tmp_path):
    others = set(scenarios.TITLES) - {"ridge", "released", *scenarios.CEILINGS, *scenarios.LEFT_OUT}
    file, results = tmp_path / "w.json", made_up(1, [0.2] * 3, [0.3] * 3, **dict.fromkeys(others, [0.2] * 3))
    assert scenarios.stored(file, with_ceiling=False, with_coverage=False) is None
    file.write_text(json.dumps(results))
    assert scenarios.stored(file, with_ceiling=False, with_coverage=False) == results
    assert scenarios.stored(file, with_ceiling=True, with_coverage=False) is None
    assert scenarios.stored(file, with_ceiling=False, with_coverage=True) is None
    fewer = {name: of for name, of in results["candidates"].items() if name != "weighted_mean"}
    file.write_text(json.dumps(results | {"candidates": fewer}))
    assert scenarios.stored(file, with_ceiling=False, with_coverage=False) is None
    file.write_text(json.dumps(results | {"catalogue": "of other features"}))
    assert scenarios.stored(file, with_ceiling=False, with_coverage=False) is None
