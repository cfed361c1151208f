"""The part of the report that keeps finding and foreseeing apart."""

from __future__ import annotations

from typing import Any

from features.groups.disclosure import HIDDEN, SMALLEST, rounded
from features.outcome.stopping import ACT_TODAY, HELP_EARLY, stopping_rule
from training.papers.material import Material
from training.papers.paper import PaperTable
from training.papers.part import ReportSection
from training.papers.used import counted

TITLES = {ACT_TODAY: "act today: already stopped coming", HELP_EARLY: "help early: not yet"}
TITLE = "Finding and foreseeing"


def foreseeing(m: Material) -> ReportSection:
    """Say what is found among children who have already stopped coming, and what among the others."""
    lists, early = m.figures.get("lists"), m.figures.get("early")
    if not lists or not early:
        return ReportSection(title=TITLE, text=["This run did not keep the two lists apart."])
    text = [
        "A school knows a child who has already stopped coming; a list earns its place among the others, and early enough to help.",
        f"Already stopped means: {stopping_rule().text}",
        "Early figures count children who had not yet stopped on the day and went missing so many days later or more. Those who went missing sooner take places on the list and are not counted as found.",
    ]
    rows = tuple((TITLES[name], *of_list(figures)) for name, figures in lists.items())
    both = PaperTable(
        ("list", "snapshots", "went missing", "of the first 25 of a list, went missing", "of the missing, among them"),
        rows,
    )
    in_time = PaperTable(
        (
            "went missing after",
            "places on each list",
            "went missing",
            "of those listed (95% interval)",
            "of them, listed (95% interval)",
        ),
        tuple(row for name, figures in early.items() for row in ahead(name, figures)),
    )
    return ReportSection(
        title=TITLE, text=text, tables=[("The two lists", both), ("Outcomes that leave time to help", in_time)]
    )


def of_list(figures: dict[str, Any]) -> tuple[str, ...]:
    """Return a list's row after its name; hidden where the number found or missed is small."""
    positives, top = figures["positives"], figures["top_25"]
    hits = (top["recall"] or 0.0) * positives
    if min(hits, positives - hits) <= SMALLEST:
        return counted(figures["snapshots"]), counted(positives) if positives > SMALLEST else HIDDEN, HIDDEN, HIDDEN
    of_exact = rounded(round(hits)) / hits  # shares of exact counts would undo the rounding
    shares = (f"{top[part] * of_exact:.0%}" for part in ("precision", "recall"))
    return counted(figures["snapshots"]), counted(positives), *shares


def ahead(name: str, figures: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the rows of outcomes that begin some days after the day, one a capacity."""
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
        shown = (hit_counts / at["listed"], hit_counts / positives)
        bounds = (at["early_precision_interval"], at["early_recall_interval"])
        rows.append(
            (
                *first,
                *(f"{share:.1%} ({low:.1%} to {high:.1%})" for share, (low, high) in zip(shown, bounds, strict=True)),
            )
        )
    return rows
