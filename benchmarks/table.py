"""All ratios in one table with goal and verdict, and a line a commit in ``benchmarks/history.jsonl``, which the documentation draws.

``python -m benchmarks.table [NAME ...]`` runs the named benchmarks, by default those that take minutes, each in a process of its own. It exits 1
when a goal is missed. The history says whether files differed from the commit, and how busy the machine was.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.ratios import COLLECTED, Ratio, collected
from benchmarks.rounds import machine

BENCHMARKS = (
    "simulate",
    "explaining",
    "importing",
    "store",
    "starting",
    "features",
    "one_pupil",
    "approaches",
    "serving",
    "training",
    "whole_list",
)
HISTORY = Path(__file__).with_name("history.jsonl")


def lines_of(ratios: Sequence[Ratio]) -> list[str]:
    """Return the table.

    Examples
    --------
    >>> print(*lines_of([Ratio(name="all features", value=5.72, floor="plain scan", goal=2.5)]), sep="\\n")
    figure        value  goal  verdict  floor
    all features   5.72   2.5  missed   plain scan
    """
    head = ("figure", "value", "goal", "verdict", "floor")
    rows = [(r.name, f"{r.value:.4g}", "" if r.goal is None else f"{r.goal:g}", r.verdict, r.floor) for r in ratios]
    name, value, goal, verdict = (max(len(row[k]) for row in [head, *rows]) for k in range(4))
    return [f"{a:{name}}  {b:>{value}}  {c:>{goal}}  {d:{verdict}}  {e}" for a, b, c, d, e in [head, *rows]]


def entry(ratios: Sequence[Ratio]) -> dict[str, Any]:
    """Return the history's line of a run."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _git("rev-parse", "--short=12", "HEAD"),
        "changed": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "machine": machine(),
        "ratios": [asdict(r) for r in ratios],
    }


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=HISTORY.parent, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def run(names: Sequence[str]) -> list[Ratio]:
    """Run benchmarks one after the other, and return their figures."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ratios.jsonl"
        for name in names:
            print(f"== {name}", flush=True)
            command = [sys.executable, "-m", f"benchmarks.{name}"]
            subprocess.run(command, env={**os.environ, COLLECTED: str(file)}, check=True)
        return collected(file)


def main(names: Sequence[str]) -> int:
    """Run, print the table and add to the history; return the exit code."""
    ratios = run(names or BENCHMARKS)
    print("\n" + "\n".join(lines_of(ratios)))
    if ratios:
        with HISTORY.open("a", encoding="utf-8") as history:
            history.write(json.dumps(entry(ratios)) + "\n")
    return int(any(r.verdict == "missed" for r in ratios))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
