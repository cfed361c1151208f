"""The verb ``onroll train``."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from histories.io.terminal import json_option, known_option, progress, result

DAY = click.DateTime(formats=["%Y-%m-%d"])


def _date(value: datetime | None) -> date | None:
    return value.date() if value else None


@click.command()
@click.argument("histories", type=click.Path())
@click.option(
    "--definition",
    default="commissioner_or_unknown",
    show_default=True,
    help="Name or TOML file of a definition of missing.",
)
@click.option(
    "--horizon",
    type=click.IntRange(7, 730),
    default=120,
    show_default=True,
    help="Days of the outcome window.",
)
@click.option("--as-of", "as_of", type=DAY, multiple=True, help="Days to ask on; without it, the start of each term.")
@click.option("--cohort", type=click.Path(path_type=Path), help="TOML file with the rule of who is scored.")
@click.option("--config", type=click.Path(path_type=Path), help="TOML file with settings of the booster.")
@click.option("--until", type=DAY, help="Use nothing recorded on or after this day.")
@known_option
@click.option(
    "--tune",
    "trials",
    type=click.IntRange(0, 1000),
    default=0,
    show_default=True,
    help="Settings of the booster to try; a broken off search goes on.",
)
@click.option(
    "--report",
    is_flag=True,
    help="Also judge by group, theme, authority and week, say who was missed, and write a report for people beside the model; takes several times as long.",
)
@click.option("--seed", type=int, default=1, show_default=True)
@json_option
def train(
    histories: str,
    definition: str,
    horizon: int,
    as_of: tuple[datetime, ...],
    cohort: Path | None,
    config: Path | None,
    until: datetime | None,
    known: datetime | None,
    trials: int,
    report: bool,
    seed: int,
    as_json: bool,
) -> None:
    """Train a model on HISTORIES, judge it, track it and register it."""
    from features import CohortRule, Definition
    from features.counting.block_cache import BlockStore
    from histories import location_cache
    from histories.reading.histories import Histories
    from histories.settings import settings
    from training.evaluation.extended import deeper
    from training.fitting.booster_settings import load_config
    from training.papers import Authority, Material
    from training.papers.rendering import STEMS
    from training.papers.written import REPORT
    from training.pipeline import train as run
    from training.release.gate_evidence import of_training
    from training.release.registry import check_log, register, serving_folder
    from training.release.tracking import Run
    from training.task import Task

    own = settings()
    days = tuple(sorted(d.date() for d in as_of))
    rule, booster = CohortRule.load(cohort), load_config(config)
    question = Task(
        definition=Definition.load(definition),
        horizon=horizon,
        as_of=days,
        rule=rule,
        until=_date(until),
        known=_date(known),
    )
    opened = Histories.open(histories, engine=own.engine, memory=own.memory)
    question.days(opened)
    facts = Authority.load(own.authority_facts)
    check_log(own, "onroll")
    with progress("training") as advance:
        tracked = Run(own)
        try:
            made = run(
                opened,
                question,
                config=booster,
                seed=seed,
                memory=own.memory,
                kept=BlockStore(own.blocks),
                trials=trials,
                storage=own.studies,
                told=tracked.trial,
                advance=advance,
            )
            more = deeper(opened, question, made, seed, advance) if report else {}
            # The first model serves without anybody's leave; what its gates would need is found out when it is asked for.
            champion = serving_folder(own, "onroll")
            proof = (
                of_training(
                    histories=opened, question=question, trained=made, champion=champion, seed=seed, advance=advance
                )
                if champion
                else None
            )
            advance(description="tracking")
            material = Material.of(opened, question, made, facts=facts, run_id=tracked.run_id, report=more)
            beside = {"report.json": more, "evidence.json": proof}
            tracked.finish(made, material, {n: json.dumps(said, indent=1) for n, said in beside.items() if said})
        except BaseException:
            tracked.fail()
            raise
        version, folder = register(own, made, tracked.run_id, material, proof)
        location_cache.remember(own.whereabouts, made.manifest.data_digest, histories)
    m = made.manifest
    data = {
        "run_id": tracked.run_id,
        "name": m.name,
        "version": version,
        "folder": str(folder),
        "candidate": m.candidate,
        "metrics": m.metrics,
        "leads": made.against,
        "chosen": made.story,
        "settings": made.settings,
        "report": more,
        "papers": sorted(f.name for f in folder.iterdir() if f.name == REPORT or f.stem in STEMS.values()),
    }
    said = [_figures(m.metrics, made.against, version, made.splits.text())]
    said += [f"report: {folder / REPORT}"] if report else []
    result(data, as_json=as_json, text="\n".join(said))


def _figures(metrics: dict[str, Any], leads: dict[str, Any], version: int, splits: str) -> str:
    lines = [
        splits,
        f"{'candidate':14} {'average precision':>18} {'95% interval':>17} {'AUC':>6}  lead of the chosen one",
    ]
    for name, f in metrics.items():
        low, high = f["intervals"]["average_precision"]
        lead = leads.get(name, {}).get("average_precision")
        ahead = "chosen" if lead is None else f"{lead['lead']:+.4f}{', within noise' if lead['within_noise'] else ''}"
        lines.append(
            f"{name:14} {f['average_precision']:18.4f} {low or 0:8.4f}-{high or 0:.4f} {f['auc']:7.3f}  {ahead}"
        )
    return "\n".join([*lines, f"registered as version {version}"])


verbs = [train]
