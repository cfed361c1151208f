"""Coverage of scores' 95% intervals, over worlds drawn from one simulated population with known true risks.

``python -m benchmarks.coverage [WORLDS] [PUPILS]`` (default 20 and 10,000). A world keeps the children and their features and draws new outcomes from
the true risks. A model is trained as by ``onroll train`` (a booster, calibrated on its predictions at origins, with boosters of resampled pupils) and
predicts the three newest days, which are not in its training data. A score's interval is for the rate among children with such a score, so the children
of those days are binned by score, and the truth of a bin is the mean of its true risks.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from features.catalogue import catalogue
from histories.population.simulation import simulate
from histories.reading.histories import Histories
from training.fitting.candidates import Candidate, boosted
from training.fitting.rolling_origin import learn_from, matrix_of, predict
from training.fitting.sampling import sample
from training.fitting.splits import split
from training.measures.calibration import half_width
from training.pipeline import Newest, fit_calibrator
from training.task import Task

SHARE = 0.25  # sampled share of children who did not go missing (weighted), so that a world takes a quarter of the time
AHEAD = 3  # the newest days: a year of terms
BINS = 14


def population(folder: Path, pupils: int) -> pl.DataFrame:
    """Return labelled snapshots with their features and true risks; children who have already left have none."""
    simulate(folder, pupils=pupils, years=5, authorities=2, seed=8, truth=True)
    frame = Task().labelled(Histories.open(folder))
    truth = pl.read_parquet(folder / "truth.parquet")
    return frame.join(truth, on=["pupil_id", "as_of"], how="left", maintain_order="left").with_columns(
        pl.col("risk").fill_null(0.0)
    )


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
    candidate = Candidate("lightgbm", "", boosted.learner(settings), settings)
    predictions = predict(past, catalogue().names, split(past), [candidate], seed)
    learning = learn_from(past, catalogue().names, seed)
    booster = boosted.train(learning, settings)
    newest = matrix_of(past.filter(pl.col("as_of") == past["as_of"].max()), catalogue().names)
    calibrator = fit_calibrator(
        predictions=predictions,
        chosen="lightgbm",
        learning=learning,
        frame=past,
        newest=Newest(x=newest, margins=boosted.margins(booster, newest)),
        learn=boosted.learner(settings),
        seed=seed,
    )
    margins = np.asarray(booster.predict(matrix_of(ahead, catalogue().names), raw_score=True))
    logit, half = calibrator["a"] * margins + calibrator["b"], half_width(margins, calibrator)
    return margins, 1 / (1 + np.exp(half - logit)), 1 / (1 + np.exp(-half - logit)), ahead["risk"].to_numpy()


def binned(margins: np.ndarray, low: np.ndarray, high: np.ndarray, truth: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Return mean low, mean high and true rate by bins of scores, finer towards the top, shape (bins, 3)."""
    order = np.argsort(-margins, kind="stable")
    cuts = np.unique(np.geomspace(50, len(order), bins).astype(int))
    return np.array([[v[rows].mean() for v in (low, high, truth)] for rows in np.split(order, cuts[:-1])])


def main(worlds: int = 20, pupils: int = 10_000) -> None:
    """Print the share of bins whose interval contains the truth, overall and by bin."""
    with tempfile.TemporaryDirectory() as folder:
        frame = population(Path(folder) / "h", pupils)
    bounds = np.array([binned(*world(frame, seed)) for seed in range(1, worlds + 1)])
    low, high, truth = bounds[..., 0], bounds[..., 1], bounds[..., 2]
    inside = (low <= truth) & (truth <= high)
    print(
        f"{worlds} worlds of {pupils:,} pupils, true rate {frame['risk'].mean():.3%}, {bounds.shape[1]} bins by score"
    )
    print(
        f"all bins: {inside.mean():.1%} contain the truth; too low {(truth > high).mean():.1%}, too high {(truth < low).mean():.1%}"
    )
    for n in range(bounds.shape[1]):
        print(
            f"bin {n + 1:2}  true rate {truth[:, n].mean():8.3%}  interval {low[:, n].mean():8.3%} to {high[:, n].mean():8.3%}  contains it {inside[:, n].mean():.0%}"
        )


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:]))
