"""The verbs ``retention``, ``hold`` and ``erase``: how long records are kept, and whose stay or go before that."""

from __future__ import annotations

import csv
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from histories.io.terminal import json_option, result

FILE = click.Path(path_type=Path)
pupil_file = click.option("--pupil-file", "file", type=FILE, required=True, help="One pupil's identifier a line.")
reason_option = click.option("--reason", required=True, help="Why; it stays in the audit, so it names no pupil.")


@click.command()
@click.option("--file", type=FILE, help="TOML file with [months]; without it, the defaults.")
@click.option("--apply/--dry-run", "really", default=False, help="Remove what is due; without it, only say what is.")
@json_option
def retention(file: Path | None, really: bool, as_json: bool) -> None:
    """Remove records that are older than their kind is kept, but none of a pupil under a legal hold."""
    from histories.settings import settings
    from serving.store import Store
    from serving.store.caller import command_line
    from serving.store.records import retention as keeping
    from serving.store.records.erasure import settle

    periods = keeping.load(file)
    store = Store.of(settings())
    if really:
        with store.change(command_line()) as change:
            found = keeping.apply(change, periods)
        settle(store.engine)
    else:
        with store.view(command_line()) as view:
            found = keeping.due(view, periods)
    kept = {k: f"{m} months" if m else keeping.FOR_EVER for k, m in periods.items()}
    lines = [f"{k:14} {n:>10,} {'removed' if really else 'due'}  kept {kept[k]}" for k, n in found.items()]
    data = {"applied": really, "months": dict(periods), "removed" if really else "due": found}
    result(data, as_json=as_json, text="\n".join(lines))


@click.group()
def hold() -> None:
    """Keep all records of pupils whatever their age, while a legal reason stands."""


@hold.command()
@pupil_file
@reason_option
@json_option
def add(file: Path, reason: str, as_json: bool) -> None:
    """Hold the pupils in a file."""
    from serving.store.records import holds

    _hold(holds.place, "held", file, reason, as_json)


@hold.command()
@pupil_file
@reason_option
@json_option
def remove(file: Path, reason: str, as_json: bool) -> None:
    """Lift the holds of the pupils in a file."""
    from serving.store.records import holds

    _hold(holds.lift, "released", file, reason, as_json)


def _hold(do: Any, what: str, file: Path, reason: str, as_json: bool) -> None:
    from histories.settings import settings
    from serving.store import Store
    from serving.store.caller import command_line
    from serving.store.records.erasure import said
    from serving.store.records.pupil_file import read_pupils

    pupils = read_pupils(file)
    why = said(reason, pupils)
    with Store.of(settings()).change(command_line()) as change:
        count = do(change, pupils, why)
    result({what: count}, as_json=as_json, text=f"{count:,} of {len(pupils):,} pupils are {what} now")


@hold.command("list")
@click.option("--out", type=FILE, help="Also write them to a CSV file, with the pupils' identifiers.")
@json_option
def list_(out: Path | None, as_json: bool) -> None:
    """List the holds that stand, without identifiers."""
    from histories.io.atomic_write import new_file
    from histories.io.spreadsheet import as_text
    from histories.settings import settings
    from serving.store import Store
    from serving.store.caller import command_line
    from serving.store.records import holds

    with Store.of(settings()).view(command_line()) as view:
        found = holds.listed(view)
    if out:
        with (
            new_file(out) as beside,
            os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT, 0o600), "w", newline="") as to,
        ):
            names = ("pupil_id", "hold_id", "reason", "placed_at", "placed_by")
            csv.writer(to).writerows([names, *([as_text(h[n]) for n in names] for h in found)])
    shown = [{k: h[k] for k in ("hold_id", "reason", "placed_at", "placed_by")} for h in found]
    lines = [f"{h['hold_id']}  since {h['placed_at']:%Y-%m-%d} by {h['placed_by']}: {h['reason']}" for h in shown]
    result({"holds": shown}, as_json=as_json, text="\n".join(lines) or "nobody is held")


@click.command()
@pupil_file
@reason_option
@json_option
def erase(file: Path, reason: str, as_json: bool) -> None:
    """Erase the pupils in a file from scores, cases and actions; exit 1 when one is under a legal hold and stays."""
    from histories.settings import settings
    from serving.store import Store
    from serving.store.caller import command_line
    from serving.store.records import erasure
    from serving.store.records.pupil_file import read_pupils

    pupils = read_pupils(file)
    why = erasure.said(reason, pupils)
    store = Store.of(settings())
    with store.change(command_line()) as change:
        done = erasure.erase(change, pupils, why)
    erasure.settle(store.engine)
    text = f"{done.erased:,} erased, {done.unknown:,} not known here"
    stay = f"; {done.held:,} are under a legal hold and stay: see 'onroll hold list'" if done.held else ""
    result(asdict(done), as_json=as_json, text=text + stay)
    if done.held:
        raise SystemExit(1)


verbs: list[Any] = [retention, hold, erase]
