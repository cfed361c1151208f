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
    from training.evidence import of_training
    from training.papers import Authority, Material
    from training.papers.written import REPORT
    from training.question import Question
    from training.registry import check_log, register, serving_folder
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
    check_log(own, "onroll")
    with progress("training") as advance:
        tracked = Run(own)
        try:
            made = run(opened, question, config=booster, seed=seed, memory=own.memory, kept=BlockStore(own.blocks), trials=trials, storage=own.studies, told=tracked.trial, advance=advance)  # fmt: skip
            more = deeper(opened, question, made, seed, advance) if report else {}
            # The first model serves without anybody's leave; what its gates would need is found out when it is asked for.
            champion = serving_folder(own, "onroll")
            proof = of_training(opened, question, made, champion, seed, advance) if champion else None
            advance(description="tracking")
            material = Material.of(opened, question, made, facts=facts, run_id=tracked.run_id, report=more)
            beside = {"report.json": more, "evidence.json": proof}
            tracked.finish(made, material, {n: json.dumps(said, indent=1) for n, said in beside.items() if said})
        except BaseException:
            tracked.fail()
            raise
        version, folder = register(own, made, tracked.run_id, material, proof)
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
@click.argument("histories", type=click.Path())
@json_option
def judge(version: int, histories: str, as_json: bool) -> None:
    """Find out what VERSION's gates need on HISTORIES, in which more outcomes are known by now than when it was trained."""
    from features.block_store import BlockStore
    from histories.opening import Histories
    from histories.settings import settings
    from training.evidence import of_version
    from training.promotion import judged, say_judged
    from training.registry import check_log, folder_of, serving_folder

    own = settings()
    folder = folder_of(own, "onroll", version)
    check_log(own, "onroll")
    opened = Histories.open(histories, engine=own.engine, memory=own.memory)
    with progress("judging") as advance:
        champion, before = serving_folder(own, "onroll"), judged(own, "onroll", version)
        found = of_version(
            opened, folder, champion, before, memory=own.memory, kept=BlockStore(own.blocks), advance=advance
        )
    entry = say_judged(own, "onroll", version, found)
    text = f"judged on {', '.join(found['judged_on'])}: run 'onroll models gates {version}'"
    result({**found, "logged": entry}, as_json=as_json, text=text)


@models.command("gates")
@click.argument("version", type=int)
@click.option("--approver", "--by", "who", default="", help="Who would approve.")
@click.option("--reason", "why", default="", help="Why.")
@json_option
def gates_(version: int, who: str, why: str, as_json: bool) -> None:
    """Say which gates VERSION would pass, without promoting it; exit 1 when it would not pass all."""
    from dataclasses import asdict

    from histories.settings import settings
    from training.promotion import gates

    found = [asdict(v) for v in gates(settings(), "onroll", version, who=who, why=why)]
    result({"version": version, "gates": found}, as_json=as_json, text=_gates(found))
    if not all(v["passed"] for v in found):
        raise SystemExit(1)


def _gates(verdicts: list[dict[str, Any]], *, only_failed: bool = False) -> str:
    lines = []
    for v in verdicts:
        if not v["passed"]:
            lines += [f"{v['code']} FAILED {v['title']}", f"     measured: {v['measured']}", f"     asked:    {v['limit']}", f"     {v['do']}"]  # fmt: skip
        elif not only_failed:
            lines.append(f"{v['code']} passed {v['title']}: {v['measured']}")
    return "\n".join(lines)


@models.command()
@click.argument("version", type=int)
@click.option("--approver", "--by", "who", required=True, help="Who approves; somebody other than who trained.")
@click.option("--reason", "why", required=True, help="Why.")
@json_option
def promote(version: int, who: str, why: str, as_json: bool) -> None:
    """Make VERSION the champion if it passes every gate (docs/models.md); exit 1 with those that it does not."""
    from histories.settings import settings
    from training.promotion import promote as ask

    entry = ask(settings(), "onroll", version, who=who, why=why)
    passed = entry["action"] == "promoted"
    if passed:
        text = f"version {version} is the champion; before: {entry['before']}; {len(entry['gates'])} gates passed"
        if entry["account"] == entry["trained_by"]:
            text += f"\nthe account {entry['account']} trained it and ran this; the approver's name is what was typed"
    else:
        text = f"version {version} is refused\n{_gates(entry['gates'], only_failed=True)}"
    result(entry, as_json=as_json, text=text)
    if not passed:
        raise SystemExit(1)


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
    from training.release import moves

    entries = moves(settings().releases, "onroll")
    lines = [
        f"{e['at']}  {e['alias']} -> v{e['version']} (before: {e['before']})  {e['by']}: {e['why']}" for e in entries
    ]
    result({"history": entries}, as_json=as_json, text="\n".join(lines) or "nothing yet")


@models.command("log")
@json_option
def log_(as_json: bool) -> None:
    """Show the whole log: registered, judged, promoted, refused and rolled back, by whom, why and on what grounds."""
    from histories.settings import settings
    from training.registry import history

    entries = history(settings(), "onroll")
    lines = []
    for e in entries:
        failed = ", ".join(v["code"] for v in e.get("gates", []) if not v["passed"])
        grounds = f"; failed {failed}" if failed else f"; {len(e['gates'])} gates passed" if e.get("gates") else ""
        lines.append(f"{e['at']}  v{e['version']} {e.get('action', 'moved')} by {e['by']}: {e['why']}{grounds}")
    result({"log": entries}, as_json=as_json, text="\n".join(lines) or "nothing yet")


@models.command()
@json_option
def verify(as_json: bool) -> None:
    """Follow the log's chain to the end that MLflow has noted; exit 1 and the first line that does not hold."""
    from dataclasses import asdict

    from histories.settings import settings
    from training.registry import verify as follow

    found = follow(settings(), "onroll")
    text = f"{found.lines} lines hold" if found.whole else f"line {found.bad}: {found.why}"
    if found.unchained:
        text += f"; the first {found.unchained} are from before lines were chained"
    result({**asdict(found), "whole": found.whole}, as_json=as_json, text=text)
    if not found.whole:
        raise SystemExit(1)


verbs = [train, models]
