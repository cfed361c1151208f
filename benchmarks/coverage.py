"""Coverage of scores' 95% intervals, over worlds drawn from one simulated population with known true risks.

``python -m benchmarks.coverage [WORLDS] [PUPILS] [SCENARIO]`` (default 20, 10,000 and ``default``). A world keeps the children and their features and draws new outcomes from
the true risks. A model is trained as by ``onroll train`` (the mean of ridge and booster, calibrated on its predictions at origins, with models of resampled pupils) and
predicts the three newest days, which are not in its training data. A score's interval is for the rate among children with such a score, so the children
of those days are binned by score, and the truth of a bin is the mean of its true risks. How many intervals contain the child's own risk is printed too.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import polars as pl

from benchmarks.worlds import snapshots
from features.catalogue import catalogue
from training.fitting.candidates import Scorer, boosted, grid, learner
from training.fitting.rolling_origin import Predictions, learn_from, matrix_of, predict
from training.fitting.sampling import sample
from training.fitting.splits import split
from training.measures.calibration import interval
from training.pipeline import Newest, fit_calibrator

SHARE = 0.25  # sampled share of children who did not go missing (weighted), so that a world takes a quarter of the time
AHEAD = 3  # the newest days: a year of terms
BINS = 14


def population(pupils: int, scenario: str) -> pl.DataFrame:
    """Return labelled snapshots with their features and true risks; children who have already left have none."""
    return snapshots(scenario, 8, pupils, authorities=2, years=5)


def world(frame: pl.DataFrame, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Draw outcomes, train a model on the earlier days, and return its margins and intervals for the newest days.

    Returns
    -------
    margins, low, high, truth : float array, shape (rows,)
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    drawn = frame.with_columns(pl.Series("label", (rng.random(len(frame)) < frame["risk"].to_numpy()).astype(float)))
    newest = sorted(frame["as_of"].unique().to_list())[-AHEAD]
    past, ahead = sample(drawn.filter(pl.col("as_of") < newest), SHARE, seed), drawn.filter(pl.col("as_of") >= newest)
    settings = dict(boosted.DEFAULTS)
    candidates = [c for c in grid(settings) if c.name in ("ridge", "lightgbm", "mean")]
    predictions = predict(past, catalogue().names, split(past), candidates, seed)
    bounds = scored(past, predictions, ahead, chosen="mean", settings=settings, seed=seed)
    return *bounds, ahead["risk"].to_numpy()


def scored(
    past: pl.DataFrame,
    predictions: Predictions,
    ahead: pl.DataFrame,
    *,
    chosen: str,
    settings: dict[str, Any],
    seed: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Train a candidate as ``onroll train`` does, and return its margins and the intervals of its risks for later snapshots.

    Parameters
    ----------
    past : polars.DataFrame
        The snapshots to learn from.
    predictions : Predictions
        The candidate's predictions at origins among them, to calibrate on.

    Returns
    -------
    margins, low, high : float array, shape (rows of ahead,)
    """
    score, calibrator = trained(past, predictions, chosen=chosen, settings=settings, seed=seed)
    margins = score(matrix_of(ahead, catalogue().names))
    return margins, *interval(margins, calibrator)


def trained(
    past: pl.DataFrame, predictions: Predictions, *, chosen: str, settings: dict[str, Any], seed: int
) -> tuple[Scorer, dict[str, Any]]:
    """Train a candidate and fit its calibrator as ``onroll train`` does."""
    names = catalogue().names
    learning = learn_from(past, names, seed)
    learn = learner(chosen, settings)
    score = learn(learning)
    last_day = matrix_of(past.filter(pl.col("as_of") == past["as_of"].max()), names)
    calibrator = fit_calibrator(
        predictions=predictions,
        chosen=chosen,
        learning=learning,
        frame=past,
        newest=Newest(x=last_day, margins=score(last_day)),
        learn=learn,
        seed=seed,
    )
    return score, calibrator


def bins_of(margins: np.ndarray, bins: int = BINS) -> list[np.ndarray]:
    """Return the rows of each bin of scores, the highest first, finer towards the top."""
    order = np.argsort(-margins, kind="stable")
    cuts = np.unique(np.geomspace(50, len(order), bins).astype(int))
    return np.split(order, cuts[:-1])


def binned(margins: np.ndarray, low: np.ndarray, high: np.ndarray, truth: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Return mean low, mean high and true rate by bins of scores, finer towards the top, shape (bins, 3)."""
    return np.array([[v[rows].mean() for v in (low, high, truth)] for rows in bins_of(margins, bins)])


def main(worlds: int = 20, pupils: int = 10_000, scenario: str = "default") -> None:
    """Print the share of bins whose interval contains the truth, overall and by bin, and of children whose own risk it contains."""
    report(population(pupils, scenario), worlds)


def report(frame: pl.DataFrame, worlds: int) -> None:
    """Print the coverage in worlds drawn from one population."""
    drawn = [world(frame, seed) for seed in range(1, worlds + 1)]
    bounds = np.array([binned(*parts) for parts in drawn])
    low, high, truth = bounds[..., 0], bounds[..., 1], bounds[..., 2]
    inside = (low <= truth) & (truth <= high)
    children = np.mean([np.mean((least <= risk) & (risk <= most)) for _, least, most, risk in drawn])
    print(f"{worlds} worlds, true rate {frame['risk'].mean():.3%}, {bounds.shape[1]} bins by score")
    print(
        f"all bins: {inside.mean():.1%} contain the truth; too low {(truth > high).mean():.1%}, too high {(truth < low).mean():.1%}"
    )
    print(f"children whose own risk is inside: {children:.1%}")
    for n in range(bounds.shape[1]):
        print(
            f"bin {n + 1:2}  true rate {truth[:, n].mean():8.3%}  interval {low[:, n].mean():8.3%} to {high[:, n].mean():8.3%}  contains it {inside[:, n].mean():.0%}"
        )


if __name__ == "__main__":
    main(*(int(a) if a.isdigit() else a for a in sys.argv[1:]))  # type: ignore[arg-type]
