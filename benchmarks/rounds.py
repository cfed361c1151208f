"""Time tasks alternately, so that noise of the machine affects all of them, and compare them with a named floor."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.ratios import note


@dataclass(frozen=True)
class Timed:
    """Seconds of each round: wall time, and CPU time of this process with all its threads."""

    clock: tuple[float, ...]
    processor: tuple[float, ...]

    @property
    def median(self) -> float:
        """Return the median wall time in seconds."""
        return statistics.median(self.clock)


def rounds(works: Mapping[str, Callable[[], Any]], repeats: int = 5) -> dict[str, Timed]:
    """Run every task in each round, after a warm-up round."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for n in range(repeats + 1):
        for name, work in works.items():
            clock, processor = time.perf_counter(), time.process_time()
            work()
            if n:
                times[name].append((time.perf_counter() - clock, time.process_time() - processor))
    return {name: Timed(*zip(*pairs, strict=True)) for name, pairs in times.items()}


def report(title: str, timed: Mapping[str, Timed], floor: str, **more: object) -> dict[str, Any]:
    """Return each task's figures and its ratios to the floor, in wall time and CPU time.

    A ratio is the median over rounds of the ratios within each round.
    """
    base = timed[floor]
    works = {
        name: {
            "seconds": {"min": min(t.clock), "median": t.median, "max": max(t.clock)},
            "processor_seconds": statistics.median(t.processor),
            "ratio": statistics.median(a / b for a, b in zip(t.clock, base.clock, strict=True)),
            "ratio_of_processor": statistics.median(a / b for a, b in zip(t.processor, base.processor, strict=True)),
        }
        for name, t in timed.items()
    }
    return {"title": title, "floor": floor, "rounds": len(base.clock), "machine": machine(), **more, "works": works}


def machine() -> dict[str, Any]:
    """Return the machine's properties and its load, which includes this benchmark."""
    return {
        "cores": os.cpu_count(),
        "processor": platform.processor() or platform.machine(),
        "python": platform.python_version(),
        "load": [round(x, 1) for x in os.getloadavg()],
    }


def show(results: dict[str, Any], goals: Mapping[str, float] | None = None) -> None:
    """Print the figures as JSON with ``--json``, otherwise as a table, and note the ratios with their goals (``benchmarks.ratios``)."""
    for name, work in results["works"].items():
        if name != results["floor"]:
            note(name, work["ratio"], results["floor"], (goals or {}).get(name))
    if "--json" in sys.argv:
        print(json.dumps(results, indent=1))
        return
    m = results["machine"]
    print(f"{results['title']}\n{results['rounds']} rounds, load {m['load'][0]} on {m['cores']} cores")
    print(f"{'':44}{'min':>9}{'median':>9}{'max':>9}   ratio  of processor")
    for name, w in results["works"].items():
        s = w["seconds"]
        times = f"{s['min']:9.3f}{s['median']:9.3f}{s['max']:9.3f}"
        print(f"{name:44}{times}{w['ratio']:8.2f}{w['ratio_of_processor']:14.2f}")
    for name, value in results.items():
        if name not in ("title", "rounds", "machine", "works", "floor"):
            print(f"{name}: {value}")
