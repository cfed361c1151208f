"""Do hazards in discrete time pay? A ridge of hazards (``benchmarks.interval_hazards``) beside the released ridge, and one that late outcomes teach more.

``python -m benchmarks.hazards [--pupils 20000] [--seed 1] [--scenario default] [--kept FOLDER] [--only NAME]``. All learn before the origins of
``benchmarks.scenarios``, with the same lines and pieces, and are judged by its figures at the task's horizon. Hazards learn from every interval that was
known before the day, so also from windows that were not known whole; the ridge learns from whole windows. A second table has other horizons: the
hazards, read there, beside a ridge that was taught there (beyond the task's horizon by parts of windows too), and how many children that ridge
gives a lower risk in a longer window. Snapshots and margins are kept in the folder, so that an interrupted run goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path

import click
import numpy as np
import polars as pl

from benchmarks.interval_hazards import BENT, EDGES, EVERYTHING, NOTHING, Known, Lessons, fit
from benchmarks.scenarios import DIGITS, FIGURES, LEAD_DAYS, SCENARIOS, drawn, lead, slope_of
from benchmarks.worlds import JUDGED_SINCE, snapshots
from features.catalogue import catalogue
from histories.calendar import HORIZON
from training.fitting.candidates import ridge
from training.fitting.candidates.candidate import Learning
from training.fitting.partial_windows import MIN_DAYS, share_begun
from training.fitting.rolling_origin import Predictions, learn_from, matrix_of
from training.fitting.splits import known_before, split
from training.measures.evaluate import Resamples
from training.measures.metrics import average_precision

STRENGTHS = (1e-3, 3e-3)
OTHER_HORIZONS = (28, 364)
RELEASED = f"ridge, {ridge.STRENGTH}"
Risks = dict[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Origin:
    """A day to predict: the snapshots before it, of which only what was known then may be used, and its own."""

    day: date
    past: pl.DataFrame
    ahead: pl.DataFrame
    seed: int

    @property
    def x(self) -> np.ndarray:
        """Features of the day, shape (rows, features)."""
        return matrix_of(self.ahead, catalogue().names)

    def whole(self, horizon: int = HORIZON, late: float = 1.0) -> Learning:
        """Return what whole windows teach; an outcome that began late counts so many times."""
        of_horizon = {"label": pl.col(f"label_{horizon}"), "known_on": pl.col(f"known_{horizon}")}
        past = known_before(self.past.with_columns(**of_horizon), self.day)
        is_late = (pl.col("label") == 1) & ((pl.col("happened_on") - pl.col("as_of")).dt.total_days() >= LEAD_DAYS)
        weighted = pl.when(is_late).then(pl.col("weight") * late).otherwise("weight")
        return learn_from(past.with_columns(weight=weighted), catalogue().names, self.seed)

    def with_parts(self, horizon: int) -> Learning:
        """Return what whole windows and the known parts of others teach, weighted as by ``training.fitting.partial_windows``."""
        edges = [edge for edge in EDGES if MIN_DAYS <= edge <= horizon]
        part = pl.coalesce(pl.when(pl.col(f"known_{e}") < self.day).then(e) for e in reversed(edges))
        past = self.past.with_columns(part=part).filter(pl.col("part").is_not_null())
        label = pl.coalesce(pl.when(pl.col("part") == e).then(f"label_{e}") for e in edges)
        begun = pl.coalesce(pl.when(pl.col(f"label_{e}") == 1).then(e - 1) for e in EDGES)
        past = past.with_columns(label=label, begun=begun)
        exposure = np.ones(len(past))
        for keys, rows in past.with_row_index().group_by("already_stopping", "part"):
            of_group = (pl.col("already_stopping") == keys[0]) & (pl.col("part") == horizon) & (pl.col("label") == 1)
            onset = past.filter(of_group)["begun"].to_numpy()
            exposure[rows["index"].to_numpy()] = share_begun(onset, np.ones(len(onset)), int(keys[1]), horizon)
        unfinished = ((past["part"] < horizon) & (past["label"] == 0)).to_numpy()
        weight = pl.Series(past["weight"].to_numpy() * np.where(unfinished, exposure, 1.0))
        return learn_from(past.with_columns(weight=weight), catalogue().names, self.seed)

    def lessons(self, edges: tuple[int, ...]) -> Lessons:
        """Return what all known intervals teach."""
        known = Known.before(self.past, self.day, edges)
        rows = np.flatnonzero(known.stayed[:, 0] | known.went[:, 0])
        past = self.past[rows].with_columns(label=pl.Series(known.went[rows].any(axis=1).astype(float)))
        learning = learn_from(past, catalogue().names, self.seed)
        return Lessons(learning=learning, known=known.rows(rows), stopping=stopping(past))


def stopping(frame: pl.DataFrame) -> np.ndarray:
    """Return who had already stopped coming, as numbers."""
    return frame["already_stopping"].to_numpy().astype(float)


Learn = Callable[[Origin], Risks]


def ridges(origin: Origin) -> Risks:
    """Return margins of ridges of fixed strength."""
    learning, x = origin.whole(), origin.x
    return {f"ridge, {s}": ridge.fit(learning, True, s).margins(x) for s in STRENGTHS}


def told_who_stopped(origin: Origin) -> Risks:
    """Return margins of ridges that are also told who had already stopped coming, as hazards are by their baselines."""
    past = known_before(origin.past, origin.day)
    learning = learn_from(past, [*catalogue().names, "already_stopping"], origin.seed)
    x = np.column_stack([origin.x, stopping(origin.ahead)])
    return {f"ridge, {s}, told who has stopped": ridge.fit(learning, True, s).margins(x) for s in STRENGTHS}


def late(origin: Origin) -> Risks:
    """Return margins of ridges to which late outcomes count more."""
    x = origin.x
    return {
        f"ridge, {STRENGTHS[0]}, late outcomes {times} times": ridge.fit(
            origin.whole(late=times), True, STRENGTHS[0]
        ).margins(x)
        for times in (2, 4)
    }


def longer_and_shorter(origin: Origin) -> Risks:
    """Return margins of ridges taught at other horizons, for these."""
    fits = {
        h: ridge.fit(origin.with_parts(h) if h > HORIZON else origin.whole(h), True, STRENGTHS[0])
        for h in OTHER_HORIZONS
    }
    return {f"ridge of {h} days": terms.margins(origin.x) for h, terms in fits.items()}


def hazards(
    title: str, edges: tuple[int, ...], vary: int, strengths: tuple[float, ...] = STRENGTHS, apart: bool = True
) -> Learn:
    """Return the function by which hazards learn and predict, as logits at every horizon that they have."""

    def learn(origin: Origin) -> Risks:
        x, stopped = origin.x, stopping(origin.ahead)
        risks = {}
        fits = fit(origin.lessons(edges), strengths, edges=edges, vary=vary, apart=apart)
        for strength, model in zip(strengths, fits, strict=True):
            for horizon in (HORIZON, *(h for h in OTHER_HORIZONS if h in edges)):
                at = "" if horizon == HORIZON else f", read at {horizon}"
                risk = model.risks(x, stopped, horizon)
                risks[f"{title}, {strength}{at}"] = np.log(risk) - np.log1p(-np.minimum(risk, 1 - 1e-12))
        return risks

    return learn


TO_HORIZON = tuple(edge for edge in EDGES if edge <= HORIZON)
WAYS: dict[str, Callable[[], Learn]] = {
    "ridges": lambda: ridges,
    "told": lambda: told_who_stopped,
    "late": lambda: late,
    "horizons": lambda: longer_and_shorter,
    "to_horizon": lambda: hazards(f"hazards to {HORIZON} days", TO_HORIZON, NOTHING),
    "to_horizon_bent": lambda: hazards(f"hazards to {HORIZON} days, 15 vary", TO_HORIZON, BENT, STRENGTHS[:1]),
    "one": lambda: hazards("complementary log-log link alone", (HORIZON,), NOTHING, STRENGTHS[:1], apart=False),
    "together": lambda: hazards(
        f"hazards to {HORIZON} days, one baseline", TO_HORIZON, NOTHING, STRENGTHS[:1], apart=False
    ),
    "year_together": lambda: hazards(
        f"hazards to {EDGES[-1]} days, one baseline", EDGES, NOTHING, STRENGTHS[:1], apart=False
    ),
    "same": lambda: hazards(f"hazards to {EDGES[-1]} days", EDGES, NOTHING),
    "bent": lambda: hazards(f"hazards to {EDGES[-1]} days, 15 vary", EDGES, BENT),
    "everything": lambda: hazards(f"hazards to {EDGES[-1]} days, all vary", EDGES, EVERYTHING, STRENGTHS[:1]),
}


def world(scenario: str, seed: int, pupils: int, kept: Path) -> pl.DataFrame:
    """Return the snapshots of a world with every window, from the folder if they are there."""
    file = kept / f"{scenario}-{pupils}-{seed}.parquet"
    if not file.is_file():
        kept.mkdir(parents=True, exist_ok=True)
        number = SCENARIOS[scenario]
        snapshots(scenario, seed, pupils, authorities=number, truth_since=JUDGED_SINCE, edges=EDGES).write_parquet(file)
    return pl.read_parquet(file)


def predicted(frame: pl.DataFrame, seed: int, ways: list[str], files: Path) -> Predictions:
    """Return margins of each way at every origin, from files if they are there."""
    origins = split(frame).origins
    margins: Risks = {}
    for way in ways:
        file = files.with_suffix(f".{way}.npz")
        if not file.is_file():
            learn = WAYS[way]()
            days = [
                learn(
                    Origin(
                        day=o.day,
                        past=frame.filter(pl.col("as_of") < o.day),
                        ahead=frame.filter(pl.col("as_of") == o.day),
                        seed=seed,
                    )
                )
                for o in origins
            ]
            np.savez(file, **{name: np.concatenate([day[name] for day in days]) for name in days[0]})
        margins |= dict(np.load(file))
    parts = [frame.filter(pl.col("as_of") == o.day) for o in origins]
    origin = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return Predictions(
        frame=pl.concat(parts),
        origin=origin,
        judged=np.array([o.judged for o in origins])[origin],
        seen=np.ones(len(origin), bool),
        margins=margins,
    )


def figures_table(predictions: Predictions, seed: int) -> Iterator[str]:
    """Yield the figures at the task's horizon, and the leads over the released ridge and over that of the same strength, as Markdown tables."""
    names = [n for n in predictions.margins if "read at" not in n]
    at_horizon = Predictions(
        frame=predictions.frame,
        origin=predictions.origin,
        judged=predictions.judged,
        seen=predictions.seen,
        margins={name: predictions.margins[name] for name in names} | {"truth": predictions.frame["risk"].to_numpy()},
    )
    figures, counts = drawn(at_horizon, seed)
    yield f"{counts['positives']} of {counts['snapshots']:,} judged snapshots went missing, {counts['early']} of them early.\n"
    yield f"| model | {' | '.join(FIGURES.values())} | slope |"
    yield "|---" * (2 + len(FIGURES)) + "|"
    for name, of in figures.items():
        slope = slope_of(at_horizon, name)
        shown = [f"{of[f][0]:{DIGITS[f]}}" for f in FIGURES] + ["" if slope is None else f"{slope:.2f}"]
        yield f"| {name} | {' | '.join(shown)} |"
    yield f"\n| leads | over | {' | '.join(FIGURES.values())} |"
    yield "|---" * (2 + len(FIGURES)) + "|"
    for name in names:
        same = next((f"ridge, {s}" for s in STRENGTHS if f", {s}" in name and f"ridge, {s}" in names), None)
        for other in dict.fromkeys((RELEASED, same)):
            if other in names and name != other:
                cells = [lead(figures[name][f][None] - figures[other][f][None], f) for f in FIGURES]
                yield f"| {name} | {other} | {' | '.join(c.partition(', ')[0] for c in cells)} |"


def horizons_table(predictions: Predictions, seed: int) -> Iterator[str]:
    """Yield average precision at other horizons, on the test dates whose windows are known whole, as a Markdown table."""
    names = list(predictions.margins)
    yield "| days | outcomes | model | average precision | leads the ridge that was taught there by |"
    yield "|---|---|---|---|---|"
    for horizon in OTHER_HORIZONS:
        label = predictions.frame[f"label_{horizon}"].to_numpy()
        whole = [n for n in np.unique(predictions.origin) if not np.isnan(label[predictions.origin == n]).all()]
        rows = np.flatnonzero(predictions.judged & np.isin(predictions.origin, whole) & ~np.isnan(label))
        weights = [np.ones(len(rows)), *Resamples(predictions.pupil[rows], seed).weights]
        taught = f"ridge of {horizon} days"
        at = [n for n in names if n in (taught, RELEASED) or n.endswith(f"read at {horizon}")]
        draws = {
            n: np.array(
                [average_precision(predictions.margins[n][rows], label[rows], w.astype(float)) for w in weights]
            )
            for n in at
        }
        for name in at:
            gain = lead((draws[name] - draws[taught])[None], "average_precision").partition(", ")[0]
            yield f"| {horizon} | {label[rows].sum():.0f} | {name} | {draws[name][0]:.3f} | {gain} |"


def contradicted(predictions: Predictions) -> str:
    """Return how many children have a lower risk in a longer window, by ridges that were each taught at one horizon."""
    rows = predictions.judged
    taught = [f"ridge of {OTHER_HORIZONS[0]} days", f"ridge, {STRENGTHS[0]}", f"ridge of {OTHER_HORIZONS[1]} days"]
    margins = [predictions.margins[name][rows] for name in taught]
    lower = [float(np.mean(longer < shorter)) for shorter, longer in pairwise(margins)]
    days = (OTHER_HORIZONS[0], HORIZON, OTHER_HORIZONS[1])
    return f"A lower risk in {days[1]} days than in {days[0]}: {lower[0]:.2%}; in {days[2]} than in {days[1]}: {lower[1]:.2%}."


@click.command()
@click.option("--pupils", default=20_000, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--scenario", type=click.Choice(list(SCENARIOS)), default="default", show_default=True)
@click.option("--only", type=click.Choice(list(WAYS)), multiple=True, help="Ways of learning; default: all.")
@click.option("--kept", type=click.Path(path_type=Path), default=Path(".onroll/hazards"), show_default=True)
def main(*, pupils: int, seed: int, scenario: str, only: tuple[str, ...], kept: Path) -> None:
    """Print the tables of a world."""
    frame = world(scenario, seed, pupils, kept)
    predictions = predicted(frame, seed, list(only or WAYS), kept / f"{scenario}-{pupils}-{seed}")
    click.echo(f"### {scenario}, {pupils:,} pupils, seed {seed}\n")
    for line in figures_table(predictions, seed):
        click.echo(line)
    if not only or "horizons" in only:
        click.echo("\n" + "\n".join(horizons_table(predictions, seed)) + "\n\n" + contradicted(predictions))


if __name__ == "__main__":
    main()
