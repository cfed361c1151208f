"""The ``models`` commands that need the service's store: promote, roll back, judge, verify and ``shadow``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from histories.errors import Fault
from histories.io.terminal import json_option, progress, result
from histories.settings import Settings
from serving.cli.kept_words import refuse_names_of_children
from serving.cli.recorded import recorded
from serving.cli.timeline import timeline
from serving.cli.withdraw import withdraw
from training.cli.adopt import adopt
from training.cli.helped_option import helped_option
from training.cli.models import gates_text, models


def _record(settings: Settings, line: dict[str, Any]) -> None:
    """Record in the audit the line of the log that a command has written: only then does the service act on it."""
    from serving.store.audit.model_log import record

    record(settings, "onroll", line)


def _refuse_unless_audited(settings: Settings, name: str = "onroll") -> None:
    """Raise ``Mismatch`` if the audit contradicts the log: a new line would legitimise a rewritten log."""
    from serving.store.audit.model_log import check_where_audited

    check_where_audited(settings, name)


def _require_second_person(settings: Settings, act: dict[str, Any]) -> None:
    """Raise unless a second person confirmed an act, where that is set."""
    from serving.store import Store
    from serving.store.audit.approvals import require

    if settings.second_person:
        require(Store.of(settings), settings, act)


def _faults_of(settings: Settings, name: str) -> list[Fault]:
    """Return what in the folder of a model disagrees with its log, and either with the audit: all that a service would refuse."""
    from histories.errors import Faults
    from serving.store.audit.model_log import check_release_where_audited
    from training.release.releases import disagreements
    from training.release.resolve import aliases, find_release

    faults = disagreements(settings.releases, name, settings.verify_keys)
    try:
        _refuse_unless_audited(settings, name)
        for alias in () if faults else aliases(settings.releases, name):
            release = find_release(f"{name}@{alias}", settings.releases, settings.verify_keys)
            check_release_where_audited(settings, release)
    except Faults as audit:
        faults += audit.faults
    return faults


def _faults_of_setting(settings: Settings) -> tuple[list[Fault], list[str]]:
    """Return the faults of what ONROLL_MODEL names, and what to know of it, unless it is an alias of our own model."""
    from histories.errors import Faults
    from training.bundle import read_bundle
    from training.release.resolve import find_release

    name, _, alias = settings.model.partition("@")
    if alias and name == "onroll":
        return [], []
    faults = _faults_of(settings, name) if alias else []
    try:
        release = find_release(settings.model, settings.releases, settings.verify_keys)
        read_bundle(release.folder, release.bundle)
    except Faults as broken:
        faults += [fault for fault in broken.faults if fault not in faults]
    known = "" if alias else ", a folder for which no log vouches"
    return faults, [f"ONROLL_MODEL names {settings.model}{known}"]


@models.command()
@json_option
def verify(as_json: bool) -> None:
    """Verify the promotion log, and that every version agrees with it.

    The log's end must match MLflow and the audit, which must hold every move. Every folder must have its logged digest, every alias
    its logged version, in MLflow too, and, if ONROLL_VERIFY_KEY_FILE is set, a signature. What ONROLL_MODEL names is verified too.
    Exit code 1 lists every disagreement.
    """
    from dataclasses import asdict

    from histories.settings import settings
    from training.release.registry import check_mlflow_aliases
    from training.release.registry import verify as follow

    current = settings()
    state = follow(current, "onroll")
    also, named = _faults_of_setting(current)
    faults = _faults_of(current, "onroll") + check_mlflow_aliases(current, "onroll") + also
    whole = state.whole and not faults
    lines = [f"{state.lines} lines verified" if state.whole else f"line {state.bad}: {state.why}"]
    if state.unchained:
        lines[0] += f"; the first {state.unchained} were written before lines were chained"
    lines += [*named, *(str(fault) for fault in faults)]
    data = {**asdict(state), "whole": whole, "faults": [asdict(fault) for fault in faults]}
    result(data, as_json=as_json, text="\n".join(lines))
    if not whole:
        raise SystemExit(1)


@models.command()
@click.argument("version", type=int)
@click.option("--approver", "--by", "who", required=True, help="The approver; not the person who trained it.")
@click.option("--reason", "why", required=True, help="Why.")
@json_option
def promote(version: int, who: str, why: str, as_json: bool) -> None:
    """Make VERSION the champion if it passes every gate.

    Exit code 1 lists the gates that failed. See docs/models.md.
    """
    from features import load_own_features
    from histories.settings import settings
    from training.bundle import bundle_digest
    from training.release.promotion import promote as promote_version
    from training.release.registry import folder_of

    current = settings()
    refuse_names_of_children(current, {"--by": who, "--reason": why})
    load_own_features(current.features)
    _refuse_unless_audited(current)
    digest = bundle_digest(folder_of(current, "onroll", version))  # these very bytes
    _require_second_person(current, {"command": "models promote", "version": version, "digest": digest})
    entry = promote_version(current, "onroll", version, who=who, why=why)
    _record(current, entry)
    promoted = entry["action"] == "promoted"
    if promoted:
        text = f"version {version} is the champion; before: {entry['before']}; {len(entry['gates'])} gates passed"
        if entry["account"] == entry["trained_by"]:
            text += (
                f"\nthe account {entry['account']} both trained and promoted it; the approver's name was not verified"
            )
    else:
        text = f"version {version} was refused\n{gates_text(entry['gates'], only_failed=True)}"
    result(entry, as_json=as_json, text=text)
    if not promoted:
        raise SystemExit(1)


@models.command()
@click.option("--by", "who", required=True, help="Who rolls back.")
@click.option("--reason", "why", required=True, help="Why.")
@json_option
def rollback(who: str, why: str, as_json: bool) -> None:
    """Make the previous champion the champion again.

    Where a second person is set, they confirm it first: only 'models withdraw', which takes away, needs nobody else.
    """
    from histories.settings import settings
    from training.bundle import bundle_digest
    from training.release.registry import earlier_champion, folder_of
    from training.release.registry import rollback as roll_back

    current = settings()
    refuse_names_of_children(current, {"--by": who, "--reason": why})
    _refuse_unless_audited(current)
    version = earlier_champion(current, "onroll")
    digest = bundle_digest(folder_of(current, "onroll", version))
    _require_second_person(current, {"command": "models rollback", "version": version, "digest": digest})
    entry = roll_back(current, "onroll", who=who, why=why)
    _record(current, entry)
    result(entry, as_json=as_json, text=f"version {entry['version']} is the champion again")


@models.command()
@click.argument("name", default="onroll")
@click.option("--by", "who", required=True, help="Who accepts it.")
@click.option("--reason", "why", required=True, help="Why.")
@json_option
def accept(name: str, who: str, why: str, as_json: bool) -> None:
    """Accept the promotion log of the model NAME as it is, and record its new lines in the audit.

    For a model that was trained on another machine, and after a command that was killed before it recorded its line. Look at
    'onroll models verify' first: the service then serves what the log names.
    """
    from histories.errors import Usage
    from histories.settings import settings
    from serving.store.audit.model_log import accept as accept_log
    from training.release.promotion_log import hashes
    from training.release.resolve import MOVES

    if not who.strip() or not why.strip():
        raise Usage(Fault("a person and a reason are required", "models accept", "Give --by and --reason."))
    current = settings()
    refuse_names_of_children(current, {"NAME": name, "--by": who, "--reason": why})
    end = hashes(current.releases / name / MOVES)[-1:]
    _require_second_person(current, {"command": "models accept", "model": name, "end": "".join(end)})
    lines = accept_log(current, name, who=who, why=why)
    told = [
        f"{e.get('action', 'moved')}: version {e.get('version')} ({e.get('alias') or 'no alias'}), {e.get('at')}, by {e.get('by')}"
        for e in lines
    ]
    result({"model": name, "accepted": lines}, as_json=as_json, text="\n".join(told) or "the audit had every line")


@models.command()
@click.argument("version", type=int)
@click.argument("histories", type=click.Path())
@helped_option("as the version learnt")
@json_option
def judge(version: int, histories: str, helped: str | None, as_json: bool) -> None:
    """Evaluate VERSION again on newer HISTORIES for its gates."""
    from features import load_own_features
    from features.counting.block_cache import kept_blocks
    from histories.cli.opening import open_histories
    from histories.settings import settings
    from training.release.gate_evidence import evidence_of_version
    from training.release.promotion import current_evidence, record_evidence
    from training.release.registry import check_log, folder_of, serving_folder

    current = settings()
    load_own_features(current.features)
    folder = folder_of(current, "onroll", version)
    check_log(current, "onroll")
    _refuse_unless_audited(current)
    opened = open_histories(histories)
    with progress("judging") as advance:
        champion, before = serving_folder(current, "onroll"), current_evidence(current, "onroll", version)
        evidence = evidence_of_version(
            opened,
            folder,
            champion,
            before,
            helped=helped,
            memory=current.memory,
            kept=kept_blocks(current),
            advance=advance,
        )
    entry = record_evidence(current, "onroll", version, evidence)
    _record(current, entry)
    text = f"judged on {', '.join(evidence['judged_on'])}: run 'onroll models gates {version}'"
    result({**evidence, "logged": entry}, as_json=as_json, text=text)


@models.command()
@json_option
def shadow(as_json: bool) -> None:
    """Compare a challenger's posted scores with the champion's."""
    from histories.settings import settings
    from serving.scoring.shadow import differences
    from serving.store import Store

    pairs = differences(Store.of(settings()))
    lines = []
    for p in pairs:
        correlation = "-" if p["rank_correlation"] is None else f"{p['rank_correlation']:.3f}"
        lines.append(
            f"v{p['challenger']} shadowing v{p['champion']} since {p['since']}: {p['pupils']:,} pupils scored by both; "
            f"rank correlation {correlation}; {p['list_changes']:.1%} of a top-5% list would change; "
            f"mean risk difference {p['mean_risk_difference']:+.4f}"
        )
    result(
        {"pairs": pairs}, as_json=as_json, text="\n".join(lines) or "no challenger has scored requests in shadow yet"
    )


@models.command()
@click.argument("model", default="onroll@champion")
@click.option(
    "--out", type=click.Path(path_type=Path), help="New folder to write the bundle to, for another authority."
)
@click.option("--bento", is_flag=True, help="Import it into BentoML's model store, in MLflow's format.")
@json_option
def export(model: str, out: Path | None, bento: bool, as_json: bool) -> None:
    """Export MODEL, after checking it against the promotion log.

    The bundle holds the model and its papers, and no pupil.
    """
    from histories.settings import settings
    from serving.scoring.exporting import export_bundle, export_to_bentoml
    from training.release.resolve import find_release

    if (out is None) != bento:
        raise click.UsageError("Give either --out FOLDER or --bento.")
    current = settings()
    release = find_release(model, current.releases, current.verify_keys)
    place = str(export_bundle(release, out)) if out else export_to_bentoml(release)
    result(
        {"model": model, "version": release.version, "digest": release.bundle, "exported": place},
        as_json=as_json,
        text=f"exported to {place}",
    )


models.add_command(timeline)
models.add_command(withdraw)
models.add_command(recorded(adopt))
verbs: list[Any] = [models]
