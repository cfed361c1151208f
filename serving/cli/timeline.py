"""The verb ``models timeline``: which version served when, and what put a child on a list on a day."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from histories.io.terminal import ISO_DATE, json_option, result
from histories.settings import Settings

TEMPLATE = Path(__file__).with_name("timeline.html")
MODEL = (
    "definition",
    "horizon_days",
    "trained_on",
    "until",
    "candidate",
    "data_digest",
    "catalogue_digest",
    "code_version",
)


@click.command()
@click.option(
    "--pupil-file", type=click.Path(path_type=Path), help="File with one pupil's identifier, in place of all moves."
)
@click.option("--as-of", "day", type=ISO_DATE, help="Only the list of this day, until the next one.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="HTML page to write about the pupil; only you can read it."
)
@json_option
def timeline(pupil_file: Path | None, day: datetime | None, out: Path | None, as_json: bool) -> None:
    """Show which version served when; with --pupil-file, what put a child on a list on a day.

    The page says which model, data and rule made each score, which version served, who saw it and what was done: an account for a
    complaint. Free text of cases is left out; 'onroll subject-access' has it.
    """
    from histories.errors import Fault, Usage
    from histories.io.atomic_write import new_file
    from histories.io.html import render
    from histories.settings import settings
    from training.release.resolve import moves

    current = settings()
    released = moves(current.releases, "onroll")
    if pupil_file is None:
        if day or out:
            raise Usage(Fault("--as-of and --out are about one pupil", "models timeline", "Give --pupil-file."))
        lines = [_move(m) for m in released]
        result({"moves": released}, as_json=as_json, text="\n".join(lines) or "no version has been released yet")
        return
    account = _account(current, pupil_file, day.date() if day else None, released)
    text = _text(account)
    if out:
        with new_file(out) as beside:
            beside.touch(mode=0o600)
            beside.write_text(render(TEMPLATE, **account), encoding="utf-8")
        text = f"{len(account['events']):,} events in {out}"
    result(account, as_json=as_json, text=text)


def _account(current: Settings, file: Path, day: date | None, released: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a child's events, each score with the version that served then, and the versions' manifests."""
    from histories.errors import Fault, Usage
    from serving.store import Store
    from serving.store.caller import command_line
    from serving.store.records.pupil_file import read_pupils
    from serving.store.records.timeline import serving_at
    from serving.store.records.timeline import timeline as events_of

    pupils = read_pupils(file)
    if len(pupils) != 1:
        raise Usage(Fault("the file names several pupils", str(file), "Write one identifier into it."))
    with Store.of(current).view(command_line()) as view:
        events = events_of(view, pupils[0], day)
    for event in events:
        if event["what"] == "scored":
            move = serving_at(released, event["at"])
            event["champion"] = move["version"] if move else None
    versions = sorted({e["model_version"] for e in events if e["what"] == "scored"})
    return {
        "pupil": pupils[0],
        "as_of": day,
        "events": events,
        "models": {v: _model(current, v) for v in versions},
        "moves": released,
    }


def _model(current: Settings, version: str) -> dict[str, Any] | None:
    """Return what a version's manifest says of it; None if its folder is gone or was changed."""
    from histories.errors import Faults
    from training.bundle import read_bundle

    try:
        _, manifest = read_bundle(current.releases / "onroll" / f"v{version}")
    except Faults:
        return None
    return {name: getattr(manifest, name) for name in MODEL}


def _move(m: dict[str, Any]) -> str:
    to = f"version {m['version']}" if m["version"] else "no version"
    return f"{m['at'][:16]}  {m['alias']}: {m.get('action', 'moved')}, {to} (before: {m.get('before') or 'none'}), by {m.get('by', 'unknown')}: {m.get('why', '')}"


def _text(account: dict[str, Any]) -> str:
    if not account["events"]:
        return "nothing is stored about this pupil" + (" as of that day" if account["as_of"] else "")
    return "\n".join(f"{e['at']:%Y-%m-%d %H:%M}  {_line(e)}" for e in account["events"])


def _line(e: dict[str, Any]) -> str:
    if e["what"] == "scored":
        listed = "listed" if e["listed_at"] else "the list was never complete"
        made_by = f"version {e['model_version']}, champion then: {e['champion'] or 'none'}"
        return (
            f"scored as of {e['as_of']}: place {e['rank']} in {e['authority']}, band {e['band']} ({made_by}; {listed})"
        )
    if e["what"] == "done":
        return f"{e['kind']} {e['code'] or ''} by {e['who']}".replace("  ", " ")
    return f"{e['action']} by {e['who']} ({e['role']})"
