"""The part of the report that separates detection from prediction."""

from __future__ import annotations

from typing import Any

from features.groups.disclosure import HIDDEN, SMALLEST, rounded
from features.outcome.stopping import ACT_TODAY, HELP_EARLY, stopping_rule
from training.papers.material import Material
from training.papers.paper import PaperTable
from training.papers.part import ReportSection
from training.papers.used import counted

TITLES = {ACT_TODAY: "act today: already stopped coming", HELP_EARLY: "help early: not yet stopped"}
TITLE = "Detection and prediction"


def foreseeing(m: Material) -> ReportSection:
    """Report the figures among children who have already stopped coming, and among the others."""
    lists, early = m.figures.get("lists"), m.figures.get("early")
    if not lists or not early:
        return ReportSection(title=TITLE, text=["This run did not evaluate the two lists separately."])
    text = [
        "A school knows which children have already stopped coming. A list is useful if it finds others, early enough to help.",
        f"Already stopped means: {stopping_rule().text}",
        "Early figures count children who had not yet stopped coming on the day and went missing at least so many days later. Those who went missing sooner take places on the list but do not count as found.",
    ]
    rows = tuple((TITLES[name], *of_list(figures)) for name, figures in lists.items())
    both = PaperTable(
        (
            "list",
            "snapshots",
            "went missing",
            "precision in the first 25 of a list",
            "recall in the first 25 of a list",
        ),
        rows,
    )
    in_time = PaperTable(
        (
            "went missing after",
            "places on each list",
            "went missing",
            "precision (95% interval)",
            "recall (95% interval)",
        ),
        tuple(row for name, figures in early.items() for row in ahead(name, figures)),
    )
    tables = [("The two lists", both), ("Outcomes that leave time to help", in_time)]
    if within := m.figures.get("within"):
        text.append(
            "One model gives the risk within any number of days: how the hazard runs over time is learned apart for each list, also from windows of which only a part is known."
        )
        tables.append(("Expected and came, by days from the as-of date", by_days(within)))
    return ReportSection(title=TITLE, text=text, tables=tables)


def by_days(within: list[dict[str, Any]]) -> PaperTable:
    """Return how many were expected to go missing within so many days, and how many did; small numbers are hidden."""
    headers = ("list", "within", "snapshots", "expected to go missing", "went missing")
    rows = [
        (
            TITLES[row["list"]],
            f"{row['days']} days",
            counted(round(row["snapshots"])),
            f"{row['expected']:,.0f}",
            counted(round(row["came"])) if row["came"] > SMALLEST else HIDDEN,
        )
        for row in within
    ]
    return PaperTable(headers, tuple(rows))


def of_list(figures: dict[str, Any]) -> tuple[str, ...]:
    """Return the cells of a list's row after its name, hidden if the number found or missed is small."""
    positives, top = figures["positives"], figures["top_25"]
    hits = (top["recall"] or 0.0) * positives
    if min(hits, positives - hits) <= SMALLEST:
        return counted(figures["snapshots"]), counted(positives) if positives > SMALLEST else HIDDEN, HIDDEN, HIDDEN
    # Shares of exact counts would reveal the unrounded counts.
    shares = (top["precision"] * rounded(round(hits)) / hits, rounded(round(hits)) / rounded(positives))
    return counted(figures["snapshots"]), counted(positives), *(f"{share:.0%}" for share in shares)


def ahead(name: str, figures: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the rows of outcomes that begin at least some days after the as-of date, one per capacity."""
    days, positives = name.split("_")[2], figures["positives"]
    rows: list[tuple[str, ...]] = []
    for capacity in (key for key in figures if key.startswith("top_")):
        at = figures[capacity]
        hits = (at["early_recall"] or 0.0) * positives
        first = (
            f"{days} days or more",
            capacity.removeprefix("top_"),
            counted(positives) if positives > SMALLEST else HIDDEN,
        )
        if min(hits, positives - hits) <= SMALLEST:
            rows.append((*first, HIDDEN, HIDDEN))
            continue
        hit_counts = rounded(round(hits))
        shown = (hit_counts / at["listed"], hit_counts / rounded(positives))
        bounds = (at["early_precision_interval"], at["early_recall_interval"])
        rows.append(
            (
                *first,
                *(f"{share:.1%} ({low:.1%} to {high:.1%})" for share, (low, high) in zip(shown, bounds, strict=True)),
            )
        )
    return rows
