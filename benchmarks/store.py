"""The score store with 100,000 scores: storing them, a request's two queries, and 20 concurrent callers.

`python -m benchmarks.store [URL]`, by default on SQLite in a new folder. The floor of a query is one commit of the audit, since no
answer is sent before its entry is committed; the floor of 20 callers is one caller.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.ratios import note
from serving.store import Caller, Store
from serving.store.audit import audit_log
from serving.store.database import reading

SCORES, TIMES, CALLERS = 100_000, 100, 20
LEAD = Caller("bench", "lead", "801")
WORKER = Caller("bench", "worker", "801", ("1003",))


def scores(count: int) -> list[dict[str, object]]:
    """Return random scores of realistic size: three authorities, 100 schools, 4 kB each."""
    part = {"name": "absent_rate_28d", "value": 0.25, "contribution": 0.31}
    dated = {"table": "attendance", "date": "2025-01-06", "text": "absent without leave in the morning"}
    reason = {
        "theme": "attendance",
        "sentence": "Away a quarter of the last four weeks.",
        "direction": "raises",
        "contribution": 0.62,
        "features": [part] * 4,
        "evidence": [dated] * 6,
    }
    return [
        {
            "pupil_id": f"pupil-{n:07d}",
            "as_of": "2025-01-13",
            "risk": 1 / (n + 2),
            "risk_low": 0.0,
            "risk_high": 1.0,
            "rank": n // 3 + 1,
            "band": "high" if n < 5000 else "usual",
            "one_in": 20,
            "reasons": [reason] * 3,
            "protective": [],
            "context": [],
            "missing_tables": [],
            "unseen": [],
            "margin": 0.0,
            "base": -3.0,
            "model": "onroll",
            "model_version": "1",
            "definition": "commissioner_or_unknown",
            "horizon_days": 120,
            "authority": str(801 + n % 3),
            "urn": str(1000 + n % 100),
            "nc_year": n % 12,
            "catalogue_digest": "c" * 64,
            "features_digest": "f" * 64,
        }
        for n in range(count)
    ]


def median(work: Callable[[], object]) -> float:
    """Return the median time of a call, in milliseconds."""
    work()
    times = []
    for _ in range(TIMES):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def at_once(work: Callable[[], object]) -> tuple[float, float]:
    """Return the median and longest time of a call by 20 concurrent callers, in milliseconds."""
    times: list[float] = []

    def call() -> None:
        for _ in range(TIMES // 4):
            start = time.perf_counter()
            work()
            times.append((time.perf_counter() - start) * 1000)

    threads = [threading.Thread(target=call) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statistics.median(times), max(times)


def main(url: str | None) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(url or f"sqlite:///{folder}/onroll.db", b"a key for benchmarks, 32 letters!", Path(folder) / "a")
        listed = scores(SCORES)
        start = time.perf_counter()
        store.save(listed, LEAD)
        print(f"{SCORES:,} scores stored in {time.perf_counter() - start:.1f} s")
        ids = [f"pupil-{n:07d}" for n in range(0, 150, 3)]
        floor = median(lambda: store.note(LEAD, "bench"))
        print(f"one audit entry: {floor:.2f} ms")
        for name, work in {
            "50 pupils' scores": lambda: store.scores(LEAD, ids, None),
            "a list of 100": lambda: store.worklist(LEAD, None, 100),
            "a list of 100 of one school": lambda: store.worklist(WORKER, None, 100),
            "a list of 100 of all authorities": lambda: store.worklist(
                Caller("bench", "administrator", None), None, 100
            ),
        }.items():
            elapsed = median(work)
            note(name, elapsed / floor, "one commit of the audit")
            print(f"{name}: {elapsed:.2f} ms, {elapsed / floor:.1f} times one entry")
        alone = median(lambda: store.worklist(LEAD, None, 100))
        middle, longest = at_once(lambda: store.worklist(LEAD, None, 100))
        print(
            f"{CALLERS} callers at once: {middle:.1f} ms, {middle / alone / CALLERS:.2f} of sequential calls; longest {longest:.0f} ms"
        )
        start = time.perf_counter()
        with reading(store.engine) as connection:
            verified = audit_log.verify(connection, store.chain, store.anchors)
        elapsed = time.perf_counter() - start
        print(
            f"{verified.entries:,} entries verified in {elapsed:.2f} s: {'whole' if verified.whole else verified.why}"
        )


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
