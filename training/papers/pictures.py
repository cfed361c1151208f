"""Pictures of the report as inline SVG; a table with the same figures accompanies each."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from training.fitting.splits import Splits

BLUE, GREY, RED, LIGHT = "#1d70b8", "#505a5f", "#d4351c", "#b1b4b6"


@dataclass(frozen=True)
class Picture:
    """An image as a data URL, its text alternative and its caption."""

    source: str
    alt: str
    caption: str


@dataclass(frozen=True)
class Bar:
    """A named figure with its interval."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None


def _figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _picture(figure: Any, alt: str, caption: str) -> Picture:
    import matplotlib as mpl

    drawn = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "onroll"}):
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    source = "data:image/svg+xml;base64," + base64.b64encode(drawn.getvalue().encode()).decode()
    return Picture(source, alt, caption)


def splits(s: Splits) -> Picture:
    """Draw the training, calibration and test dates: one row for each model, one square for each day."""
    rows = [(f"made on {o.day}", o) for o in s.origins] + [("released", None)]
    figure = _figure(2.6 + 0.42 * len(s.dates), 1.3 + 0.38 * len(rows))
    axes = figure.add_subplot()
    looks = {"L": (BLUE, "white"), "C": ("#ffdd00", "black"), "J": (RED, "white"), ".": ("#f3f2f1", GREY)}
    for y, (_, origin) in enumerate(rows):
        letters = s.letters(origin) if origin else "L" * len(s.dates)
        for x, letter in enumerate(letters):
            if letter in looks:
                colour, ink = looks[letter]
                axes.add_patch(_square(x, y, colour))
                axes.text(x, y, letter, ha="center", va="center", color=ink, fontsize=8)
    axes.set_xlim(-0.6, len(s.dates) - 0.4)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xticks(range(len(s.dates)), [str(d) for d in s.dates], rotation=90, fontsize=7)
    axes.set_yticks(range(len(rows)), [name for name, _ in rows], fontsize=8)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return _picture(
        figure,
        "One row per model and one square per day: models train on the oldest days, skip days whose outcomes were not yet known, and predict the day on which they were made. The table below has the same data.",
        "L trained on, . not yet known on that day, C predicted for calibration, J predicted and judged",
    )


def _square(x: float, y: float, colour: str) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.46, y - 0.42), 0.92, 0.84, color=colour)


def bars(title: str, figures: Sequence[Bar], *, alt: str, caption: str, line: float | None = None) -> Picture:
    """Draw figures with their intervals, one below another."""
    figure = _figure(9, 1.2 + 0.32 * len(figures))
    axes = figure.add_subplot()
    for y, bar in enumerate(figures):
        if bar.low is not None and bar.high is not None:
            axes.plot([bar.low, bar.high], [y, y], color=BLUE, linewidth=2)
        else:
            axes.plot([0, bar.value], [y, y], color=LIGHT, linewidth=6, solid_capstyle="butt")
        axes.plot(bar.value, y, "s", color=BLUE, markersize=6)
    if line is not None:
        axes.axvline(line, color=GREY, linewidth=0.8)
    axes.set_yticks(range(len(figures)), [b.name for b in figures], fontsize=8)
    axes.set_ylim(len(figures) - 0.5, -0.5)
    axes.set_xlabel(title, fontsize=8)
    axes.tick_params(axis="x", labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    return _picture(figure, alt, caption)


def reliability(points: Sequence[tuple[float, float]]) -> Picture:
    """Draw a reliability plot: predicted risk against the share that went missing, on logarithmic axes."""
    figure = _figure(5.5, 5)
    axes = figure.add_subplot()
    ends = [min(min(p) for p in points) / 1.5, min(max(max(p) for p in points) * 1.5, 1.0)]
    axes.plot(ends, ends, color=GREY, linewidth=0.8, linestyle="--")
    axes.plot([p[0] for p in points], [p[1] for p in points], "o-", color=BLUE)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("predicted risk")
    axes.set_ylabel("share that went missing")
    axes.spines[["top", "right"]].set_visible(False)
    return _picture(
        figure,
        f"{len(points)} points of predicted risk against the share that went missing; they are equal on the dashed line. The table below has the same data.",
        "Calibration: each point has about the same expected number of children going missing",
    )


def curve(points: Sequence[tuple[float, float]], x: str, y: str, *, alt: str, caption: str) -> Picture:
    """Draw a line through points."""
    figure = _figure(6, 3.6)
    axes = figure.add_subplot()
    axes.plot([p[0] for p in points], [p[1] for p in points], "o-", color=BLUE)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_ylim(bottom=0)
    axes.set_xticks([p[0] for p in points])
    axes.spines[["top", "right"]].set_visible(False)
    return _picture(figure, alt, caption)
