"""The verbs ``retention``, ``hold`` and ``erase``: retention periods, legal holds and erasure."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from histories.io.terminal import json_option, result

FILE = click.Path(path_type=Path)
pupil_file = click.option(
    "--pupil-file", "file", type=FILE, required=True, help="File with one pupil identifier per line."
)
reason_option = click.option("--reason", required=True, help="Why; it is kept in the audit, so do not name a pupil.")


@click.command()
@click.option("--file", type=FILE, help="TOML file with [months]; defaults to the shipped periods.")
@click.option("--apply/--dry-run", "remove", default=False, help="Remove what is due; the default only reports it.")
@json_option
def retention(file: Path | None, remove: bool, as_json: bool) -> None:
    """Remove records past their retention period, except holds."""
    from histories.settings import settings
    from serving.store import Store
    from serving.store.caller import command_line
    from serving.store.records.purging import purge_files
    from serving.store.records.retention import FOR_EVER, apply, due, load

    periods, unpurged = load(file), ""
    store = Store.of(settings())
    if remove:
        with store.change(command_line()) as change:
            counts = apply(change, periods)
        unpurged = purge_files(store.engine)
    else:
        with store.view(command_line()) as view:
            counts = due(view, periods)
    status = "removed" if remove else "due"
    kept = {k: f"{m} months" if m else FOR_EVER for k, m in periods.items()}
    lines = [f"{k:14} {n:>10,} {status}  kept {kept[k]}" for k, n in counts.items()]
    lines += [unpurged] if unpurged else []
    data = {"applied": remove, "months": dict(periods), status: counts}
    result(data, as_json=as_json, text="\n".join(lines))
    if unpurged:
        raise SystemExit(1)


@click.group()
def hold() -> None:
    """Place or lift legal holds, which keep records."""


@hold.command()
@pupil_file
@reason_option
@json_option
def add(file: Path, reason: str, as_json: bool) -> None:
    """Place the pupils in a file under a legal hold."""
    from serving.store.records import holds

    _hold(holds.place, "held", file, reason, as_json)


@hold.command()
@pupil_file
@reason_option
@json_option
def remove(file: Path, reason: str, as_json: bool) -> None:
    """Lift the legal holds of the pupils in a file."""
    from serving.store.records import holds

    _hold(holds.lift, "released", file, reason, as_json)


def _hold(change_holds: Any, status: str, file: Path, reason: str, as_json: bool) -> None:
    from histories.settings import settings
    from serving.store import Store
    from serving.store.caller import command_line
    from serving.store.records.erasure import checked_reason
    from serving.store.records.pupil_file import read_pupils

    pupils = read_pupils(file)
    with Store.of(settings()).change(command_line()) as change:
        count = change_holds(change, pupils, checked_reason(reason, pupils, change.connection))
    result({status: count}, as_json=as_json, text=f"{count:,} of {len(pupils):,} pupils {status}")


@hold.command("list")
@click.option("--out", type=FILE, help="Also write the holds to a CSV file, with pupils' identifiers.")
@json_option
def list_(out: Path | None, as_json: bool) -> None:
    """List the current holds, without identifiers."""
    from histories.calendar import london_day
    from histories.io.spreadsheet import write_csv
    from histories.settings import settings
    from serving.store import Store
    from serving.store.caller import command_line
    from serving.store.records import holds

    with Store.of(settings()).view(command_line()) as view:
        current = holds.listed(view)
    if out:
        names = ("pupil_id", "hold_id", "reason", "placed_at", "placed_by")
        write_csv(out, names, [[h[n] for n in names] for h in current])
    shown = [{k: h[k] for k in ("hold_id", "reason", "placed_at", "placed_by")} for h in current]
    lines = [f"{h['hold_id']}  since {london_day(h['placed_at'])} by {h['placed_by']}: {h['reason']}" for h in shown]
    result({"holds": shown}, as_json=as_json, text="\n".join(lines) or "no pupil is under a hold")


@click.command()
@pupil_file
@reason_option
@click.option(
    "--look-in",
    "folders",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Also look for the identifiers in every file of this folder: PostgreSQL's data directory, exports, a copy.",
)
@json_option
def erase(file: Path, reason: str, folders: tuple[Path, ...], as_json: bool) -> None:
    """Erase pupils' records; exit 1 if any remain.

    Scores, cases and actions of the pupils in the file are removed; those of pupils under a hold stay. Then their identifiers are looked for in
    the database's files.
    """
    from histories.settings import settings
    from serving.store import Store
    from serving.store.caller import command_line
    from serving.store.records import erasure
    from serving.store.records.places import NOT_REACHED
    from serving.store.records.pupil_file import read_pupils
    from serving.store.records.purging import purge_files
    from serving.store.records.remains import NOT_READ, remains

    pupils = read_pupils(file)
    store = Store.of(settings())
    with store.change(command_line()) as change:
        erased = erasure.erase(change, pupils, erasure.checked_reason(reason, pupils, change.connection))
    unpurged = purge_files(store.engine)
    left = remains(store.engine, erased.free, folders)
    text = f"{erased.erased:,} erased, {erased.unknown:,} unknown"
    if erased.held:
        text += f"; {erased.held:,} under a legal hold were not erased: see 'onroll hold list'"
    if unpurged:
        text += f"\n{unpurged}"
    text += (
        f"\nLooked for {left.looked_for:,} identifiers in {left.looked_in:,} files."
        if left.looked_in
        else f"\n{NOT_READ}"
    )
    if left.found_in:
        text += f"\nStill found in: {', '.join(left.found_in)}"
    text += "\nNot reached: " + "; ".join(NOT_REACHED) + "."
    counts = {"erased": erased.erased, "held": erased.held, "unknown": erased.unknown}
    data = {**counts, "purged": not unpurged and not left.found_in, **asdict(left), "not_reached": NOT_REACHED}
    result(data, as_json=as_json, text=text)
    if erased.held or unpurged or left.found_in:
        raise SystemExit(1)


verbs: list[Any] = [retention, hold, erase]
