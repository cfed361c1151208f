"""Every candidate on simulated populations with known true risks: scenarios and seeds, and one whose children go missing by other rules.

``python -m benchmarks.scenarios [--seeds 1,2,3,4,5] [--pupils 20000] [--only SCENARIO] [--ceiling SCENARIO] [--authorities N] [--kept FOLDER]``. Each scenario and
seed is a separate population over four years, trained and judged as by ``onroll train`` without ``--tune``: default settings, default as-of dates
(the start of each term), rolling origins, four test dates. Results are stored in files in the folder, one for each world, so that an
interrupted run resumes; the tables are computed from the files. Nothing in onroll is tuned on ``other_rules``.

Figures are means over the seeds. The 95% intervals of the released candidate's leads are over resampled pupils of each world, paired and averaged,
and apply to these worlds; beside them stands in how many worlds it leads. *Soft* is explained in ``benchmarks.worlds``, the ceiling in
``benchmarks.ceiling``. Early recall is that of outcomes at least 28 days away among children not yet stopping, with so many places on each list.
Held is the share of the score's intervals that contain the true rate of children with such a score, and the child's own risk
(``benchmarks.coverage``; ``benchmarks.held`` has more), of the released candidate on the newest test date.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import polars as pl

from benchmarks.ceiling import CEILINGS, ceilings
from benchmarks.coverage import binned, scored
from benchmarks.worlds import JUDGED_SINCE, counted, judged, rows_of, snapshots, soft_draws
from features.catalogue import catalogue
from histories.io.atomic_write import new_file
from histories.io.quantities import quantity
from training.fitting.candidates import boosted, grid, releasable
from training.fitting.partial_windows import learned_before
from training.fitting.rolling_origin import Predictions, onset_of, predict
from training.fitting.selection import choose
from training.fitting.splits import Splits, split
from training.measures import calibration
from training.measures.evaluate import Resamples, interval
from training.measures.metrics import ordered_precision, share_listed
from training.pipeline import finite

# And their numbers of authorities.
SCENARIOS = {"default": 1, "drift": 1, "two_authorities_differ": 2, "small_rural": 1, "other_rules": 1}
LEFT_OUT = ("lightgbm_free",)  # it cannot be released, and takes as long as all that can
LEAD_DAYS, CAPACITIES = 28, (25, 100)
STEPS = ("population", "candidates", "ceiling", "figures", "coverage")
TITLES = {c.name: c.title for c in grid(boosted.DEFAULTS)} | {
    "released": "**the released candidate**",
    "ceiling": "the ceiling: told the true risks of other pupils",
    "ceiling_early": "the ceiling among those not yet stopping",
    "truth": "ordering by the true risk",
}
FIGURES = {
    "average_precision": "average precision",
    "soft": "soft",
    "soft_early": "soft, not yet stopping",
    "early_recall_25": "early recall, 25 a day",
    "early_recall_100": "100 a day",
}
DIGITS = dict(zip(FIGURES, (".3f", ".3f", ".4f", ".1%", ".1%"), strict=True))


def predicted(frame: pl.DataFrame, splits: Splits, seed: int) -> tuple[Predictions, str]:
    """Predict with every candidate at every origin and choose one; its predictions are also under ``released``."""
    candidates = [c for c in grid(boosted.DEFAULTS) if c.name not in LEFT_OUT]
    predictions = predict(frame, catalogue().names, splits, candidates, seed)
    chosen, _ = choose(predictions, releasable(candidates, boosted.DEFAULTS), seed)
    predictions.margins["released"] = predictions.margins[chosen]
    return predictions, chosen


def drawn(predictions: Predictions, seed: int) -> tuple[dict[str, dict[str, np.ndarray]], dict[str, int]]:
    """Return each candidate's ``FIGURES`` on the test dates and the counts behind them.

    Returns
    -------
    figures, counts : dict
        The first number of each figure is that of the pupils themselves; the others are of resamples of pupils, the same for each candidate.
    """
    tested = judged(predictions)
    weights = [np.ones(len(tested.frame)), *(w.astype(float) for w in Resamples(tested.pupil, seed).weights)]
    onset, label = onset_of(tested.frame), tested.label
    assert onset is not None
    early = (label == 1) & (onset.days >= LEAD_DAYS) & ~onset.stopping
    figures = {}
    for name, score in tested.margins.items():
        order = np.argsort(-score, kind="stable")
        figures[name] = {
            "average_precision": np.array([ordered_precision(score[order], label[order], w[order]) for w in weights]),
            "soft": soft_draws(tested, name, weights, early=False),
            "soft_early": soft_draws(tested, name, weights, early=True),
        }
        for capacity in CAPACITIES:
            share = np.zeros(len(label))
            not_yet = ~onset.stopping
            share[not_yet] = share_listed(score[not_yet], tested.list_of[not_yet], capacity)
            figures[name][f"early_recall_{capacity}"] = _recalls(share[early], [w[early] for w in weights])
    counts = {"snapshots": len(label), "positives": int(label.sum()), "early": int(early.sum())}
    return figures, counts


def _recalls(share: np.ndarray, weights: list[np.ndarray]) -> np.ndarray:
    """Return the listed share of outcomes counted so many times; NaN where none is counted."""
    total = np.array([w.sum() for w in weights])
    return np.divide(np.array(weights) @ share, total, out=np.full(len(total), np.nan), where=total > 0)


def slope_of(predictions: Predictions, name: str) -> float | None:
    """Return a candidate's calibration slope on the test dates, each calibrated on earlier origins; None for what has no risks."""
    if name in ("base_rate", *CEILINGS, "truth"):
        return None
    risk = predictions.risk(name)[predictions.judged]
    return calibration.fit(np.log(risk / (1 - risk)), predictions.label[predictions.judged])[0]


def held(frame: pl.DataFrame, predictions: Predictions, chosen: str, seed: int) -> dict[str, float]:
    """Return the shares of the newest test date's intervals that contain the true rate of their bin, and the child's own risk."""
    last = int(predictions.origin.max())
    known = rows_of(predictions, np.flatnonzero(predictions.origin < last))
    ahead = predictions.frame.filter(pl.Series(predictions.origin == last))
    past = learned_before(frame, ahead["as_of"][0])
    margins, low, high = scored(past, known, ahead, chosen=chosen, settings=boosted.DEFAULTS, seed=seed)
    truth = ahead["risk"].to_numpy() * counted()[ahead["as_of"][0]]
    bounds = binned(margins, low, high, truth)
    return {
        "rates": float(np.mean((bounds[:, 0] <= bounds[:, 2]) & (bounds[:, 2] <= bounds[:, 1]))),
        "children": float(np.mean((low <= truth) & (truth <= high))),
    }


def world(
    scenario: str, seed: int, *, pupils: int, authorities: int, with_ceiling: bool, with_coverage: bool
) -> dict[str, Any]:
    """Return the figures and resampled figures of every candidate in one population."""
    clock = [time.process_time()]
    since = None if with_ceiling else JUDGED_SINCE
    frame = snapshots(scenario, seed, pupils, authorities=authorities, truth_since=since)
    clock.append(time.process_time())
    predictions, chosen = predicted(frame, split(frame), seed)
    clock.append(time.process_time())
    if with_ceiling:
        predictions.margins |= ceilings(frame, predictions, catalogue().names, seed)
    clock.append(time.process_time())
    predictions.margins["truth"] = predictions.frame["risk"].to_numpy()
    figures, counts = drawn(predictions, seed)
    slopes = {name: slope_of(predictions, name) for name in figures}
    clock.append(time.process_time())
    shares = held(frame, predictions, chosen, seed) if with_coverage else None
    clock.append(time.process_time())
    return finite(
        {
            "scenario": scenario,
            "seed": seed,
            "pupils": pupils,
            "authorities": authorities,
            "catalogue": catalogue().digest,
            "chosen": chosen,
            **counts,
            "candidates": {
                name: {"draws": {f: d.tolist() for f, d in of.items()}, "slope": slopes[name]}
                for name, of in figures.items()
            },
            "held": shares,
            "seconds": dict(zip(STEPS, np.diff(clock).tolist(), strict=True)),
        }
    )


def draws_of(worlds: list[dict[str, Any]], name: str, figure: str) -> np.ndarray:
    """Return a candidate's figure in each world and resample, shape (worlds, 1 + resamples)."""
    return np.array([w["candidates"][name]["draws"][figure] for w in worlds], float)


def figures_table(worlds: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a scenario's candidates and their mean figures as a Markdown table."""
    with_ceiling = all(set(CEILINGS) <= set(w["candidates"]) for w in worlds)
    columns = [*FIGURES.values(), "slope", "held: rates, own risks"]
    columns[3:3] = ["share of the ceiling: everybody, not yet stopping"] * with_ceiling
    yield f"| candidate | {' | '.join(columns)} |"
    yield "|---" * (1 + len(columns)) + "|"
    for name in [n for n in worlds[0]["candidates"] if all(n in w["candidates"] for w in worlds)]:
        mean = {f: float(np.nanmean(draws_of(worlds, name, f)[:, 0])) for f in FIGURES}
        shown = [f"{mean[f]:{DIGITS[f]}}" for f in FIGURES]
        if with_ceiling:
            top = [
                float(np.nanmean(draws_of(worlds, n, f)[:, 0]))
                for n, f in zip(CEILINGS, list(FIGURES)[1:3], strict=True)
            ]
            shown.insert(3, f"{mean['soft'] / top[0]:.2f}, {mean['soft_early'] / top[1]:.2f}")
        slopes = [w["candidates"][name]["slope"] for w in worlds]
        shown.append("" if None in slopes else f"{np.mean(slopes):.2f}")
        covered = [w["held"] for w in worlds if w["held"] and name == "released"]
        shares = [np.mean([c[key] for c in covered]) for key in ("rates", "children") if covered]
        shown.append(", ".join(f"{share:.0%}" for share in shares))
        yield f"| {TITLES[name]} | {' | '.join(shown)} |"


def leads_table(worlds: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the released candidate's leads over each other in a scenario as a Markdown table."""
    yield f"| the released one leads | {' | '.join(FIGURES.values())} |"
    yield "|---" * (1 + len(FIGURES)) + "|"
    others = [n for n in TITLES if n not in ("released", *CEILINGS, "truth") and n in worlds[0]["candidates"]]
    for name in others:
        cells = [lead(draws_of(worlds, "released", f) - draws_of(worlds, name, f), f) for f in FIGURES]
        yield f"| {TITLES[name]} | {' | '.join(cells)} |"


def lead(draws: np.ndarray, figure: str) -> str:
    """Return a mean lead with its paired interval, and in how many worlds it is above zero."""
    low, high = interval(np.nanmean(draws[:, 1:], axis=0))
    ahead, mean, tied = int((draws[:, 0] > 0).sum()), float(np.nanmean(draws[:, 0])), not np.nan_to_num(draws).any()
    if tied or low is None or high is None:
        return "the same"
    form = f"+z{DIGITS[figure]}"
    return f"{mean:{form}} ({low:{form}} to {high:{form}}), {ahead} of {len(draws)}"


def report(scenario: str, worlds: list[dict[str, Any]]) -> str:
    """Return a scenario's tables with a heading and the counts behind them."""
    chosen = [w["chosen"] for w in worlds]
    released = ", ".join(f"{name} ({chosen.count(name)})" for name in dict.fromkeys(chosen))
    positives, early, rows = (sum(w[k] for w in worlds) for k in ("positives", "early", "snapshots"))
    seconds = np.mean([sum(w["seconds"].values()) for w in worlds])
    covered = ", ".join(str(w["seed"]) for w in worlds if w["held"])
    lines = [
        f"### {scenario}",
        "",
        f"{quantity(len(worlds), 'population')} of {worlds[0]['pupils']:,} pupils in {quantity(worlds[0]['authorities'], 'authority')} (seeds {', '.join(str(w['seed']) for w in worlds)}); "
        f"{positives} of {rows:,} judged snapshots went missing, {early} of them early. Released: {released}. "
        f"Coverage of seeds {covered or 'none'}; {seconds:.0f} s of processor time a world.",
        "",
        *figures_table(worlds),
        "",
        *leads_table(worlds),
    ]
    return "\n".join(lines)


def stored(file: Path, with_ceiling: bool, with_coverage: bool) -> dict[str, Any] | None:
    """Return a world's results from its file; None if it has to be computed."""
    if not file.is_file():
        return None
    results: dict[str, Any] = json.loads(file.read_text())
    needed = set(TITLES) - set(LEFT_OUT) - (set() if with_ceiling else set(CEILINGS))
    complete = needed <= set(results["candidates"]) and (not with_coverage or results["held"])
    return results if results["catalogue"] == catalogue().digest and complete else None


@click.command()
@click.option("--seeds", default="1,2,3,4,5", show_default=True)
@click.option("--pupils", default=20_000, show_default=True)
@click.option("--only", type=click.Choice(list(SCENARIOS)), multiple=True)
@click.option("--authorities", type=int, help="Share the pupils between so many; default: one, or two that differ.")
@click.option("--ceiling", "with_ceiling", type=click.Choice(list(SCENARIOS)), multiple=True)
@click.option("--coverage", default="1", show_default=True, help="Seeds of which intervals are checked.")
@click.option("--kept", type=click.Path(path_type=Path), default=Path(".onroll/worlds"), show_default=True)
def main(
    *,
    seeds: str,
    pupils: int,
    only: tuple[str, ...],
    authorities: int | None,
    with_ceiling: tuple[str, ...],
    coverage: str,
    kept: Path,
) -> None:
    """Compute missing results, seed by seed, and print the tables of each scenario."""
    worlds: dict[str, list[dict[str, Any]]] = {s: [] for s in only or SCENARIOS}
    checked = [int(n) for n in coverage.split(",") if n]
    for seed in map(int, seeds.split(",")):
        for scenario in worlds:
            number = authorities or SCENARIOS[scenario]
            file = kept / f"{scenario}-{pupils}-{number}-{seed}.json"
            results = stored(file, scenario in with_ceiling, seed in checked)
            if results is None:
                results = world(
                    scenario,
                    seed,
                    pupils=pupils,
                    authorities=number,
                    with_ceiling=scenario in with_ceiling,
                    with_coverage=seed in checked,
                )
                with new_file(file) as temporary:
                    temporary.write_text(json.dumps(results))
                spent = ", ".join(f"{k} {v:.0f} s" for k, v in results["seconds"].items())
                click.echo(f"{scenario}, seed {seed}: {spent}", err=True)
            worlds[scenario].append(results)
    click.echo("\n\n".join(report(s, w) for s, w in worlds.items()))


if __name__ == "__main__":
    main()
