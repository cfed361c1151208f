"""A model carried to an authority that it has never seen: its risks as they came and recalibrated there, with few events.

``python -m benchmarks.adoption [--pupils 10000] [--seeds 51,52] [--events 20]``. Leave one authority out, in ``two_authorities_differ``: the mean
of ridge and LightGBM is trained and calibrated on one authority. Of the other, pupils are drawn until so many events are known before the last
four days; the model is recalibrated on these snapshots (``training.adoption.recalibration``) and judged on all children of the four days.
*Expected* log loss takes the true risk in place of the outcome, so it is without the noise of a few outcomes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import click
import numpy as np
import polars as pl

from benchmarks.worlds import snapshots
from features.catalogue import catalogue
from histories.errors import Faults
from training.adoption import recalibration
from training.fitting.candidates import boosted, grid, learner
from training.fitting.rolling_origin import learn_from, matrix_of, predict
from training.fitting.splits import known_before, split
from training.measures import calibration

SCENARIO = "two_authorities_differ"
TEST_DAYS = 4
DRAWS = 10  # draws of the pupils of the small authority
MODEL = "mean"
COLUMNS = ("log loss", "expected log loss", "Brier score")


@dataclass(frozen=True, kw_only=True)
class Parent:
    """A model of one authority: the matrix to margins, and its calibrator."""

    margins: Any
    calibrator: dict[str, Any]


def parent_of(frame: pl.DataFrame, seed: int) -> Parent:
    """Train and calibrate a model on an authority's snapshots as ``onroll train`` does."""
    names = catalogue().names
    candidates = [c for c in grid(boosted.DEFAULTS) if c.name in ("ridge", "lightgbm", MODEL)]
    predictions = predict(frame, names, split(frame), candidates, seed)
    a, b = calibration.fit(predictions.margins[MODEL], predictions.label)
    margins = learner(MODEL, boosted.DEFAULTS)(learn_from(frame, names, seed))
    return Parent(margins=margins, calibrator={"a": a, "b": b, "bootstrap": []})


def losses(risk: np.ndarray, label: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return log loss, expected log loss and Brier score, in the order of ``COLUMNS``."""
    log, other = np.log(np.clip(risk, 1e-12, 1)), np.log(np.clip(1 - risk, 1e-12, 1))
    return np.array([np.mean(-of * log - (1 - of) * other) for of in (label, truth)] + [np.mean((risk - label) ** 2)])


def compared(parent: Parent, home: pl.DataFrame, events: int, seed: int) -> dict[str, Any]:
    """Return the losses of a model in another authority, as it came and recalibrated on so many events."""
    names, days = catalogue().names, sorted(home["as_of"].unique().to_list())
    past = known_before(home, days[-TEST_DAYS])
    test = home.filter(pl.col("as_of").is_in(days[-TEST_DAYS:]))
    margins, before = parent.margins(matrix_of(test, names)), parent.margins(matrix_of(past, names))
    label, truth = test["label"].to_numpy(), test["risk"].to_numpy()
    unadapted = losses(calibration.risk(margins, parent.calibrator["a"], parent.calibrator["b"]), label, truth)
    pupils, happened = past["pupil_id"].to_numpy(), past["label"].to_numpy()
    rng, adapted, used, changes = np.random.default_rng(seed), [], [], []
    for _ in range(DRAWS):
        order = rng.permutation(np.unique(pupils))
        place = dict(zip(order, range(len(order)), strict=True))
        places = np.array([place[p] for p in pupils])
        hits = np.sort(places[happened == 1])
        rows = places <= (hits[events - 1] if len(hits) > events else len(order))
        drawn = before[rows], happened[rows], np.ones(rows.sum())
        pair = recalibration.recalibrated(*drawn, parent.calibrator)
        adapted.append(losses(calibration.risk(margins, *pair), label, truth))
        used.append(happened[rows].sum())
        changes.append(recalibration.change(parent.calibrator, pair, drawn[0]))
    return {
        "events": float(np.mean(used)),
        "intercept": float(np.mean(changes, axis=0)[0]),
        "slope": float(np.mean(changes, axis=0)[1]),
        "unadapted": unadapted,
        "adapted": np.mean(adapted, axis=0),
        "better": np.mean(np.array(adapted) < unadapted, axis=0),
        "outcomes": int(label.sum()),
    }


def table(rows: list[tuple[int, str, dict[str, Any]]]) -> str:
    """Return the comparison as a Markdown table; losses in thousandths, draws that are better in brackets."""
    lines = [
        f"| seed | to | events | outcomes judged | intercept, slope | {' | '.join(f'{c}, x 1000' for c in COLUMNS)} |",
        "|---" * (5 + len(COLUMNS)) + "|",
    ]
    for seed, authority, r in rows:
        cells = [
            f"{1000 * a:.3f} to {1000 * b:.3f} ({share:.0%})"
            for a, b, share in zip(r["unadapted"], r["adapted"], r["better"], strict=True)
        ]
        change = f"{r['intercept']:+.2f}, {r['slope']:.2f}"
        lines.append(f"| {seed} | {authority} | {r['events']:.0f} | {r['outcomes']} | {change} | {' | '.join(cells)} |")
    if len(rows) < 2:
        return "\n".join(lines)
    gains = np.array([1000 * (r["unadapted"] - r["adapted"]) for _, _, r in rows])
    mean, error = gains.mean(axis=0), gains.std(axis=0, ddof=1) / np.sqrt(len(gains))
    shown = [
        f"gain {m:.3f}, standard error {e:.3f}, {int(won)} of {len(gains)}"
        for m, e, won in zip(mean, error, (gains > 0).sum(axis=0), strict=True)
    ]
    return "\n".join([*lines, f"| all | | | | | {' | '.join(shown)} |"])


@click.command()
@click.option("--pupils", default=10_000, show_default=True)
@click.option("--seeds", default="51,52", show_default=True)
@click.option("--events", default=20, show_default=True)
def main(pupils: int, seeds: str, events: int) -> None:
    """Print the table."""
    rows = []
    for seed in map(int, seeds.split(",")):
        frame = snapshots(SCENARIO, seed, pupils, authorities=2)
        for authority in sorted(frame["authority"].unique().to_list()):
            here = pl.col("authority") == authority
            try:
                parent = parent_of(frame.filter(~here), seed)
            except Faults as faults:
                click.echo(f"seed {seed}, to {authority}: {faults.faults[0].what}", err=True)
                continue
            rows.append((seed, authority, compared(parent, frame.filter(here), events, seed)))
            click.echo(table(rows[-1:]), err=True)  # an interrupted run has shown what it had
    click.echo(table(rows))


if __name__ == "__main__":
    main()
