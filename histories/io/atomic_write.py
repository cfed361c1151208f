"""Write beside, then rename: what was there stays until what replaces it is whole, and a failed run leaves nothing."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from histories.errors import Fault


def not_new(folder: Path) -> list[Fault]:
    """Return a fault when a folder that is to be made is there already and not empty, else none."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        do = "Name a new folder, or remove it first."
        return [Fault("this is there already and not an empty folder", str(folder), do)]
    return []


def finish_replacing(folder: Path) -> Path:
    """Mend what a run left that was killed while it replaced a folder; return where the old one is put meanwhile."""
    old = folder.parent / f".{folder.name}.old"
    if old.exists() and not folder.exists():
        old.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
    return old


@contextmanager
def new_folder(folder: Path, *, keep: bool = False) -> Iterator[Path]:
    """Yield a folder to write into; it takes its place when all went well, and goes when not.

    With ``keep`` a folder that is there already stays until the new one is whole, and is replaced then.
    """
    beside, old = folder.parent / f".{folder.name}.writing", finish_replacing(folder)
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    try:
        yield beside
        if folder.exists() and keep:
            folder.rename(old)
        elif folder.exists():
            folder.rmdir()
        beside.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


@contextmanager
def new_file(file: Path) -> Iterator[Path]:
    """Yield a path to write to; it takes the file's place when all went well, and goes when not."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.writing")
    try:
        yield beside
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Let one process at a time in; a process that ends lets the next one in."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
