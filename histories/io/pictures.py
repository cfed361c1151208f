"""Charts drawn by Matplotlib, as inline SVG or a picture file; a table with the same figures accompanies each."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from histories.errors import Fault, Usage
from histories.io.atomic_write import new_file

PICTURES = (".png", ".svg", ".pdf")
MIME = {"svg": "svg+xml", "png": "png"}
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


def new_figure(width: float, height: float) -> Any:
    """Return an empty Matplotlib figure; width and height are in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def picture_of(figure: Any, alt: str, caption: str, kind: str = "svg", *, tight: bool = False) -> Picture:
    """Return a Matplotlib figure as a picture.

    Parameters
    ----------
    kind : str
        ``svg``, or ``png``, which is smaller for thousands of points.
    tight : bool
        Fit the picture to what is drawn, for figures that were not laid out by ``new_figure``.
    """
    data = io.BytesIO()
    _save(figure, data, kind, bbox_inches="tight" if tight else None)
    source = f"data:image/{MIME[kind]};base64,{base64.b64encode(data.getvalue()).decode()}"
    return Picture(source, alt, caption)


def picture_kind(out: Path) -> str:
    """Return the picture format of a file name.

    Raises
    ------
    Usage
        If it is none of ``PICTURES``.
    """
    if out.suffix.lower() not in PICTURES:
        raise Usage(
            Fault("this is not the name of a picture file", str(out), f"Use the extension {', '.join(PICTURES)}.")
        )
    return out.suffix.lower()[1:]


def write_picture(figure: Any, out: Path) -> None:
    """Write a Matplotlib figure atomically, in the format of the file name."""
    kind = picture_kind(out)
    with new_file(out) as temporary:
        _save(figure, temporary, kind)


def _save(figure: Any, to: Any, kind: str, **how: Any) -> None:
    """Write a figure; the same figure gives the same bytes of SVG."""
    import matplotlib as mpl

    with mpl.rc_context({"svg.hashsalt": "onroll"}):
        metadata = {"Date": None, "Creator": None} if kind == "svg" else None
        figure.savefig(to, format=kind, dpi=150, metadata=metadata, **how)


def bars(title: str, figures: Sequence[Bar], *, alt: str, caption: str, line: float | None = None) -> Picture:
    """Draw figures with their intervals, one below another."""
    figure = new_figure(9, 1.2 + 0.32 * len(figures))
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
    return picture_of(figure, alt, caption)


def curves(
    lines: Mapping[str, Sequence[Bar]],
    x: str,
    y: str,
    *,
    alt: str,
    caption: str,
    share: bool = False,
) -> Picture:
    """Draw several figures with their intervals over the same lengths, such as precision and recall by length of list.

    Parameters
    ----------
    lines : mapping
        By title; the name of a bar is its place on the horizontal axis, a number.
    share : bool
        Whether the figures are shares, written as percentages.
    """
    figure = new_figure(7, 3.6)
    axes = figure.add_subplot()
    for (title, bars_of), colour, mark in zip(lines.items(), (BLUE, RED, GREY), "os^", strict=False):
        places = [float(b.name) for b in bars_of]
        axes.plot(places, [b.value for b in bars_of], f"{mark}-", color=colour, label=title)
        known = [(p, b.low, b.high) for p, b in zip(places, bars_of, strict=True) if b.low is not None]
        if known:
            axes.fill_between(*zip(*known, strict=True), color=colour, alpha=0.15, linewidth=0)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_xticks(sorted({float(b.name) for bars_of in lines.values() for b in bars_of}))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9)
    if share:
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(lambda value, place: f"{value:.0%}")
    return picture_of(figure, alt, caption)


def curve(points: Sequence[tuple[float, float]], x: str, y: str, *, alt: str, caption: str) -> Picture:
    """Draw a line through points."""
    figure = new_figure(6, 3.6)
    axes = figure.add_subplot()
    axes.plot([p[0] for p in points], [p[1] for p in points], "o-", color=BLUE)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_ylim(bottom=0)
    axes.set_xticks([p[0] for p in points])
    axes.spines[["top", "right"]].set_visible(False)
    return picture_of(figure, alt, caption)
