"""The ``models`` commands that need the service's store: promote, roll back, judge, verify and ``shadow``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from histories.io.terminal import json_option, progress, result
from histories.settings import Settings
from serving.cli.timeline import timeline
from training.cli.helped_option import helped_option
from training.cli.models import gates_text, models


def _record(settings: Settings) -> None:
    """Copy new lines of the models' logs into the audit; lines of a training are copied by the service or the next of these commands."""
    from serving.store import Store
    from serving.store.audit.model_log import copy_moves

    copy_moves(Store.of(settings), settings.releases)


def _refuse_unless_audited(settings: Settings) -> None:
    """Raise ``Mismatch`` if the audit contradicts the log: a new line would legitimise a rewritten log."""
    from serving.store.audit.model_log import check_where_audited

    check_where_audited(settings, "onroll")


def _require_second_person(settings: Settings, version: int) -> None:
    """Raise unless a second person confirmed the promotion of these very bytes, where that is set."""
    from serving.store import Store
    from serving.store.audit.approvals import require
    from training.bundle import bundle_digest
    from training.release.registry import folder_of

    if settings.second_person:
        digest = bundle_digest(folder_of(settings, "onroll", version))
        require(Store.of(settings), settings, {"command": "models promote", "version": version, "digest": digest})


@models.command()
@json_option
def verify(as_json: bool) -> None:
    """Verify the promotion log, and that every version agrees with it.

    The log's end must match MLflow and the audit. Every folder must have its logged digest, every alias its logged version, in
    MLflow too, and, if ONROLL_VERIFY_KEY_FILE is set, a signature. Exit code 1 lists every disagreement.
    """
    from dataclasses import asdict

    from histories.errors import Faults
    from histories.settings import settings
    from training.release.registry import check_mlflow_aliases
    from training.release.registry import verify as follow
    from training.release.releases import disagreements

    current = settings()
    state = follow(current, "onroll")
    faults = disagreements(current.releases, "onroll", current.verify_keys) + check_mlflow_aliases(current, "onroll")
    try:
        _refuse_unless_audited(current)
    except Faults as audit:
        faults += audit.faults
    whole = state.whole and not faults
    lines = [f"{state.lines} lines verified" if state.whole else f"line {state.bad}: {state.why}"]
    if state.unchained:
        lines[0] += f"; the first {state.unchained} were written before lines were chained"
    lines += [str(fault) for fault in faults]
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
    from training.release.promotion import promote as promote_version

    current = settings()
    load_own_features(current.features)
    _refuse_unless_audited(current)
    _require_second_person(current, version)
    entry = promote_version(current, "onroll", version, who=who, why=why)
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
    _record(current)
    if not promoted:
        raise SystemExit(1)


@models.command()
@click.option("--by", "who", required=True, help="Who rolls back.")
@click.option("--reason", "why", required=True, help="Why.")
@json_option
def rollback(who: str, why: str, as_json: bool) -> None:
    """Make the previous champion the champion again."""
    from histories.settings import settings
    from training.release.registry import rollback as roll_back

    current = settings()
    _refuse_unless_audited(current)
    entry = roll_back(current, "onroll", who=who, why=why)
    result(entry, as_json=as_json, text=f"version {entry['version']} is the champion again")
    _record(current)


@models.command()
@click.option("--by", "who", required=True, help="Who withdraws it.")
@click.option("--reason", "why", required=True, help="Why.")
@json_option
def withdraw(who: str, why: str, as_json: bool) -> None:
    """Withdraw the champion: no score is served until a promotion or rollback.

    The running service stops within a second or two. Pages keep deadlines and cases, and say that the model was withdrawn.
    """
    from histories.settings import settings
    from training.release.withdrawal import withdraw as withdraw_model

    current = settings()
    _refuse_unless_audited(current)
    entry = withdraw_model(current, "onroll", who=who, why=why)
    result(entry, as_json=as_json, text=f"version {entry['before']} is withdrawn: no score is served")
    _record(current)


@models.command()
@click.argument("version", type=int)
@click.argument("histories", type=click.Path())
@helped_option("as the version learnt")
@json_option
def judge(version: int, histories: str, helped: str | None, as_json: bool) -> None:
    """Evaluate VERSION again on newer HISTORIES for its gates."""
    from features import load_own_features
    from features.counting.block_cache import BlockStore
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
            kept=BlockStore(current.blocks),
            advance=advance,
        )
    entry = record_evidence(current, "onroll", version, evidence)
    text = f"judged on {', '.join(evidence['judged_on'])}: run 'onroll models gates {version}'"
    result({**evidence, "logged": entry}, as_json=as_json, text=text)
    _record(current)


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
verbs: list[Any] = [models]
