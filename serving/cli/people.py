"""The verb ``people``: import who the children are, encrypt it with a new key, or remove it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from histories.io.terminal import json_option, result

if TYPE_CHECKING:
    from histories.settings import Settings
    from serving.store.people.cipher import Cipher

PART = 2000  # children per transaction, so that other writers do not wait long
FOLDER = click.Path(path_type=Path)


@click.group()
def people() -> None:
    """Keep names of children for the pages, encrypted."""


@people.command("import")
@click.argument("file", type=FOLDER, required=False)
@click.option(
    "--linkage", "histories", type=FOLDER, help="Take the names from the linkage store beside these histories."
)
@json_option
def import_(file: Path | None, histories: Path | None, as_json: bool) -> None:
    """Store names, dates of birth, UPNs and contacts of children who have a score or a deadline.

    FILE is a CSV or XLSX with a reference (or a UPN) and a name. Fields that it has no column for stay as they are. Nothing is
    stored if a row is wrong.
    """
    from histories.errors import Fault, Usage
    from histories.linking.people_file import read_linkage_store, read_people_file
    from histories.linking.store import LinkageStore
    from histories.settings import settings
    from serving.store import Store
    from serving.store.caller import command_line
    from serving.store.people import details
    from serving.store.people.cipher import keep_away

    if (file is None) == (histories is None):
        raise Usage(Fault("name one source", "people import", "Give FILE, or --linkage HISTORIES."))
    current = settings()
    cipher = _cipher(current)
    if histories is not None:
        for folder in (histories, LinkageStore(histories).folder):
            keep_away(current.people_key_file, folder)
        read = read_linkage_store(histories)
    else:
        assert file is not None  # nosec B101 # tells mypy; checked above
        if not file.is_file():
            raise Usage(Fault("there is no such file", str(file), "Name a CSV or XLSX file."))
        keep_away(current.people_key_file, file.absolute().parent)
        read = read_people_file(file, current.pseudonym_key, current.memory)
    store = Store.of(current)
    with store.view(command_line()) as view:
        details.count_by_key(view)
        details.must_fit(view.connection, cipher)
    pupils, stored = list(read.people), 0
    for at in range(0, len(pupils), PART):
        with store.change(command_line()) as change:
            stored += details.save(change, cipher, {p: read.people[p] for p in pupils[at : at + PART]})
    unknown = len(pupils) - stored
    text = f"children named: {stored:,}; left out, since the store has no score or deadline of them: {unknown:,}"
    if read.without_upn:
        text += f"\nUPNs left out, since they have not the form of one: {read.without_upn:,}"
    data = {"stored": stored, "unknown": unknown, "without_upn": read.without_upn}
    result(data, as_json=as_json, text=text)
    if not stored:
        raise SystemExit(1)


@people.command()
@json_option
def status(as_json: bool) -> None:
    """Say of how many children details are stored, and whether the key fits; exit 1 if it does not."""
    from histories.settings import settings
    from serving.store import Store
    from serving.store.caller import command_line
    from serving.store.people.cipher import cipher_of
    from serving.store.people.details import count_by_key

    cipher = cipher_of(settings())
    with Store.of(settings()).view(command_line()) as view:
        counts = count_by_key(view)
    stored = sum(counts.values())
    readable = sum(n for key_id, n in counts.items() if cipher and key_id in cipher.key_ids)
    newest = counts.get(cipher.newest, 0) if cipher else 0
    text = f"children named: {stored:,}; the key decrypts {readable:,}, and the newest key encrypted {newest:,}"
    result({"stored": stored, "readable": readable, "newest_key": newest}, as_json=as_json, text=text)
    if readable < stored:
        raise SystemExit(1)


@people.command()
@json_option
def rekey(as_json: bool) -> None:
    """Encrypt all details with the newest key of the key file; older keys may then be taken out."""
    from histories.settings import settings
    from serving.store import Store
    from serving.store.caller import command_line
    from serving.store.people.details import reencrypt
    from serving.store.records.purging import purge_files

    cipher = _cipher(settings())
    store = Store.of(settings())
    with store.change(command_line()) as change:
        count = reencrypt(change, cipher)
    _say({"encrypted": count}, f"encrypted with the newest key: {count:,}", purge_files(store.engine), as_json)


@people.command()
@json_option
def remove(as_json: bool) -> None:
    """Remove the details of all children; pages then show references only."""
    from histories.settings import settings
    from serving.store import Store
    from serving.store.caller import command_line
    from serving.store.people.details import remove_all
    from serving.store.records.purging import purge_files

    store = Store.of(settings())
    with store.change(command_line()) as change:
        count = remove_all(change)
    _say({"removed": count}, f"removed: {count:,}", purge_files(store.engine), as_json)


def _say(data: dict[str, Any], text: str, unpurged: str, as_json: bool) -> None:
    result({**data, "purged": not unpurged}, as_json=as_json, text=f"{text}\n{unpurged}" if unpurged else text)
    if unpurged:
        raise SystemExit(1)


def _cipher(current: Settings) -> Cipher:
    from histories.errors import Fault, Faults
    from serving.store.people.cipher import SETTING, cipher_of

    cipher = cipher_of(current)
    if cipher is None:
        do = f"Put 'openssl rand -hex 32' into a file outside the data, 'chmod 600' it, and set {SETTING} to it."
        raise Faults(Fault("there is no key for the people file", SETTING, do))
    return cipher


verbs: list[Any] = [people]
