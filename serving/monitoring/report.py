"""The monitor's report as one HTML page: alarms, a run chart of lists, a funnel of groups, and the tables behind them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from histories.io.atomic_write import new_file
from histories.io.html import render
from histories.io.pictures import BLUE, GREY, LIGHT, Picture, new_figure, picture_of
from serving.monitoring.monitor import NOTES, MonitorReport
from serving.monitoring.promises import poisson_range
from serving.monitoring.results import Breakdown, ListResult
from serving.monitoring.simple_way import WHY
from serving.monitoring.text import VERDICTS, WAYS, way_name
from training.evaluation.fairness_report import FairnessReport

TEMPLATE = Path(__file__).with_name("report.html")
MAX_LISTS = 60  # newest matured lists that the chart shows


def write_report(report: MonitorReport, out: Path) -> None:
    """Write the report as an HTML page, atomically."""
    matured = [(r, r.figures) for r in report.judgement.lists if r.figures]
    page = render(
        TEMPLATE,
        report=report,
        matured=matured,
        waiting=[r for r in report.judgement.lists if not r.figures],
        run=run_chart(matured[-MAX_LISTS:]) if matured else None,
        funnels={v.model_version: funnel(v.groups) for v in report.judgement.versions if v.groups},
        notes=NOTES,
        ways={"names": WAYS, "verdicts": VERDICTS, "why": WHY, "name": way_name},
    )
    with new_file(out) as beside:
        beside.touch(mode=0o600)  # figures of lists are exact
        beside.write_text(page, encoding="utf-8")


def run_chart(lists: list[tuple[ListResult, Breakdown]]) -> Picture:
    """Draw each list's usual range and what came, in the order of their days."""
    figure = new_figure(min(2.5 + 0.35 * len(lists), 14), 3.6)
    axes = figure.add_subplot()
    for x, (_, figures) in enumerate(lists):
        whole = figures.whole
        axes.plot([x, x], whole.usual, color=LIGHT, linewidth=6, solid_capstyle="butt")
        axes.plot(x, whole.expected, "_", color=GREY, markersize=8)
        axes.plot(x, whole.observed, "o" if whole.kept else "X", color=BLUE, markersize=5 if whole.kept else 8)
    axes.set_xticks(range(len(lists)), [str(r.of.as_of) for r, _ in lists], rotation=90, fontsize=7)
    axes.set_ylabel("children who went missing", fontsize=8)
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
    broken = sum(not figures.whole.kept for _, figures in lists)
    return picture_of(
        figure,
        f"{len(lists)} lists in the order of their days, of which {broken} lie outside the usual range. The table of lists has the same data.",
        "Run chart: grey bars are the usual range of each list, dashes the expected number, dots what came; a cross lies outside the range",
    )


def funnel(groups: FairnessReport) -> Picture | None:
    """Draw observed over expected of each group against its expected number; None if no group can be measured."""
    points = [
        (float(s.counts["expected"]), s.figures["calibration"].value, s.title)
        for s in groups.slices
        if s.counts["expected"] and s.figures["calibration"]
    ]
    if not points:
        return None
    design = groups.design.of_ratio
    at = np.geomspace(max(min(p[0] for p in points) / 1.5, 1.0), max(p[0] for p in points) * 1.5, 60)
    limits = np.array([[design * n / e for n in poisson_range(e / design)] for e in at])
    figure = new_figure(6, 3.8)
    axes = figure.add_subplot()
    axes.plot(at, limits, color=GREY, linewidth=0.8, linestyle="--")
    axes.axhline(1.0, color=GREY, linewidth=0.8)
    axes.plot([p[0] for p in points], [p[1] for p in points], "o", color=BLUE)
    axes.set_xscale("log")
    axes.set_xlabel("expected number of children", fontsize=8)
    axes.set_ylabel("observed over expected", fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    outside = _outside(points, design)
    named = f"outside: {', '.join(outside)}" if outside else "none outside"
    return picture_of(
        figure,
        f"{len(points)} groups by expected number; {named}. The table of groups has the same data.",
        "Funnel: groups between the dashed lines differ from what was expected by no more than chance",
    )


def _outside(points: list[tuple[float, float, str]], design: float) -> list[str]:
    names = []
    for expected, ratio, title in points:
        low, high = (design * n / expected for n in poisson_range(expected / design))
        if not low <= ratio <= high:
            names.append(title)
    return names
