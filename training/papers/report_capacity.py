"""The section of the report on what a team finds: precision, recall, lift and net benefit by length of list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from training.measures.decision_value import CAPACITIES as VALUED
from training.measures.decision_value import ONE_IN
from training.measures.evaluate import PER_LIST, SHARES, list_key, share_key
from training.papers import pictures
from training.papers.material import Material
from training.papers.part import ReportSection
from training.papers.pictures import Bar, Picture
from training.papers.report_value import PRESENT, value, worth
from training.papers.tables import capacity, rounded_figures

SAME = "The table below has the same data."
LENGTH = "children on each list"


def at_capacity(m: Material) -> ReportSection:
    """Report what a team finds at its capacity."""
    text = [
        "A team can review only so many children. A list here is one authority's on one day. Most children who are not listed do not go missing, but some do."
    ]
    tables = [("Found at a team's capacity", capacity(m))]
    valued = value(m)
    if valued:
        text.append(PRESENT)
        tables.append(("Children reached in a year, and net benefit", valued))
    drawn = [picture for picture in (found(m), lift(m), *net_benefit(m)) if picture]
    return ReportSection(title="What a team finds", text=text, pictures=drawn, tables=tables)


def found(m: Material) -> Picture | None:
    """Draw precision and recall by length of list; None if all are hidden."""
    lines: dict[str, list[Bar]] = {
        "precision: share of the listed who went missing": [],
        "recall: share of those who went missing who were listed": [],
    }
    for n in PER_LIST:
        shown = rounded_figures(m.figures["at_capacity"][list_key(n)], m.figures["positives"])
        for part, bars, figure in zip(("precision", "recall"), lines.values(), shown or (), strict=False):
            limits = m.figures["intervals"].get(f"{list_key(n)}.{part}", (None, None))
            bars.append(Bar(str(n), figure, *limits))
    if not any(lines.values()):
        return None
    return pictures.curves(
        lines,
        LENGTH,
        "share",
        share=True,
        alt=f"Precision and recall by length of list, with 95% intervals. {SAME}",
        caption="Precision and recall by length of list (bands: 95% intervals)",
    )


def lift(m: Material) -> Picture | None:
    """Draw how many times better than chance lists of several lengths are; None if all are hidden."""
    bars = []
    for key, title in (
        *((share_key(s), f"the first {s:.1%} of all") for s in SHARES),
        *((list_key(n), f"{n} of each list") for n in PER_LIST),
    ):
        shown = rounded_figures(m.figures["at_capacity"][key], m.figures["positives"])
        if shown:
            bars.append(Bar(title, shown[3]))
    if not bars:
        return None
    return pictures.bars(
        "lift: times as many as in a random list of the same length",
        bars,
        line=1.0,
        alt=f"Lift for lists of several lengths. {SAME}",
        caption="How many times better than chance a list is; the line marks chance",
    )


def net_benefit(m: Material) -> Iterator[Picture]:
    """Draw the net benefit of a year of lists by their length, beside present practice; nothing if not measured or all hidden."""
    decision: dict[str, Any] = m.figures.get("decision") or {}
    for n in ONE_IN if decision else ():
        lines: dict[str, list[Bar]] = {"the model's list": [], "present practice": []}
        for places in VALUED:
            for name, bars in zip(("model", "present"), lines.values(), strict=True):
                figures = decision[list_key(places)][name]
                benefit = worth(m, decision, figures)
                if benefit:
                    bars.append(Bar(str(places), benefit[ONE_IN.index(n)], *figures[f"net_benefit_1_in_{n}_interval"]))
        if any(lines.values()):
            yield pictures.curves(
                {title: bars for title, bars in lines.items() if bars},
                LENGTH,
                "net benefit, children a year",
                alt=f"Net benefit at 1 in {n} by length of list, of the model's list and of present practice, with 95% intervals. {SAME}",
                caption=f"Net benefit if {n} reviews for one child reached are just worth it (bands: 95% intervals)",
            )
