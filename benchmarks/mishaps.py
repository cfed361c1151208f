"""Fault injection for a running service: promotions, killed workers, full disks, database restarts and clock jumps."""

from __future__ import annotations

import errno
import random
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.stepped_clock import SteppedClock
from serving.store import Store
from tests.support.databases import control
from tests.support.released import alias, recorded

AFTERWARDS = 10.0  # seconds until the service must have recovered
FULL = 10.0  # seconds for which the disk stays full


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """Yield a small in-memory file system; mounting requires root."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@dataclass(kw_only=True)
class Mishaps:
    """Injects one mishap after another and records when each was in progress.

    Attributes
    ----------
    service : psutil.Process
    releases : Path
        Holds versions 1 and 2 of the model.
    store : Store
        Its audit records the promotions.
    disk : Path
        The file system to fill.
    server : Path or None
        Folder of the PostgreSQL server, if there is one.
    clock : SteppedClock
    during : list of (str, float, float)
        Name, beginning and end, including the time allowed for recovery.
    """

    service: psutil.Process
    releases: Path
    store: Store
    disk: Path
    server: Path | None
    clock: SteppedClock
    during: list[tuple[str, float, float]] = field(default_factory=list)
    champion: int = 1

    def all(self) -> list[Callable[[], None]]:
        """Return the mishaps in order."""
        restarts = [self.restarted_database, self.crashed_database] if self.server else []
        return [
            self.promotion,
            self.killed_worker,
            self.clock_step,
            *restarts,
            self.promotion,
            self.full_disk,
            self.promotion,
        ]

    def make(self, mishap: Callable[[], None]) -> None:
        """Inject one mishap and record its time."""
        start = time.monotonic()
        mishap()
        self.during.append((mishap.__name__, start, time.monotonic() + AFTERWARDS))

    def promotion(self) -> None:
        """Promote the other version."""
        self.champion = 3 - self.champion
        alias(self.releases, champion=self.champion)
        recorded(self.releases, self.store)

    def killed_worker(self) -> None:
        """Kill one worker with SIGKILL."""
        if self.workers():
            random.choice(self.workers()).send_signal(signal.SIGKILL)

    def workers(self) -> list[psutil.Process]:
        """Return the running workers."""
        workers = []
        for p in self.service.children(recursive=True):
            with suppress(psutil.Error):  # a zombie has ended but has not been reaped
                workers += [p] if p.status() != psutil.STATUS_ZOMBIE and "worker" in " ".join(p.cmdline()) else []
        return workers

    def clock_step(self) -> None:
        """Move the wall clock by up to a day, forwards or backwards."""
        self.clock.step(random.choice([-86_400, -3_600, -60, 0, 60, 3_600, 86_400]))

    def restarted_database(self) -> None:
        """Restart the database cleanly, as a package upgrade does."""
        control(self.server, "-m", "fast", "restart")

    def crashed_database(self) -> None:
        """Crash and restart the database."""
        control(self.server, "-m", "immediate", "restart")

    def full_disk(self) -> None:
        """Fill the disk, keep it full, free it, and start the database if it has stopped."""
        ballast = self.disk / "ballast"
        if self.server is None:
            # Otherwise its write-ahead log would still have free space.
            with closing(sqlite3.connect(self.disk / "onroll.db", timeout=30)) as database:
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        until = time.monotonic() + FULL
        with ballast.open("wb", buffering=0) as filled:
            while time.monotonic() < until:
                try:
                    for size in (1 << 20, 1 << 12):
                        while filled.write(b"x" * size) == size:
                            pass
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                time.sleep(0.2)  # space that the database releases is filled again
        ballast.unlink()
        if self.server and control(self.server, "status", check=False).returncode:
            control(self.server, "start")
