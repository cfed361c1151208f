"""Every candidate on simulated populations with known true risks, in four scenarios and with several seeds.

``python -m benchmarks.scenarios [--seeds 3] [--pupils 10000] [--only SCENARIO] [--kept FOLDER] [--json]``. Each scenario and seed is a
separate population. Candidates are tuned on origins before the test dates and evaluated at rolling origins as by ``onroll train --tune``, on all
children who went missing and a weighted sample of the others, as in training with little memory (``training.fitting.sampling``). Results are stored
in files in the folder, so that interrupted runs resume; the table is computed from the files.

Figures are means over the seeds. Their 95% intervals are over resampled pupils of each world, averaged, and apply to these worlds only. The
share of the truth is the candidate's average precision over that of ordering by the true risk, on the same children.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import click
import numpy as np
import polars as pl

from features.catalogue import catalogue
from histories.io.atomic_write import new_file
from histories.population.simulation import simulate
from histories.reading.histories import Histories
from training.fitting.candidates import boosted, grid, releasable
from training.fitting.rolling_origin import Predictions, predict, weight_of
from training.fitting.selection import choose
from training.fitting.splits import split
from training.fitting.tuning import tune
from training.measures.evaluate import Judged, Resamples, interval, judge
from training.measures.metrics import numbers
from training.pipeline import finite
from training.task import Task

SCENARIOS = {
    "default": 2,
    "drift": 2,
    "two_authorities_differ": 2,
    "small_rural": 2,
}  # and their numbers of authorities
YEARS, TRIALS, MEMORY = 5, 4, "100MB"
TITLES = {c.name: c.title for c in grid(boosted.DEFAULTS)} | {
    "released": "released: the chosen candidate",
    "truth": "ordering by the true risk",
}
DRAWN = ("average_precision", "top_25_a_list.precision", "top_25_a_list.recall")


def answered(folder: Path, seed: int) -> tuple[Predictions, str]:
    """Tune, predict with every candidate at every origin and choose one; its predictions are also under ``released``."""
    frame = Task().labelled(Histories.open(folder), memory=MEMORY, seed=seed)
    splits = split(frame)
    settings = tune(
        frame, catalogue().names, splits, trials=TRIALS, start=boosted.DEFAULTS, seed=seed, study=f"seed {seed}"
    )
    candidates = grid(settings)
    predictions = predict(frame, catalogue().names, splits, candidates, seed)
    chosen, _ = choose(predictions, releasable(candidates, settings), seed)
    predictions.margins["released"] = predictions.margins[chosen]
    truth = pl.read_parquet(folder / "truth.parquet")
    keys = ["pupil_id", "as_of"]
    risk = predictions.frame.select(keys).join(truth, on=keys, how="left", maintain_order="left")["risk"]
    # Children who had left by the day without it being recorded have no risk and no row.
    predictions.margins["truth"] = risk.fill_null(0.0).to_numpy()
    return predictions, chosen


def world(scenario: str, seed: int, pupils: int) -> dict[str, Any]:
    """Return the figures and resampled figures of every candidate in one population."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        histories = Path(folder) / "h"
        simulate(
            histories,
            pupils=pupils,
            years=YEARS,
            authorities=SCENARIOS[scenario],
            seed=seed,
            scenario=scenario,
            truth=True,
        )
        predictions, chosen = answered(histories, seed)
    rows = np.flatnonzero(predictions.judged)
    frame = predictions.frame[rows]
    pupil, lists, label = numbers(frame, "pupil_id"), numbers(frame, "authority", "as_of"), frame["label"].to_numpy()
    resamples, candidates = Resamples(pupil, seed), {}
    for name, margins in predictions.margins.items():
        risk = predictions.risk(name)[rows] if name not in ("base_rate", "truth") else None
        figures, draws = judge(
            Judged(score=margins[rows], label=label, pupil=pupil, list_of=lists, weight=weight_of(frame)),
            risk,
            resamples,
        )
        at = figures["at_capacity"]["top_25_a_list"]
        candidates[name] = {
            "average_precision": figures["average_precision"],
            "auc": figures["auc"],
            "precision": at["precision"],
            "recall": at["recall"],
            "number_needed": at["number_needed"],
            "slope": figures.get("calibration_slope"),
            "draws": {d: draws[d].tolist() for d in DRAWN},
        }
    return finite(
        {
            "scenario": scenario,
            "seed": seed,
            "pupils": pupils,
            "catalogue": catalogue().digest,
            "chosen": chosen,
            "snapshots": round(float(frame["weight"].sum())),
            "positives": int(label.sum()),
            "seconds": time.perf_counter() - start,
            "candidates": candidates,
        }
    )


def row(worlds: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """Return a candidate's mean figures over worlds with their intervals, and the released model's lead."""

    def mean(figure: str, of: str = name) -> float:
        values = [w["candidates"][of][figure] for w in worlds]
        return float(np.mean([v for v in values if v is not None])) if any(v is not None for v in values) else np.nan

    def drawn(figure: str, of: str = name) -> np.ndarray:
        draws = [np.array(w["candidates"][of]["draws"][figure], float) for w in worlds]
        return np.mean(draws, axis=0)

    ap, truth = drawn("average_precision"), drawn("average_precision", "truth")
    lead = drawn("average_precision", "released") - ap
    low, high = interval(lead)
    return {
        "average_precision": [mean("average_precision"), *interval(ap)],
        "share_of_truth": [mean("average_precision") / mean("average_precision", "truth"), *interval(ap / truth)],
        "precision": [mean("precision"), *interval(drawn(DRAWN[1]))],
        "recall": [mean("recall"), *interval(drawn(DRAWN[2]))],
        "number_needed": 1 / max(mean("precision"), 1e-9),
        "auc": mean("auc"),
        "slope": mean("slope"),
        "lead": [mean("average_precision", "released") - mean("average_precision"), low, high],
        "within_noise": low is None or high is None or low <= 0 <= high,
    }


def table(scenario: str, worlds: list[dict[str, Any]]) -> str:
    """Return the candidates of a scenario as a Markdown table."""
    positives = sum(w["positives"] for w in worlds)
    chosen = ", ".join(f"{w['chosen']} (seed {w['seed']})" for w in worlds)
    lines = [
        f"### {scenario}",
        "",
        f"{len(worlds)} populations of {worlds[0]['pupils']:,} pupils; {positives} of {sum(w['snapshots'] for w in worlds):,} judged snapshots went missing. Released: {chosen}.",
        "",
        "| candidate | average precision (95%) | share of the truth's | precision, 25 a list | recall | needed to see | AUC | slope | released leads by |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name in worlds[0]["candidates"]:
        r = row(worlds, name)
        lead, low, high = r["lead"]
        ahead = "" if name in ("released", "truth") else f"{lead:+.3f} ({low:+.3f} to {high:+.3f})"
        ahead += ", within noise" if ahead and r["within_noise"] else ""
        slope = "" if np.isnan(r["slope"]) else f"{r['slope']:.2f}"
        lines.append(
            f"| {TITLES[name]} | {_three(r['average_precision'], '.3f')} | {_three(r['share_of_truth'], '.0%')} | {_three(r['precision'], '.1%')} "
            f"| {_three(r['recall'], '.0%')} | {r['number_needed']:.0f} | {r['auc']:.2f} | {slope} | {ahead} |"
        )
    return "\n".join(lines)


def _three(figure: list[Any], form: str) -> str:
    value, low, high = figure
    return f"{value:{form}} ({low:{form}} to {high:{form}})"


@click.command()
@click.option("--seeds", default=3, show_default=True)
@click.option("--pupils", default=10_000, show_default=True)
@click.option("--only", type=click.Choice(list(SCENARIOS)), multiple=True)
@click.option("--kept", type=click.Path(path_type=Path), default=Path(".onroll/scenarios"), show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(seeds: int, pupils: int, only: tuple[str, ...], kept: Path, as_json: bool) -> None:
    """Compute missing results, and print a table for each scenario."""
    for seed in range(1, seeds + 1):
        for scenario in only or SCENARIOS:
            file = kept / f"{scenario}-{seed}-{pupils}.json"
            if not file.is_file() or json.loads(file.read_text())["catalogue"] != catalogue().digest:
                results = world(scenario, seed, pupils)
                with new_file(file) as temporary:
                    temporary.write_text(json.dumps(results))
                click.echo(f"{scenario}, seed {seed}: {results['seconds']:.0f} s", err=True)
    by = {
        s: [json.loads((kept / f"{s}-{n}-{pupils}.json").read_text()) for n in range(1, seeds + 1)]
        for s in only or SCENARIOS
    }
    if as_json:
        click.echo(json.dumps({s: {n: row(w, n) for n in w[0]["candidates"]} for s, w in by.items()}, indent=1))
    else:
        click.echo("\n\n".join(table(s, w) for s, w in by.items()))


if __name__ == "__main__":
    main()
