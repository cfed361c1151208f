"""The Commissioner's table as text, CSV and a forest plot."""

from __future__ import annotations

from pathlib import Path

from features.groups.disclosure import HIDDEN, NOT_AVAILABLE
from histories.io.pictures import BLUE, GREY, RED, new_figure, write_picture
from histories.io.spreadsheet import write_csv
from training.description.describing import METHOD, PUBLISHED, Description, Row
from training.measures.intervals import Interval
from training.terminal_table import text_table

CSV_COLUMNS = (
    "group",
    "value",
    "children",
    "missing",
    "rate",
    "rate_low",
    "rate_high",
    "peers_rate",
    "peers_rate_low",
    "peers_rate_high",
    "relative_risk",
    "relative_risk_low",
    "relative_risk_high",
    "against_all",
    "published_ratio",
    "published_source",
)


def text(table: Description) -> str:
    """Return the table as aligned text with its notes."""
    dates = ", ".join(str(d) for d in table.as_of)
    headers = ("", "children", "missing", "rate", "others' rate", "relative risk (95%)", "against all", "published")
    rows = []
    for group in dict.fromkeys(r.group for r in table.rows):
        rows.append((group.title, *[""] * 7))
        rows += [_words(r) for r in table.rows if r.group is group]
    title = (
        f"Who went missing within {table.horizon} days of {dates}, by the definition {table.definition}: "
        f"{_count(table.missing)} of {_count(table.children)} children ({_share(table.rate)})"
    )
    notes = [METHOD, f"{HIDDEN} hidden; {NOT_AVAILABLE} cannot be computed."]
    if any(r.published for r in table.rows):
        notes.append(
            f"Published: {PUBLISHED[0].source}; shares of the missing over shares of all pupils, by another definition and over a year."
        )
    if table.left_out:
        notes.append(f"Left out, since their tables were not given: {', '.join(table.left_out)}.")
    return "\n".join([title, text_table(headers, rows), *table.without_outcome, *notes])


def _words(row: Row) -> tuple[str, ...]:
    broad = f"    {row.title}" if row.value in row.group.within else f"  {row.title}"
    risk = row.relative_risk
    # A rate based on a hidden count is hidden too; a rate of zero children cannot be computed.
    none = HIDDEN if row.missing is None else NOT_AVAILABLE
    return (
        broad,
        _count(row.children),
        _count(row.missing),
        _share(row.rate, none),
        _share(row.peers_rate, none),
        f"{risk.value:.2f} ({risk.low:.2f} to {risk.high:.2f})" if risk else none,
        f"{row.against_all:.2f}" if row.against_all is not None else none,
        f"{row.published.ratio:.1f}" if row.published else "",
    )


def _count(value: int | None) -> str:
    return HIDDEN if value is None else f"{value:,}"


def _share(value: Interval | None, none: str = NOT_AVAILABLE) -> str:
    return f"{value.value:.2%}" if value else none


def save_csv(table: Description, out: Path) -> None:
    """Write the table as CSV: one row for each value, hidden counts as ``[c]``."""
    write_csv(out, CSV_COLUMNS, [_cells(r) for r in table.rows])


def _cells(row: Row) -> list[object]:
    none = HIDDEN if row.missing is None else NOT_AVAILABLE
    figures: list[object] = []
    for interval in (row.rate, row.peers_rate, row.relative_risk):
        figures += [interval.value, interval.low, interval.high] if interval else [none] * 3
    against = none if row.against_all is None else row.against_all
    published = [row.published.ratio, row.published.source] if row.published else ["", ""]
    counts = [HIDDEN if n is None else n for n in (row.children, row.missing)]
    return [row.group.name, row.value, *counts, *figures, against, *published]


def save_plot(table: Description, out: Path) -> None:
    """Draw the relative risks with their intervals, and the published ratios."""
    lines: list[tuple[str, Row | None]] = []
    for group in dict.fromkeys(r.group for r in table.rows):
        lines += [(group.title, None), *((_words(r)[0], r) for r in table.rows if r.group is group)]
    figure = new_figure(9, 1.6 + 0.23 * len(lines))
    axes = figure.add_subplot()
    marked = False
    for y, (_, row) in enumerate(lines):
        if row and row.relative_risk:
            risk = row.relative_risk
            axes.plot([risk.low, risk.high], [y, y], color=BLUE, linewidth=1.5)
            axes.plot(risk.value, y, "s", color=BLUE, markersize=4)
        elif row:
            axes.text(1, y, HIDDEN if row.missing is None else NOT_AVAILABLE, ha="center", va="center", fontsize=7)
        if row and row.published:
            axes.plot(
                [row.published.ratio] * 2,
                [y - 0.45, y + 0.45],
                color=RED,
                linewidth=2,
                label=None if marked else "published",
            )
            marked = True
    axes.axvline(1, color=GREY, linewidth=0.8)
    axes.set_xscale("log")
    axes.set_yticks(range(len(lines)), [words for words, _ in lines], fontsize=7)
    for tick, (_, row) in zip(axes.get_yticklabels(), lines, strict=True):
        tick.set_fontweight("bold" if row is None else "normal")
        tick.set_horizontalalignment("left")
    axes.tick_params(axis="y", length=0, pad=210)
    axes.set_ylim(len(lines) - 0.5, -0.5)
    ticks = [t for t in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20) if axes.get_xlim()[0] <= t <= axes.get_xlim()[1]]
    axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axes.minorticks_off()
    axes.set_xlabel("relative risk against all other children, 95% interval (logarithmic)")
    days = ", ".join(str(d) for d in table.as_of)
    axes.set_title(f"Went missing within {table.horizon} days of {days} ({table.definition})", fontsize=9, loc="left")
    if marked:
        axes.legend(loc="lower right", fontsize=7)
        figure.supxlabel(f"Published: {PUBLISHED[0].source}", fontsize=5)
    write_picture(figure, out)
