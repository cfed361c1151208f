"""The fairness report as text and as a plot of every figure by group."""

from __future__ import annotations

from pathlib import Path

from features.groups.disclosure import HIDDEN, NOT_AVAILABLE
from features.groups.groups import BY_NAME
from histories.io.pictures import BLUE, GREY, new_figure, write_picture
from training.evaluation.fairness_report import COUNTS, FIGURES, FairnessReport, Slice
from training.measures.intervals import Interval
from training.terminal_table import text_table

HEADERS = (
    "",
    "children",
    "missing",
    "listed",
    "found",
    "listing rate",
    "recall",
    "precision",
    "wrongly listed",
    "missing / expected",
)


def text(report: FairnessReport) -> str:
    """Return every group, and the pairs with a printable rate, as aligned text."""
    size = f"{report.capacity:.1%} of each list" if report.capacity < 1 else f"{report.capacity:g} children a list"
    rows = [_words("all children", report.overall)]
    for group in dict.fromkeys(s.groups for s in report.slices):
        rows.append((BY_NAME[group[0]].title if group[0] in BY_NAME else group[0], *[""] * (len(HEADERS) - 1)))
        rows += [_words(f"  {s.title}", s) for s in report.slices if s.groups == group]
    shown = [s for s in report.pairs if s.figures["recall"] or s.figures["precision"]]
    rows += (
        [(f"pairs of groups ({len(shown)} of {len(report.pairs)} can be shown)", *[""] * (len(HEADERS) - 1))]
        if report.pairs
        else []
    )
    rows += [_words(f"  {s.title}", s) for s in shown]
    notes = [
        f"The list takes {size}. Figures with 95% intervals, computed from counts rounded to 5; {HIDDEN} hidden, {NOT_AVAILABLE} cannot be computed.",
        *(f"{name.replace('_', ' ')}: {meaning}" for name, meaning in FIGURES.items()),
        "Nothing was adjusted. A gap may come from the world, the records or the model; the table does not show which.",
    ]
    return "\n".join([text_table(HEADERS, rows), *notes])


def _words(title: str, row: Slice) -> tuple[str, ...]:
    hidden = any(row.counts[c] is None for c in COUNTS)
    counts = [HIDDEN if row.counts[c] is None else f"{row.counts[c]:,}" for c in COUNTS]
    return (title, *counts, *(figure_text(name, figure, hidden=hidden) for name, figure in row.figures.items()))


def figure_text(name: str, figure: Interval | None, *, hidden: bool) -> str:
    """Return a figure of ``FIGURES`` with its interval, or the symbol for a hidden or uncomputable one.

    Parameters
    ----------
    hidden : bool
        Whether a count of the slice is hidden.
    """
    if figure is None:
        return HIDDEN if hidden else NOT_AVAILABLE
    form = ".2f" if name == "calibration" else ".1%"
    return f"{figure.value:{form}} ({figure.low:{form}} to {figure.high:{form}})"


def save_plot(report: FairnessReport, out: Path) -> None:
    """Draw each figure of each group with its interval, and a line for all children."""
    lines: list[tuple[str, Slice | None]] = []
    for group in dict.fromkeys(s.groups for s in report.slices):
        lines.append((BY_NAME[group[0]].title if group[0] in BY_NAME else group[0], None))
        lines += [(f"  {s.title}", s) for s in report.slices if s.groups == group]
    figure = new_figure(14, 1.4 + 0.22 * len(lines))
    panels = figure.subplots(1, len(FIGURES), sharey=True)
    for axes, name in zip(panels, FIGURES, strict=True):
        for y, (_, row) in enumerate(lines):
            if row and (shown := row.figures[name]):
                axes.plot([shown.low, shown.high], [y, y], color=BLUE, linewidth=1.5)
                axes.plot(shown.value, y, "s", color=BLUE, markersize=4)
            elif row:
                hidden = any(row.counts[c] is None for c in COUNTS)
                axes.text(
                    0.02,
                    y,
                    HIDDEN if hidden else NOT_AVAILABLE,
                    transform=axes.get_yaxis_transform(),
                    va="center",
                    fontsize=6,
                )
        if whole := report.overall.figures[name]:
            axes.axvline(whole.value, color=GREY, linewidth=0.8)
        axes.set_title(name.replace("_", " "), fontsize=8)
        axes.tick_params(axis="x", labelsize=6)
    panels[0].set_yticks(range(len(lines)), [words for words, _ in lines], fontsize=7)
    for tick, (_, row) in zip(panels[0].get_yticklabels(), lines, strict=True):
        tick.set_fontweight("bold" if row is None else "normal")
    panels[0].set_ylim(len(lines) - 0.5, -0.5)
    write_picture(figure, out)
