"""The verb ``pseudonyms``: rotation of the pseudonym key."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import click

from histories.io.terminal import json_option, progress, result


@click.group()
def pseudonyms() -> None:
    """Rotate the key of children's pseudonyms."""


@pseudonyms.command("rotate-key")
@click.argument("folders", metavar="HISTORIES...", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
def rotate_key(folders: tuple[Path, ...], as_json: bool) -> None:
    """Add a key, and re-key histories and the database.

    Name all HISTORIES of the key: imported folders, with the linkage stores beside them. Scores, cases and notes follow, and
    the audit still finds who saw a child before. Stop scoring and the service meanwhile. A run that was interrupted, or that left a
    folder out, is finished by running it again; it then adds no key. Exit 1 if the database knows children of other histories,
    or its files still hold former pseudonyms.
    """
    from histories.errors import Fault, Usage
    from histories.identity import key_id
    from histories.pseudonym_key import add_key, key_away_from
    from histories.returns.rekeying import rekeying, rotations_of
    from histories.settings import settings
    from serving.store import Store
    from serving.store.caller import command_line
    from serving.store.database import reading
    from serving.store.people.cipher import cipher_of
    from serving.store.records.purging import purge_files
    from serving.store.records.rekeying import NOT_REKEYED, rekey, require_able

    config = settings()
    file, key = config.pseudonym_key_file, config.pseudonym_key
    if file is None or key is None or key != file.read_bytes().strip():
        do = "Put the key into a file, set ONROLL_PSEUDONYM_KEY_FILE to it, and unset ONROLL_PSEUDONYM_KEY."
        raise Usage(Fault("a key that is not in a file cannot be rotated", "ONROLL_PSEUDONYM_KEY", do))
    store = Store.of(config)
    cipher = cipher_of(config)
    with reading(store.engine) as connection:
        require_able(connection, cipher)
    for folder in folders:
        key_away_from(config, folder)
    unfinished = [f for f in folders if rotations_of(f, key)]
    if not unfinished:
        key = add_key(file)
    with progress("re-keying"), rekeying(folders, key) as new_of, store.change(command_line()) as change:
        rekeyed = rekey(change, new_of, key_id(key), cipher)
    unpurged = purge_files(store.engine)
    shutil.rmtree(config.blocks, ignore_errors=True)  # counts of blocks of children, under former pseudonyms
    text = "continued an unfinished rotation" if unfinished else f"added key {key_id(key)}; back up the key file"
    text += f"\n{len(new_of):,} pseudonyms of histories and {rekeyed.pupils:,} children of the database have new ones"
    if rekeyed.others:
        text += f"\n{rekeyed.others:,} children of the database are in none of these histories: name the others too"
    text += f"\n{unpurged}" if unpurged else ""
    text += "\nNot re-keyed: " + "; ".join(NOT_REKEYED) + "."
    data = {
        "key": key_id(key),
        "added": not unfinished,
        "pseudonyms": len(new_of),
        "pupils": rekeyed.pupils,
        "others": rekeyed.others,
        "purged": not unpurged,
        "not_rekeyed": NOT_REKEYED,
    }
    result(data, as_json=as_json, text=text)
    if rekeyed.others or unpurged:
        raise SystemExit(1)


verbs: list[Any] = [pseudonyms]
