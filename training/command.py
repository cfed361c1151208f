"""The verbs ``onroll train`` and ``onroll models``."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from histories.terminal import json_option, known_option, progress, result

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
    histories: str, definition: str, horizon: int, as_of: tuple[datetime, ...], cohort: Path | None, config: Path | None, until: datetime | None,
    known: datetime | None, trials: int, report: bool, seed: int, as_json: bool,
) -> None:  # fmt: skip
    """Train a model on HISTORIES, judge it, track it and register it."""
    from features import CohortRule, Definition
    from features.block_store import BlockStore
    from histories.opening import Histories
    from histories.settings import settings
    from training.config import load_config
    from training.papers import Authority, Material
    from training.papers.written import REPORT
    from training.question import Question
    from training.registry import register
    from training.report import deeper
    from training.tracking import Run
    from training.training import train as run

    own = settings()
    days = tuple(sorted(d.date() for d in as_of))
    rule, booster = CohortRule.load(cohort), load_config(config)
    question = Question(Definition.load(definition), horizon, days, rule, _date(until), _date(known))
    opened = Histories.open(histories, engine=own.engine, memory=own.memory)
    question.days(opened)
    facts = Authority.load(own.authority_facts)
    with progress("training") as advance:
        tracked = Run(own)
        try:
            made = run(opened, question, config=booster, seed=seed, memory=own.memory, kept=BlockStore(own.blocks), trials=trials, storage=own.studies, told=tracked.trial, advance=advance)  # fmt: skip
            more = deeper(opened, question, made, seed, advance) if report else {}
            advance(description="tracking")
            material = Material.of(opened, question, made, facts=facts, run_id=tracked.run_id, report=more)
            tracked.finish(made, material, {"report.json": json.dumps(more, indent=1)} if more else {})
        except BaseException:
            tracked.fail()
            raise
        version, folder = register(own, made, tracked.run_id, material)
    m = made.manifest
    data = {
        "run_id": tracked.run_id, "name": m.name, "version": version, "folder": str(folder), "candidate": m.candidate, "metrics": m.metrics,
        "leads": made.against, "chosen": made.story, "settings": made.settings, "report": more,
        "papers": sorted(f.name for f in folder.iterdir() if f.suffix in (".md", ".html", ".json")),
    }  # fmt: skip
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


@click.group()
def models() -> None:
    """Look at the registry, and move the champion."""


@models.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the versions with their aliases and figures."""
    from histories.settings import settings
    from training.registry import versions

    found = versions(settings(), "onroll")
    lines = [
        f"v{v['version']:<4} {','.join(v['aliases']) or '-':12} average precision {v['average_precision']:.4f}  {v['definition']}, {v['horizon_days']} days, {v['trained_on']}"
        for v in found
    ]
    result({"versions": found}, as_json=as_json, text="\n".join(lines) or "no model yet: run 'onroll train'")


@models.command()
@click.argument("model", default="onroll@champion")
@json_option
def show(model: str, as_json: bool) -> None:
    """Show the card of a model (name@alias, or its folder)."""
    from histories.settings import settings
    from training.bundle import CARD, MANIFEST, read_bundle
    from training.release import resolve

    folder = resolve(model, settings().releases)
    read_bundle(folder)
    card = (folder / CARD).read_text(encoding="utf-8")
    result(json.loads((folder / MANIFEST).read_text(encoding="utf-8")), as_json=as_json, text=card)


@models.command()
@click.argument("first", default="onroll@champion")
@click.argument("second", default="onroll@challenger")
@json_option
def compare(first: str, second: str, as_json: bool) -> None:
    """Compare the figures of two models, each on its own newest dates."""
    from histories.settings import settings
    from training.bundle import read_bundle
    from training.release import resolve

    found = {m: read_bundle(resolve(m, settings().releases))[1].figures for m in (first, second)}
    lines = [
        f"{m:24} average precision {f['average_precision']:.4f}  interval {f['intervals']['average_precision']}"
        for m, f in found.items()
    ]
    result(found, as_json=as_json, text="\n".join(lines))


@models.command()
@click.argument("version", type=int)
@click.option("--by", "who", required=True, help="Who promotes.")
@click.option("--reason", "why", required=True, help="Why.")
@json_option
def promote(version: int, who: str, why: str, as_json: bool) -> None:
    """Make VERSION the champion."""
    from histories.settings import settings
    from training.registry import promote as move

    entry = move(settings(), "onroll", version, who=who, why=why)
    result(entry, as_json=as_json, text=f"version {version} is the champion; before: {entry['before']}")


@models.command()
@click.option("--by", "who", required=True, help="Who rolls back.")
@click.option("--reason", "why", required=True, help="Why.")
@json_option
def rollback(who: str, why: str, as_json: bool) -> None:
    """Give the champion's alias back to the version before."""
    from histories.settings import settings
    from training.registry import rollback as back

    entry = back(settings(), "onroll", who=who, why=why)
    result(entry, as_json=as_json, text=f"version {entry['version']} is the champion again")


@models.command("history")
@json_option
def history_(as_json: bool) -> None:
    """Say who moved which alias, when and why."""
    from histories.settings import settings
    from training.registry import history

    entries = history(settings(), "onroll")
    lines = [
        f"{e['at']}  {e['alias']} -> v{e['version']} (before: {e['before']})  {e['by']}: {e['why']}" for e in entries
    ]
    result({"history": entries}, as_json=as_json, text="\n".join(lines) or "nothing yet")


verbs = [train, models]
