"""Coverage of printed 95% intervals, over worlds drawn from one simulated population with known true risks.

``python -m benchmarks.intervals [WORLDS]`` (default 200). A world draws pupils with all of their snapshots, and new outcomes from the true risks;
the truth is that of the population. Prints the share of intervals that contain the truth: of relative risks as printed by ``onroll describe``, and
of precision on the riskiest 1% by resampled pupils.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from features.groups.grouping import grouped
from features.groups.groups import GROUPS
from histories.population.simulation import simulate
from histories.reading.histories import Histories
from training.description.describing import describe_snapshots
from training.measures.intervals import bootstrap
from training.measures.metrics import listed, numbers

DAYS = [date(2023, 9, 11), date(2024, 1, 15), date(2024, 9, 9)]
# Groups that need no marks, since reading marks would take most of the time.
NAMES = [g.name for g in GROUPS if g.table != "attendance"]


def population(folder: Path, pupils: int = 40_000) -> pl.DataFrame:
    """Return snapshots with their groups and true risks."""
    simulate(folder, pupils=pupils, years=2, authorities=2, seed=8, truth=True)
    snapshots = pl.DataFrame(grouped(Histories.open(folder), DAYS, names=NAMES))
    return snapshots.join(pl.read_parquet(folder / "truth.parquet"), on=["pupil_id", "as_of"]).sort("pupil_id", "as_of")


def drawn(frame: pl.DataFrame, seed: int, worlds: int) -> Iterator[pl.DataFrame]:
    """Yield worlds: pupils drawn with replacement, each copy a separate pupil, with new outcomes."""
    rng = np.random.Generator(np.random.PCG64(seed))
    pupil = frame["pupil_id"].rank("dense").to_numpy().astype(int) - 1
    first, many = np.unique(pupil, return_index=True)[1], np.bincount(pupil)
    for _ in range(worlds):
        chosen = rng.integers(0, len(first), len(first))
        copies = np.repeat(np.arange(len(chosen)), many[chosen])
        rows = (
            np.arange(len(copies))
            - np.repeat(np.cumsum(many[chosen]) - many[chosen], many[chosen])
            + first[chosen][copies]
        )
        world = frame[rows].with_columns(pl.Series("pupil_id", copies).cast(pl.String))
        yield world.with_columns(pl.Series("label", (rng.random(len(copies)) < world["risk"].to_numpy()).astype(float)))


def true_ratios(frame: pl.DataFrame) -> dict[tuple[str, str], float]:
    """Return the true relative risk of each value and broader value."""
    truth = {}
    for group in (g for g in GROUPS if g.name in frame.columns):
        for values in (frame[group.name], frame[group.name].replace(group.within)):
            for value in values.unique():
                members, risk = (values == value).to_numpy(), frame["risk"].to_numpy()
                if not members.all():
                    truth[group.name, value] = float(risk[members].mean() / risk[~members].mean())
    return truth


def riskiest(frame: pl.DataFrame) -> np.ndarray:
    """Return which snapshots are on the lists of the riskiest 1%."""
    return listed(frame["risk"].to_numpy(), numbers(frame, "authority", "as_of"), 0.01)


def main(worlds: int = 200) -> None:
    """Print both shares."""
    with tempfile.TemporaryDirectory() as folder:
        frame = population(Path(folder) / "histories")
    ratios, precision = true_ratios(frame), float(frame["risk"].to_numpy()[riskiest(frame)].mean())
    risks, precisions = [], []
    for n, world in enumerate(drawn(frame, 1, worlds)):
        for row in describe_snapshots(world, DAYS, "drawn", 120).rows:
            if row.relative_risk:
                risks.append(row.relative_risk.low <= ratios[row.group.name, row.value] <= row.relative_risk.high)
        top = world.filter(pl.Series(riskiest(world)))
        label, pupil = top["label"].to_numpy(), top["pupil_id"].rank("dense").to_numpy().astype(int) - 1
        low, high = bootstrap(lambda w, y=label: (w * y).sum() / w.sum(), pupil, seed=n)  # type: ignore[misc]
        precisions.append(low <= precision <= high)
    print(f"{len(frame):,} snapshots, true rate {frame['risk'].mean():.3%}, {worlds} worlds")
    for name, inside in (("relative risks", risks), ("precision in the top 1%", precisions)):
        print(f"{name}: {np.mean(inside):.1%} of {len(inside):,} intervals contain the truth")


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:]))
