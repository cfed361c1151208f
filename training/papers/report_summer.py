"""The part of the report about the summer: the lists of June for September."""

from __future__ import annotations

from typing import Any

from features.groups.disclosure import HIDDEN, SMALLEST
from training.papers.material import Material
from training.papers.paper import PaperTable
from training.papers.part import ReportSection
from training.papers.tables import number, rounded_figures
from training.papers.used import counted

TITLE = "The summer, before it"
BOARDS = {"year_6": "Year 6, before secondary school", "year_11": "Year 11 leavers"}
ORDERS = {
    "released": "this model, trained on what was known before that June",
    "without_place": "children without a place first, then offers declined or not answered",
    "checklist": "a checklist with points",
}


def summer(m: Material) -> ReportSection:
    """Report the lists of June, each judged as a list of its own."""
    report = m.report.get("summer")
    if not report:
        return ReportSection(title=TITLE, text=["This run did not judge lists of June."])
    text = [
        "A child who leaves Year 6 in July and arrives nowhere is missed in September. These lists are made on the second Monday of June, of the children of one year only.",
        "Children who are about to start Reception are on no roll in June and are not scored.",
    ]
    if report["days"]:
        text.append(f"Judged on {', '.join(report['days'])}.")
    tables = []
    for name, board in report["boards"].items():
        if "why" in board:
            text.append(f"{BOARDS[name]}: not judged; {board['why']}.")
            continue
        tables.append((BOARDS[name], _table(board)))
        text.append(f"{BOARDS[name]}: {_against(board, 'without_place')}")
    return ReportSection(title=TITLE, text=text, tables=tables)


def _table(board: dict[str, Any]) -> PaperTable:
    headers = (
        "order of the list",
        "children on the days",
        "went missing",
        "precision in the first 25",
        "recall in the first 25",
        "average precision",
    )
    rows = []
    for name, figures in board["figures"].items():
        positives = figures["positives"]
        shown = rounded_figures(figures["at_capacity"]["top_25_a_list"], positives)
        precision, recall = (f"{shown[0]:.0%}", f"{shown[1]:.0%}") if shown else (HIDDEN, HIDDEN)
        missing = counted(positives) if positives > SMALLEST else HIDDEN
        precise = number(figures["average_precision"], ".3f")
        rows.append((ORDERS[name], counted(figures["snapshots"]), missing, precision, recall, precise))
    return PaperTable(headers, tuple(rows))


def _against(board: dict[str, Any], other: str) -> str:
    lead = board["leads"][other]
    low, high = lead["interval"]
    if lead["lead"] is None or low is None:
        return "it cannot be compared with present practice."
    better = "better than" if lead["lead"] > 0 else "worse than"
    if lead["within_noise"]:
        better = "within noise of"
    return f"this model is {better} taking {ORDERS[other]}: by {lead['lead']:+.3f} in average precision ({low:+.3f} to {high:+.3f})."
