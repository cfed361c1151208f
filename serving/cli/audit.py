"""The verb ``audit``: follow its chain, read it, and take a copy of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from histories.io.terminal import json_option, result

if TYPE_CHECKING:
    from serving.store import Store

PUPIL_FILE = click.option(
    "--pupil-file", "pupils", type=click.Path(path_type=Path), help="File with one pupil's identifier a line."
)


@click.group()
def audit() -> None:
    """Read the audit of all that was seen, done and refused, and prove that nothing of it was changed."""


def _store() -> Store:
    """Return the store, with the audit up to date with the registry's log."""
    from histories.settings import settings
    from serving.store import Store
    from serving.store.audit.model_log import copy_moves

    store = Store.of(settings())
    copy_moves(store, settings().releases)
    return store


@audit.command()
@json_option
def verify(as_json: bool) -> None:
    """Follow the chain and its anchors; exit 1 and the first entry that does not hold when something is wrong."""
    from dataclasses import asdict

    from serving.store.audit import audit_log as reading_audit
    from serving.store.database import reading

    store = _store()
    with reading(store.engine) as connection:
        found = reading_audit.verify(connection, store.chain, store.anchors)
    text = f"{found.entries:,} entries hold ({found.first} to {found.last}), {found.anchors} of them anchored"
    where = f"entry {found.bad}: " if found.bad else ""
    said = text if found.whole else f"{where}{found.why}\n{text}"
    result({**asdict(found), "whole": found.whole}, as_json=as_json, text=said)
    if not found.whole:
        raise SystemExit(1)


@audit.command()
@click.option("--last", type=click.IntRange(1), default=50, show_default=True, help="Only so many of the newest.")
@click.option("--action", help="Only this action, such as worklist.seen, or all of a kind, such as key.")
@PUPIL_FILE
@json_option
def show(last: int, action: str | None, pupils: Path | None, as_json: bool) -> None:
    """Show entries, oldest first: all, or those of an action or of the pupils in a file."""
    from serving.store.audit import audit_log as reading_audit
    from serving.store.caller import command_line
    from serving.store.records.pupil_file import read_pupils

    named: Sequence[str] = read_pupils(pupils) if pupils else ()
    with _store().view(command_line()) as view:
        found = list(reading_audit.entries(view, last=last, action=action, pupils=named))
        view.record("audit.seen", pupils=named, entries=len(found))
    lines = [
        f"{e['seq']:>7}  {e['at']}  {e['action']:18} {e['who']} ({e['role']}, {e['authority'] or 'all'})  "
        f"{len(e['pupils'])} pupil(s)  {' '.join(f'{k}={v}' for k, v in e['details'].items() if k != 'withheld')}"
        for e in found
    ]
    result({"entries": found}, as_json=as_json, text="\n".join(lines) or "nothing yet")


@audit.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="File to write: .jsonl or .csv.")
@json_option
def export(out: Path, as_json: bool) -> None:
    """Write the whole audit to a file; that it was written is in the audit too."""
    from histories.errors import Fault, Usage
    from histories.io.atomic_write import new_file
    from serving.store.audit import audit_log as reading_audit
    from serving.store.caller import command_line

    kind = out.suffix.removeprefix(".")
    if kind not in ("jsonl", "csv"):
        raise Usage(Fault("the kind of file is not known", "audit export --out", "End its name with .jsonl or .csv."))
    with new_file(out) as beside, _store().view(command_line()) as view:
        count = reading_audit.export(view, beside, kind)
    result({"entries": count, "out": str(out)}, as_json=as_json, text=f"{count:,} entries in {out}")


@audit.command("rotate-key")
@json_option
def rotate_key(as_json: bool) -> None:
    """Let the audit go on with a new key, which is added to the file of keys; what older keys made still verifies."""
    from serving.store.audit.rotation import rotate
    from serving.store.caller import command_line

    store = _store()
    with store.change(command_line()) as change:
        fingerprint = rotate(change)
    result(
        {"key": fingerprint}, as_json=as_json, text=f"the audit goes on with key {fingerprint}; copy the file of keys"
    )


verbs: list[Any] = [audit]
