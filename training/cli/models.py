"""The verb ``onroll models``: commands that read the registry, gates and log; ``serving.cli.models`` adds those that change them."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from histories.io.terminal import ISO_DATE, json_option, progress, result
from training.cli.adopt import adopt

if TYPE_CHECKING:
    from histories.settings import Settings
    from training.release.comparing import Compared


@click.group()
def models() -> None:
    """Inspect model versions and change which one serves."""


models.add_command(adopt)


@models.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List versions with their aliases and figures."""
    from histories.settings import settings
    from training.release.registry import versions

    rows = versions(settings(), "onroll")
    lines = [
        f"v{v['version']:<4} {','.join(v['aliases']) or '-':12} average precision {v['average_precision']:.4f}  {v['definition']}, {v['horizon_days']} days, {v['trained_on']}"
        for v in rows
    ]
    result({"versions": rows}, as_json=as_json, text="\n".join(lines) or "no models yet: run 'onroll train'")


@models.command()
@click.argument("model", default="onroll@champion")
@json_option
def show(model: str, as_json: bool) -> None:
    """Show a model card. MODEL is a version number, an alias or a folder."""
    from histories.settings import settings
    from training.bundle import CARD, MANIFEST, read_bundle

    folder = _folder(model, settings())
    read_bundle(folder)
    card = (folder / CARD).read_text(encoding="utf-8")
    result(json.loads((folder / MANIFEST).read_text(encoding="utf-8")), as_json=as_json, text=card)


def _folder(model: str, current: Settings) -> Path:
    """Return the model folder for a version number, ``name@alias`` or path."""
    from training.release.registry import folder_of
    from training.release.resolve import resolve

    number = model.removeprefix("v")
    return (
        folder_of(current, "onroll", int(number))
        if number.isdigit()
        else resolve(model, current.releases, current.verify_keys)
    )


@models.command()
@click.argument("first", default="onroll@champion")
@click.argument("second", default="onroll@challenger")
@click.option("--as-of", "as_of", type=ISO_DATE, help="Also compare their lists for this day: who moved and why.")
@click.option("--histories", type=click.Path(), help="Histories for --as-of; default: those FIRST was trained on.")
@click.option("--capacity", type=click.IntRange(1), default=25, show_default=True, help="Children on each list.")
@click.option("--cohort", type=click.Path(path_type=Path), help="TOML file that says who is in the cohort.")
@json_option
def compare(
    *,
    first: str,
    second: str,
    as_of: datetime | None,
    histories: str | None,
    capacity: int,
    cohort: Path | None,
    as_json: bool,
) -> None:
    """Compare the figures of two models, and with --as-of their lists.

    Each model's figures are those of its own test dates.
    """
    from histories.settings import settings
    from training.bundle import read_bundle

    current = settings()
    folders = {m: _folder(m, current) for m in (first, second)}
    data: dict[str, Any] = {m: read_bundle(folder)[1].figures for m, folder in folders.items()}
    lines = [
        f"{m:24} average precision {f['average_precision']:.4f}  interval {f['intervals']['average_precision']}"
        for m, f in data.items()
    ]
    day = as_of.date() if as_of else None
    if day:
        compared = _lists(
            first=folders[first], second=folders[second], day=day, histories=histories, capacity=capacity, cohort=cohort
        )
        data["lists"] = compared.to_dict()
        lines.append(compared.text())
    result(data, as_json=as_json, text="\n".join(lines))


def _lists(first: Path, second: Path, day: date, histories: str | None, capacity: int, cohort: Path | None) -> Compared:
    from features import CohortRule, load_own_features
    from features.counting.block_cache import kept_blocks
    from histories import location_cache
    from histories.cli.opening import open_histories
    from histories.settings import settings
    from training.release.comparing import compare_lists
    from training.risk_model import RiskModel

    current = settings()
    load_own_features(current.features)
    before, after = RiskModel.load(first), RiskModel.load(second)
    place = histories or location_cache.find(current.whereabouts, before.manifest.data_digest)
    opened = open_histories(place)
    with progress("lists") as advance:
        return compare_lists(
            opened,
            before,
            after,
            day,
            capacity,
            rule=CohortRule.load(cohort),
            kept=kept_blocks(current),
            advance=advance,
        )


@models.command()
@click.argument("version")
@click.option("--histories", type=click.Path(), help="Its training histories, if they have moved.")
@json_option
def reproduce(version: str, histories: str | None, as_json: bool) -> None:
    """Retrain VERSION from its recipe and compare byte for byte.

    Exit code 1 if the result differs; the output lists what differs or is missing.
    """
    from dataclasses import asdict

    from features import load_own_features
    from features.counting.block_cache import kept_blocks
    from histories import location_cache
    from histories.cli.opening import open_histories
    from histories.errors import Faults
    from histories.settings import settings
    from training.bundle import read_bundle, read_recipe
    from training.release.reproducing import reproduce as again

    current = settings()
    load_own_features(current.features)
    folder = _folder(version, current)
    read_bundle(folder)
    recipe = read_recipe(folder)
    if histories is None:
        # The remembered folder may no longer exist; reproduce() then reports it as missing.
        with suppress(Faults):
            location = location_cache.find(current.whereabouts, recipe.get("histories", ""))
            histories = str(location) if Path(location).exists() else None
    opened = open_histories(histories, engine=recipe.get("engine")) if histories else None
    with progress("retraining") as advance:
        reproduction = again(folder, opened, kept=kept_blocks(current), advance=advance)
    result(asdict(reproduction), as_json=as_json, text=reproduction.text())
    if not reproduction.equal:
        raise SystemExit(1)


@models.command("gates")
@click.argument("version", type=int)
@click.option("--approver", "--by", "who", default="", help="The approver to check for.")
@click.option("--reason", "why", default="", help="The reason to check.")
@json_option
def gates_(version: int, who: str, why: str, as_json: bool) -> None:
    """Check VERSION against every gate without promoting it.

    Exit code 1 if it fails any.
    """
    from dataclasses import asdict

    from features import load_own_features
    from histories.settings import settings
    from training.release.promotion import gates

    current = settings()
    load_own_features(current.features)
    verdicts = [asdict(v) for v in gates(current, "onroll", version, who=who, why=why)]
    result({"version": version, "gates": verdicts}, as_json=as_json, text=gates_text(verdicts))
    if not all(v["passed"] for v in verdicts):
        raise SystemExit(1)


def gates_text(verdicts: list[dict[str, Any]], *, only_failed: bool = False) -> str:
    """Return verdicts as text: one line per passed gate, four per failed gate."""
    lines = []
    for v in verdicts:
        if not v["passed"]:
            lines += [
                f"{v['code']} FAILED {v['title']}",
                f"     measured: {v['measured']}",
                f"     required: {v['limit']}",
                f"     {v['do']}",
            ]
        elif not only_failed:
            lines.append(f"{v['code']} passed {v['title']}: {v['measured']}")
    return "\n".join(lines)


@models.command("history")
@json_option
def history_(as_json: bool) -> None:
    """Show who moved which alias, when and why."""
    from histories.settings import settings
    from training.release.resolve import moves

    entries = moves(settings().releases, "onroll")
    lines = [
        f"{e['at']}  {e['alias']} -> v{e['version']} (before: {e['before']})  {e['by']}: {e['why']}" for e in entries
    ]
    result({"history": entries}, as_json=as_json, text="\n".join(lines) or "nothing yet")


@models.command("log")
@json_option
def log_(as_json: bool) -> None:
    """Show the promotion log: each action, who took it and why.

    Includes registrations, evaluations, promotions, refusals and rollbacks, with failed gates.
    """
    from histories.settings import settings
    from training.release.registry import history

    entries = history(settings(), "onroll")
    lines = []
    for e in entries:
        failed = ", ".join(v["code"] for v in e.get("gates", []) if not v["passed"])
        passed = f"; {len(e['gates'])} gates passed" if e.get("gates") else ""
        outcome = f"; failed {failed}" if failed else passed
        lines.append(f"{e['at']}  v{e['version']} {e.get('action', 'moved')} by {e['by']}: {e['why']}{outcome}")
    result({"log": entries}, as_json=as_json, text="\n".join(lines) or "nothing yet")
