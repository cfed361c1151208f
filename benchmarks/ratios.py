"""Figures of benchmarks in one form: each a ratio to a named floor with a goal, so that one table and one history hold all of them.

A benchmark calls ``note`` beside what it prints. Run by itself it only prints; ``benchmarks.table`` names the file that collects them.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

COLLECTED = "ONROLL_BENCHMARK_RATIOS"  # the file that figures are added to


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """One figure of a benchmark.

    Attributes
    ----------
    name : str
        Unique among all benchmarks; the history follows it.
    value : float
        How many times the floor; smaller is better.
    floor : str
        What it is compared with. A floor of so many seconds, bytes or milliseconds is the promise itself.
    goal : float or None
        The largest value that meets the promise; None where nothing is promised.
    """

    name: str
    value: float
    floor: str
    goal: float | None = None

    @property
    def verdict(self) -> str:
        """Whether the goal is met."""
        if self.goal is None:
            return "no goal"
        return "met" if self.value <= self.goal else "missed"


def note(name: str, value: float, floor: str, goal: float | None = None) -> None:
    """Add a figure to the file of ``COLLECTED``, if one is named."""
    if file := os.environ.get(COLLECTED):
        ratio = Ratio(name=name, value=float(f"{value:.4g}"), floor=floor, goal=goal)
        with Path(file).open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(asdict(ratio)) + "\n")


def collected(file: Path) -> list[Ratio]:
    """Return the figures of a file."""
    return [Ratio(**json.loads(line)) for line in file.read_text("utf-8").splitlines()] if file.exists() else []
