"""What can happen to a running service: a promotion, a killed worker, a full disk, a database that restarts, a clock that jumps."""

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
from tests.support.databases import control
from tests.support.released import alias

AFTERWARDS = 10.0  # seconds after which everything has to be well again
FULL = 10.0  # seconds that the disk stays full


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """Yield a small file system in memory; whoever mounts has to be root."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@dataclass(kw_only=True)
class Mishaps:
    """Makes one mishap after the other, and remembers when each was under way.

    Attributes
    ----------
    service : psutil.Process
    releases : Path
        Holds versions 1 and 2 of the model.
    disk : Path
        What becomes full.
    server : Path or None
        Folder of the PostgreSQL server, when there is one.
    clock : SteppedClock
    during : list of (str, float, float)
        Name, beginning and end, with the seconds that everything may take to be well again.
    """

    service: psutil.Process
    releases: Path
    disk: Path
    server: Path | None
    clock: SteppedClock
    during: list[tuple[str, float, float]] = field(default_factory=list)
    champion: int = 1

    def all(self) -> list[Callable[[], None]]:
        """Return the mishaps in the order in which they come."""
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
        """Make one mishap, and note when."""
        begun = time.monotonic()
        mishap()
        self.during.append((mishap.__name__, begun, time.monotonic() + AFTERWARDS))

    def promotion(self) -> None:
        """Let the other version be champion."""
        self.champion = 3 - self.champion
        alias(self.releases, champion=self.champion)

    def killed_worker(self) -> None:
        """Kill one worker, without a word."""
        if self.workers():
            random.choice(self.workers()).send_signal(signal.SIGKILL)

    def workers(self) -> list[psutil.Process]:
        """Return the workers that are alive."""
        workers = []
        for p in self.service.children(recursive=True):
            with suppress(psutil.Error):  # it may have ended, and wait to be noticed
                workers += [p] if p.status() != psutil.STATUS_ZOMBIE and "worker" in " ".join(p.cmdline()) else []
        return workers

    def clock_step(self) -> None:
        """Let the wall clock jump by up to a day, forward or back."""
        self.clock.step(random.choice([-86_400, -3_600, -60, 0, 60, 3_600, 86_400]))

    def restarted_database(self) -> None:
        """Restart the database as an upgrade of its package does."""
        control(self.server, "-m", "fast", "restart")

    def crashed_database(self) -> None:
        """Restart the database without letting it finish anything."""
        control(self.server, "-m", "immediate", "restart")

    def full_disk(self) -> None:
        """Fill the disk, keep it full, empty it, and start the database if it has given up."""
        ballast = self.disk / "ballast"
        if self.server is None:
            # Otherwise its log would have room from before.
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
                time.sleep(0.2)  # what the database gives back is taken again
        ballast.unlink()
        if self.server and control(self.server, "status", check=False).returncode:
            control(self.server, "start")
