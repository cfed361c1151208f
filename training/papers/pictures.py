"""Pictures of the report: the charts of ``histories.io.pictures``, and those that only a report has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from histories.io.pictures import BLUE, GREY, RED, Bar, Picture, bars, curve, curves, new_figure, picture_of
from training.fitting.splits import Splits

__all__ = ["Bar", "Picture", "bars", "curve", "curves", "reliability", "splits"]


def splits(s: Splits) -> Picture:
    """Draw the training, calibration and test dates: one row for each model, one square for each day."""
    rows = [(f"made on {o.day}", o) for o in s.origins] + [("released", None)]
    days = [*s.dates, *s.later]
    figure = new_figure(2.6 + 0.42 * len(days), 1.3 + 0.38 * len(rows))
    axes = figure.add_subplot()
    looks = {
        "L": (BLUE, "white"),
        "P": ("#b5d8f0", "black"),
        "C": ("#ffdd00", "black"),
        "J": (RED, "white"),
        ".": ("#f3f2f1", GREY),
    }
    for y, (_, origin) in enumerate(rows):
        letters = s.letters(origin)
        for x, letter in enumerate(letters):
            if letter in looks:
                colour, ink = looks[letter]
                axes.add_patch(_square(x, y, colour))
                axes.text(x, y, letter, ha="center", va="center", color=ink, fontsize=8)
    axes.set_xlim(-0.6, len(days) - 0.4)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xticks(range(len(days)), [str(d) for d in days], rotation=90, fontsize=7)
    axes.set_yticks(range(len(rows)), [name for name, _ in rows], fontsize=8)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return picture_of(
        figure,
        "One row per model and one square per day: models train on the oldest days, skip days whose outcomes were not yet known, and predict the day on which they were made. The table below has the same data.",
        s.key,
    )


def _square(x: float, y: float, colour: str) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.46, y - 0.42), 0.92, 0.84, color=colour)


def reliability(points: Sequence[tuple[float, float]]) -> Picture:
    """Draw a reliability plot: predicted risk against the share that went missing, on logarithmic axes."""
    figure = new_figure(5.5, 5)
    axes = figure.add_subplot()
    ends = [min(min(p) for p in points) / 1.5, min(max(max(p) for p in points) * 1.5, 1.0)]
    axes.plot(ends, ends, color=GREY, linewidth=0.8, linestyle="--")
    axes.plot([p[0] for p in points], [p[1] for p in points], "o-", color=BLUE)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("predicted risk")
    axes.set_ylabel("share that went missing")
    axes.spines[["top", "right"]].set_visible(False)
    return picture_of(
        figure,
        f"{len(points)} points of predicted risk against the share that went missing; they are equal on the dashed line. The table below has the same data.",
        "Calibration: each point has about the same expected number of children going missing",
    )
