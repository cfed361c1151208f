"""What must hold before a histories folder is replaced: one import at a time, nothing but imported tables, the same pseudonym key."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from histories.errors import Fault, Faults
from histories.identity import generations, joined, key_id
from histories.returns.submissions import FOLDER, Submissions
from histories.tables import TABLES


@contextmanager
def only_import(into: Path) -> Iterator[None]:
    """Allow one import at a time, by a lock on the folder that will hold the histories."""
    place = next(p for p in (into.resolve().parent, *into.resolve().parents) if p.is_dir())
    lock = os.open(place, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def require_imported(into: Path) -> None:
    """Refuse a folder with files that no import wrote, so that they are not replaced."""
    entries = [f for f in into.iterdir() if f.name != FOLDER] if into.is_dir() else []
    strange = [f for f in entries if f.suffix != ".parquet" or f.stem not in TABLES]
    if strange or (into.exists() and not into.is_dir()):
        do = "Name a new folder, or one that holds only imported tables (Parquet)."
        raise Faults(Fault("the folder holds files other than imported histories", str(into), do))


def rotations_behind(store: Submissions, into: Path, key: bytes) -> int:
    """Return how many rotations of the key the pseudonyms of histories have not seen.

    Raises
    ------
    Faults
        When they were made with another key.
    """
    keys = generations(key)
    if not store.all:
        return 0
    if not store.key_id:
        return len(keys) - 1  # made by an earlier onroll, which knew one key only
    for behind in range(len(keys)):
        if key_id(joined(keys[: len(keys) - behind])) == store.key_id:
            return behind
    do = (
        "Set ONROLL_PSEUDONYM_KEY_FILE to the key that they were imported with: under another, no child is found again."
    )
    raise Faults(Fault("the pseudonyms of these histories were made with another key", str(into), do))


def require_same_key(store: Submissions, into: Path, key: bytes | None) -> None:
    """Refuse to import under another key than before: each child would have two histories."""
    if key and rotations_behind(store, into, key):
        do = f"Run 'onroll pseudonyms rotate-key {into}': it goes on with the newest key, and adds none."
        raise Faults(Fault("the pseudonym key was rotated, and these histories were left out", str(into), do))
