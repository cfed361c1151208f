"""The verb ``models timeline``: which version served when, and what put a child on a list on a day."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from histories.calendar import london_minute
from histories.io.terminal import ISO_DATE, json_option, result

if TYPE_CHECKING:
    from serving.cli.account import AccountWords

TEMPLATE = Path(__file__).with_name("timeline.html")


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
    from serving.cli.account import AccountWords, account_of
    from training.release.resolve import moves

    current = settings()
    released = moves(current.releases, current.model_name)
    if pupil_file is None:
        if day or out:
            raise Usage(Fault("--as-of and --out are about one pupil", "models timeline", "Give --pupil-file."))
        lines = [_move(m) for m in released]
        result({"moves": released}, as_json=as_json, text="\n".join(lines) or "no version has been released yet")
        return
    account = account_of(current, pupil_file, day.date() if day else None, released)
    words = AccountWords.of(current, account["people"])
    text = _text(account, words)
    if out:
        with new_file(out) as beside:
            beside.touch(mode=0o600)
            beside.write_text(render(TEMPLATE, words=words, **account), encoding="utf-8")
        text = f"{len(account['events']):,} events in {out}"
    result(account, as_json=as_json, text=text)


def _move(m: dict[str, Any]) -> str:
    to = f"version {m['version']}" if m["version"] else "no version"
    return f"{london_minute(m['at'])}  {m['alias']}: {m.get('action', 'moved')}, {to} (before: {m.get('before') or 'none'}), by {m.get('by', 'unknown')}: {m.get('why', '')}"


def _text(account: dict[str, Any], words: AccountWords) -> str:
    if not account["events"]:
        return "nothing is stored about this pupil" + (" as of that day" if account["as_of"] else "")
    return "\n".join(f"{london_minute(e['at'])}  {_line(e, words)}" for e in account["events"])


def _line(e: dict[str, Any], words: AccountWords) -> str:
    if e["what"] == "scored":
        listed = "the list was never complete"
        if e["listed_at"]:
            listed = "listed" if e["purpose"] == "shown" else "for monitoring only"
        made_by = f"version {e['model_version']}, champion then: {e['champion'] or 'none'}"
        place = f"place {e['rank']} in {e['authority']}, {words.place(e)}, band {e['band']}"
        return f"scored as of {e['as_of']}: {place} ({made_by}; {listed})"
    return f"{words.done(e)}, by {words.who(e)}" if e.get("who") else words.done(e)
