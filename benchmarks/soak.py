"""Long runs of the real service with two workers.

`python -m benchmarks.soak attacked [--minutes 30] [--clients 12] [--rate 6]`: honest calls at a steady pace from one address while every
attack of `benchmarks.attackers` runs from another; without attacks for comparison: `--calm`. No honest call may fail.

`python -m benchmarks.soak steady [--minutes 10] [--clients 20] [--rate 40]`: 100,000 stored scores and calls at a steady pace; no
call may fail, and memory may not grow. `python -m benchmarks.soak mixed [--minutes 30] [--database sqlite|postgresql]`: calls and
writes during a sequence of mishaps (`benchmarks.mishaps`; the small disk requires root). Calls succeed or fail with a proper
error; at the end the audit's chain must verify and every acknowledged write must be there. ONROLL_MODEL names the model.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import secrets
import shutil
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa

from benchmarks.attackers import Attackers
from benchmarks.load import RECORDED, Called, Load
from benchmarks.mishaps import Mishaps, small_disk
from benchmarks.rounds import machine
from benchmarks.stepped_clock import SteppedClock
from benchmarks.store import LEAD, SCORES, scores
from histories.settings import settings
from serving.cli.running import PATIENCE, start
from serving.store import Store, Unavailable
from serving.store.audit import audit_log
from serving.store.cases import cases
from serving.store.cases.tables import CaseEntry
from serving.store.database import reading
from serving.store.tables import AuditEntry, Pupil, StoredScore
from tests.support.databases import server
from tests.support.identity_provider import silent_provider
from tests.support.released import alias, recorded, release
from training.release.resolve import resolve

KEY = "a key for long runs, of 32 letters"
MIXED = 5_000  # stored scores of the mixed run
TOKENS_OF = """
[tokens]
issuer = "https://id.example"
audience = "onroll"
jwks = "{keys}"
[roles]
"Onroll.Worker" = "worker"
"""


@contextmanager
def service(home: Path, url: str, **more: str) -> Iterator[tuple[psutil.Process, str]]:
    """Yield a service with two workers and its address, on two versions of the model."""
    model = resolve(settings().model, settings().releases).absolute()
    for version in (1, 2):
        release(home / "mlruns" / "releases", model, version)
    alias(home / "mlruns" / "releases", champion=1)
    recorded(home / "mlruns" / "releases", Store(url, KEY.encode(), home / "anchors"))
    environment = {
        "ONROLL_DATABASE_URL": url,
        "ONROLL_AUDIT_KEY": KEY,
        "ONROLL_AUDIT_ANCHOR": str(home / "anchors"),
        "ONROLL_WORKERS": "2",
        "ONROLL_MODEL": "onroll@champion",
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "OMP_NUM_THREADS": "1",
        **more,
    }
    process, address = start(home / "log", home, environment)
    try:
        yield psutil.Process(process.pid), address
    finally:
        process.terminate()
        process.wait(PATIENCE)


def megabytes(process: psutil.Process) -> float:
    """Return the unshared memory of a process and its children, in MiB."""
    total = 0.0
    for p in [process, *process.children(recursive=True)]:
        try:
            total += p.memory_full_info().uss / 2**20
        except psutil.NoSuchProcess:
            continue
    return total


def steady(minutes: float, clients: int, rate: float) -> dict[str, Any]:
    """Call for some minutes; memory has grown if its median in the last quarter is 5% above the second quarter's."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        store = Store(f"sqlite:///{home / 'onroll.db'}", KEY.encode(), home / "anchors")
        store.save(scores(SCORES), LEAD)
        _, key = store.create_key("lead", "801")
        memory = []
        with ExitStack() as stack:
            process, address = stack.enter_context(service(home, f"sqlite:///{home / 'onroll.db'}"))
            load = stack.enter_context(Load(address, key, clients, rate))
            until = time.monotonic() + minutes * 60
            while time.monotonic() < until:
                time.sleep(5)
                memory.append(megabytes(process))
        quarter = len(memory) // 4
        early, late = statistics.median(memory[quarter : 2 * quarter]), statistics.median(memory[-quarter:])
        failed = [c for c in load.called if c.status != 200 or not c.proper]
        return {
            **load.summary(),
            "failed": [(c.path, c.status, round(c.ms)) for c in failed],
            "memory_by_minute_mb": [round(m) for m in memory[::12]],
            "memory_mb": {"first": round(memory[0]), "second_quarter": round(early), "last_quarter": round(late)},
            **kept(store, load),
            "well": not failed and late < early * 1.05,
        }


def attacked(minutes: float, clients: int, rate: float, calm: bool) -> dict[str, Any]:
    """Call for some minutes from one address while attackers come from another; see the module."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        store = Store(f"sqlite:///{home / 'onroll.db'}", KEY.encode(), home / "anchors")
        store.save(scores(SCORES), LEAD)
        (_, honest), (_, other) = store.create_key("lead", "801"), store.create_key("lead", "802")
        keys, _ = stack.enter_context(silent_provider())
        (home / "access.toml").write_text(TOKENS_OF.format(keys=keys))
        process, address = stack.enter_context(
            service(home, f"sqlite:///{home / 'onroll.db'}", ONROLL_ACCESS="access.toml")
        )
        memory = [megabytes(process)]
        load = stack.enter_context(Load(address, honest, clients, rate, scored_every=10, source="127.0.0.9"))
        attackers = None if calm else stack.enter_context(Attackers(address, other))
        until = time.monotonic() + minutes * 60
        while time.monotonic() < until:
            time.sleep(2)
            memory.append(megabytes(process))
        stack.pop_all().close()
    failed = [c for c in load.called if c.status != 200 or not c.proper]
    return {
        **load.summary(),
        "failed": dict(Counter(f"{c.path} {c.status}" for c in failed).most_common(20)),
        "attacks": {
            name: dict(sorted(counts.items())) for name, counts in (attackers.answered if attackers else {}).items()
        },
        "memory_mb": {
            "first": round(memory[0]),
            "median": round(statistics.median(memory)),
            "most": round(max(memory)),
        },
        "well": not failed,
    }


class Writer:
    """Writes scores and cases, as `onroll score --store` and the pages do, and records which writes were acknowledged."""

    def __init__(self, store: Store) -> None:
        self.store, self.scored, self.noted, self.refused = store, set[str](), set[tuple[str, int]](), 0
        self.wrong: list[str] = []
        self._ended, self._thread = threading.Event(), threading.Thread(target=self._write)

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _write(self) -> None:
        for n in itertools.count():
            if self._ended.wait(0.3):
                return
            try:
                self._one(n)
            except Unavailable:
                self.refused += 1
            except Exception as error:
                self.wrong.append(type(error).__name__)

    def _one(self, n: int) -> None:
        (score,) = scores(1)
        pupil = f"written-{secrets.token_hex(8)}"
        self.store.save([{**score, "pupil_id": pupil, "rank": 90_000 + n, "as_of": "2024-01-15"}], LEAD)
        self.scored.add(pupil)
        with self.store.change(LEAD) as change:
            ref = change.connection.scalar(sa.select(Pupil.pupil_ref).where(Pupil.pupil_id == pupil))
            case = cases.open_case(change, ref)
            version = cases.note(change, case, 1, "a note")
        self.noted.add((case, version))


def kept(store: Store, load: Load, writer: Writer | None = None) -> dict[str, Any]:
    """Return whether the chain verifies, and how many acknowledged writes are missing."""
    with reading(store.engine) as connection:
        verified = audit_log.verify(connection, store.chain, store.anchors)
        recorded = set(connection.scalars(sa.select(AuditEntry.request_id)))
        scored = set(connection.scalars(sa.select(StoredScore.pupil_id).where(StoredScore.pupil_id.like("written-%"))))
        noted = {tuple(r) for r in connection.execute(sa.select(CaseEntry.case_id, CaseEntry.version))}
    acknowledged = {c.request_id for c in load.called if c.status == 200 and c.path in RECORDED}
    lost = len(acknowledged - recorded)
    counts = {"answers": len(acknowledged)}
    if writer is not None:
        lost += len(writer.scored - scored) + len(writer.noted - noted)
        counts |= {"scores": len(writer.scored), "cases": len(writer.noted), "writes_refused": writer.refused}
    return {"audit": {"entries": verified.entries, "why": verified.why}, "acknowledged": counts, "lost": lost}


def mixed(minutes: float, clients: int, rate: float, database: str) -> dict[str, Any]:
    """Call and write for some minutes during mishaps; see the module."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        home.chmod(0o755)
        disk = stack.enter_context(small_disk(home / "disk", 400))
        url, folder = f"sqlite:///{disk / 'onroll.db'}", None
        if database == "postgresql":
            disk.chmod(0o777)
            url = stack.enter_context(server(disk, "-c max_wal_size=64MB -c min_wal_size=32MB -c shared_buffers=32MB"))
            folder = Path(url.rpartition("host=")[2])
        store = Store(url, KEY.encode(), home / "anchors")
        store.save(scores(MIXED), LEAD)
        _, key = store.create_key("lead", "801")
        clock = SteppedClock(home)
        process, address = stack.enter_context(service(home, url, **clock.environment))
        releases = home / "mlruns" / "releases"
        mishaps = Mishaps(service=process, releases=releases, store=store, disk=disk, server=folder, clock=clock)
        load = Load(address, key, clients, rate, scored_every=10, pupils=MIXED)
        until = time.monotonic() + minutes * 60
        with load, Writer(store) as writer:
            for mishap in itertools.cycle(mishaps.all()):
                pause = min(40.0, minutes * 60 / 12)
                time.sleep(max(0.0, min(pause, until - time.monotonic())))
                if time.monotonic() >= until:
                    break
                mishaps.make(mishap)
        patient = time.monotonic() + PATIENCE
        while len(mishaps.workers()) < 2 and time.monotonic() < patient:
            time.sleep(1)
        wrong = [c for c in load.called if not _excused(c, mishaps.during)]
        in_peace = [
            c for c in load.called if c.status == 503 and not _names(c, mishaps.during) - {"promotion", "clock_step"}
        ]
        if os.environ.get("SOAK_LOG"):
            shutil.copy(home / "log", os.environ["SOAK_LOG"])
        stored = kept(store, load, writer)
        store.engine.dispose()
        return {
            **load.summary(),
            "mishaps": dict(Counter(name for name, *_ in mishaps.during)),
            "wrong": [(c.path, c.status, round(c.ms)) for c in wrong[:20]],
            "refused_in_peace": dict(Counter(c.path for c in in_peace)),
            "wrong_writes": writer.wrong[:20],
            "workers": len(mishaps.workers()),
            **stored,
            "well": len(mishaps.workers()) == 2
            and not (wrong or writer.wrong or stored["lost"] or stored["audit"]["why"]),
        }


def _names(called: Called, during: list[tuple[str, float, float]]) -> set[str]:
    """Return the mishaps during a call."""
    return {name for name, start, end in during if called.at >= start and called.at - called.ms / 1000 <= end}


def _excused(called: Called, during: list[tuple[str, float, float]]) -> bool:
    """Return whether a call succeeded or failed properly: with a 503, or a broken connection if a worker was killed."""
    if called.status == 200:
        return called.proper
    if called.status == 0:
        return "killed_worker" in _names(called, during)
    return called.status == 503 and called.proper


def main() -> None:
    """Print the results as JSON; exit 1 if a requirement fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", choices=("steady", "mixed", "attacked"))
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--rate", type=float, default=40, help="calls per second, over all clients")
    parser.add_argument("--calm", action="store_true", help="the attacked run without its attackers")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql", help="of the mixed run")
    arguments = parser.parse_args()
    if arguments.run == "steady":
        results = steady(arguments.minutes or 10, arguments.clients, arguments.rate)
    elif arguments.run == "attacked":
        results = attacked(arguments.minutes or 30, arguments.clients, arguments.rate, arguments.calm)
    else:
        results = mixed(arguments.minutes or 30, arguments.clients, arguments.rate, arguments.database)
    print(json.dumps({"asked": vars(arguments), "machine": machine(), **results}, indent=1))
    raise SystemExit(not results["well"])


if __name__ == "__main__":
    main()
