"""Write to a temporary neighbour, then rename: the old version stays until the new one is complete, and a failed run leaves nothing."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from histories.errors import Fault
from histories.io.private_files import restrict


def not_new(folder: Path) -> list[Fault]:
    """Return a fault if a folder to be created exists and is not empty."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        do = "Name a new folder, or remove it first."
        return [Fault("this already exists and is not an empty folder", str(folder), do)]
    return []


def finish_replacing(folder: Path) -> Path:
    """Recover from a run killed while replacing a folder; return the path that holds the old folder during a replacement."""
    old = folder.parent / f".{folder.name}.old"
    if old.exists() and not folder.exists():
        old.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
    return old


@contextmanager
def new_folder(folder: Path, *, keep: bool = False) -> Iterator[Path]:
    """Yield a folder to write into; it is renamed into place on success and removed on failure.

    With ``keep`` an existing folder stays until the new one is complete, and is then replaced.
    """
    beside, old = folder.parent / f".{folder.name}.writing", finish_replacing(folder)
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    beside.chmod(0o700)
    try:
        yield beside
        restrict(beside)
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
    """Yield an empty file to write to; it is renamed into place on success and removed on failure.

    Only its owner can read it, from its first byte on. It is made here, and nobody else's: in a folder that others can write, a link of its name would
    have the content written elsewhere.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.writing")
    beside.unlink(missing_ok=True)  # of a killed run
    os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
    try:
        yield beside
        restrict(beside)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def locked(file: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold an exclusive lock between processes; the end of a process releases it.

    Parameters
    ----------
    wait : bool
        Whether to wait for whoever holds it; otherwise the work goes on without the lock.

    Yields
    ------
    bool
        Whether the lock is held.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
