"""A whole list: `onroll score` of a simulated authority, without and with ``--store``, compared with counting its features alone.

`python -m benchmarks.whole_list [PUPILS] [FOLDER]` (default 20,000 pupils over four years in a new folder; histories that are in the folder are taken as they are).
ONROLL_MODEL names the model, as for the service. Each command runs once in a process of its own, on a new database; memory is the peak of the process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from benchmarks.ratios import note
from histories.population.simulation import simulate
from histories.reading.histories import Histories
from histories.settings import settings
from training.release.resolve import resolve

LIST = 95_000  # children of a county, for which seconds and bytes are promised
SECONDS, SECONDS_STORED, MIB, BYTES = 40, 60, 1536, 1600
WEEK = timedelta(weeks=1)


@dataclass(frozen=True, kw_only=True)
class Done:
    """A command that has ended: seconds by the clock and of the processor, MiB at most, and what it printed."""

    seconds: float
    processor: float
    mib: float
    printed: dict[str, int]

    def line(self, name: str) -> str:
        """Return it as a line of text."""
        return f"{name:22}{self.seconds:8.1f} s{self.processor:8.1f} s of the processor{self.mib:8,.0f} MiB"


def onroll(home: Path, *arguments: str) -> Done:
    """Run a command in a folder."""
    command = [sys.executable, "-m", "serving.cli.main", *arguments, "--json"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    start = time.perf_counter()
    with (home / "out.json").open("wb") as out:
        process = subprocess.Popen(command, cwd=home, env=environment, stdout=out)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} exited with {process.returncode}")
    return Done(
        seconds=time.perf_counter() - start,
        processor=used.ru_utime + used.ru_stime,
        mib=used.ru_maxrss / 1024,
        printed=json.loads((home / "out.json").read_text("utf-8")),
    )


def size(home: Path) -> int:
    """Return the bytes of the database."""
    return sum(file.stat().st_size for file in home.glob("onroll.db*"))


def main(pupils: int = 20_000, place: str | None = None) -> None:
    """Print the figures."""
    model = str(resolve(settings().model, settings().releases).absolute())
    os.environ["ONROLL_MODEL"] = model
    with tempfile.TemporaryDirectory() as scratch:
        folder, home = Path(place or scratch) / "h", Path(scratch)
        if not folder.exists():
            simulate(folder, pupils=pupils, years=4, seed=5)
        newest = Histories.open(folder).last_known() + timedelta(days=1)
        of_day = [str(folder.absolute()), "--as-of", newest.isoformat(), "--out", "out.parquet"]
        features = onroll(home, "features", *of_day)
        print(features.line("features"))
        scored = onroll(home, "score", *of_day)
        print(scored.line("score"))
        empty = size(home)
        stored = onroll(home, "score", *of_day, "--store")
        first = size(home)
        print(stored.line("score --store"))
        again = [*of_day[:2], (newest - WEEK).isoformat(), *of_day[3:]]
        onroll(home, "score", *again, "--store")
        children = scored.printed["scores"]
        each = (size(home) - first) / children
        print(
            f"{children:,} scores: {(first - empty) / 1e6:.0f} MB for the first list, {each:,.0f} bytes a score for the next"
        )
    share = LIST / children
    note("score", scored.seconds / features.seconds, "onroll features of the same day")
    note("score, of the promise", scored.seconds * share / SECONDS, f"{SECONDS} s for {LIST:,} children", 1)
    stored_share = stored.seconds * share / SECONDS_STORED
    note("score --store, of the promise", stored_share, f"{SECONDS_STORED} s for {LIST:,} children", 1)
    note("score --store, memory", stored.mib / MIB, f"{MIB:,} MiB", 1)
    note("a stored score", each / BYTES, f"{BYTES:,} bytes", 1)


if __name__ == "__main__":
    main(*(int(a) if a.isdigit() else a for a in sys.argv[1:]))
