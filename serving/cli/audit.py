"""The verb ``audit``: verify, read and export the audit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from histories.io.terminal import json_option, result

if TYPE_CHECKING:
    from serving.store import Store

PUPIL_FILE = click.option(
    "--pupil-file", "pupils", type=click.Path(path_type=Path), help="File with one pupil identifier per line."
)


@click.group()
def audit() -> None:
    """Read the audit, and verify that it has not been changed."""


def _store() -> Store:
    from histories.settings import settings
    from serving.store import Store

    return Store.of(settings())


@audit.command()
@click.option(
    "--anchors",
    "also",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Further file of anchors: a copy, or what a syslog collected (/dev/stdin: what is piped in); repeat it for several.",
)
@json_option
def verify(also: tuple[Path, ...], as_json: bool) -> None:
    """Verify the chain and its anchors; exit 1 and name the first entry that fails."""
    from dataclasses import asdict

    from serving.store.audit import audit_log
    from serving.store.database import reading
    from serving.store.ledger.anchors import ONLY_OWN

    store = _store()
    with reading(store.engine) as connection:
        check = audit_log.verify(connection, store.chain, store.anchors, also)
    text = f"{check.entries:,} entries verified ({check.first} to {check.last}), {check.anchors} of them anchored"
    text += f"; {check.since_anchor:,} since the newest anchor" if check.since_anchor else ""
    if not check.whole:
        where = f"entry {check.bad}: " if check.bad else ""
        text = f"{where}{check.why}\n{text}"
    only_own = store.anchors.only_own and not also
    text += f"\n{ONLY_OWN}" if only_own else ""
    result({**asdict(check), "whole": check.whole, "only_own_anchors": only_own}, as_json=as_json, text=text)
    if not check.whole:
        raise SystemExit(1)


@audit.command()
@click.option("--last", type=click.IntRange(1), default=50, show_default=True, help="Show only the newest N entries.")
@click.option("--action", help="Only this action, for example worklist.seen, or all of a kind, for example key.")
@PUPIL_FILE
@json_option
def show(last: int, action: str | None, pupils: Path | None, as_json: bool) -> None:
    """Show entries, oldest first; filter by action or by the pupils in a file."""
    from serving.store.audit import audit_log
    from serving.store.caller import command_line
    from serving.store.records.pupil_file import read_pupils

    pupil_ids: Sequence[str] = read_pupils(pupils) if pupils else ()
    with _store().view(command_line()) as view:
        entries = list(audit_log.entries(view, last=last, action=action, pupils=pupil_ids))
        view.record("audit.seen", pupils=pupil_ids, entries=len(entries))
    lines = [
        f"{e['seq']:>7}  {e['at']}  {e['action']:18} {e['who']} ({e['role']}, {e['authority'] or 'all'})  "
        f"{len(e['pupils'])} pupil(s)  {' '.join(f'{k}={v}' for k, v in e['details'].items() if k != 'withheld')}"
        for e in entries
    ]
    result({"entries": entries}, as_json=as_json, text="\n".join(lines) or "no entries yet")


@audit.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="File to write, .jsonl or .csv.")
@json_option
def export(out: Path, as_json: bool) -> None:
    """Write the whole audit to a file; the audit records the export."""
    from histories.errors import Fault, Usage
    from histories.io.atomic_write import new_file
    from serving.store.audit import audit_log
    from serving.store.caller import command_line

    kind = out.suffix.removeprefix(".")
    if kind not in ("jsonl", "csv"):
        raise Usage(Fault("unknown file type", "audit export --out", "End its name with .jsonl or .csv."))
    with new_file(out) as temporary, _store().view(command_line()) as view:
        count = audit_log.export(view, temporary, kind)
    result({"entries": count, "out": str(out)}, as_json=as_json, text=f"{count:,} entries in {out}")


@audit.command("rotate-key")
@json_option
def rotate_key(as_json: bool) -> None:
    """Start signing the audit with a new key, added to the key file; earlier entries still verify."""
    from serving.store.audit.rotation import rotate
    from serving.store.caller import command_line

    store = _store()
    with store.change(command_line()) as change:
        fingerprint = rotate(change)
    text = f"the audit now signs with key {fingerprint}; back up the key file"
    result({"key": fingerprint}, as_json=as_json, text=text)


verbs: list[Any] = [audit]
