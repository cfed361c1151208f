"""Sections of the report about lists: calibration, weekly lists, unseen children, groups and mistakes."""

from __future__ import annotations

from typing import Any

from features.catalogue import catalogue
from features.groups.disclosure import HIDDEN, SMALLEST, rounded
from training.papers import pictures
from training.papers.material import Material
from training.papers.paper import PaperTable
from training.papers.part import ReportSection
from training.papers.pictures import Bar
from training.papers.tables import calibration as calibration_table
from training.papers.tables import group_title, groups, number
from training.papers.used import counted


def calibration(m: Material) -> ReportSection:
    """Report the calibration of the risks."""
    points = merged(m.figures.get("reliability") or [])
    tables = [("Slope and intercept", calibration_table(m))]
    shown = []
    if len(points) > 1:
        shown.append(pictures.reliability([(p["told"], p["seen"]) for p in points]))
        rows = tuple((f"{p['told']:.2%}", f"{p['seen']:.2%}", counted(p["snapshots"])) for p in points)
        tables.append(
            (
                "Predicted and observed",
                PaperTable(("mean predicted risk", "share that went missing", "snapshots"), rows),
            )
        )
    text = [
        "Of children with a risk of 10%, 1 in 10 should go missing. Points below the dashed line: risks are overstated. Points above it: understated."
    ]
    return ReportSection(title="Are the risks right?", text=text, pictures=shown, tables=tables)


def merged(points: list[dict[str, float]]) -> list[dict[str, float]]:
    """Merge neighbouring points until each has more than 7 children who went missing, and round that count.

    Examples
    --------
    >>> merged([{"told": 0.1, "seen": 0.05, "snapshots": 100.0}, {"told": 0.3, "seen": 0.25, "snapshots": 20.0}])
    [{'told': 0.13333333333333333, 'seen': 0.08333333333333333, 'snapshots': 120.0}]
    """
    groups: list[list[float]] = []  # expected, missing, snapshots
    for p in points:
        counts = [p["told"] * p["snapshots"], p["seen"] * p["snapshots"], p["snapshots"]]
        if groups and (groups[-1][1] <= SMALLEST or round(counts[1]) <= SMALLEST):
            groups[-1] = [a + b for a, b in zip(groups[-1], counts, strict=True)]
        else:
            groups.append(counts)
    return [{"told": e / n, "seen": rounded(round(y)) / n, "snapshots": n} for e, y, n in groups if round(y) > SMALLEST]


def weeks(m: Material) -> ReportSection:
    """Report how early children are listed, and how much lists change."""
    w = m.report.get("weekly") or {}
    if not w:
        return ReportSection(
            title="How early, and how much a list changes",
            text=["This run did not evaluate weekly lists."],
            pictures=[],
            tables=[],
        )
    text = [
        f"In the newest judged term, {w['capacity']} children of each authority were listed in each of {len(w['weeks'])} weeks by a model trained before the term."
    ]
    listed, went = w["listed"], w["went_missing"]
    if min(listed, went - listed) > SMALLEST:
        low, middle, high = w["lead_days"]
        text.append(
            f"Of {counted(went)} who went missing within the window of one of the weeks, {counted(listed)} had been listed before: half of them at least {middle:.0f} days before, a quarter at least {high:.0f}, three quarters at least {low:.0f}."
        )
    else:
        text.append(
            f"How many of those who went missing had been listed before is hidden ({HIDDEN}): there are too few."
        )
    if w["kept"] is not None:
        text.append(
            f"From one week to the next, {w['kept']:.0%} of a list stayed the same. Each week {w['new_children']:.0f} children, over all lists, were listed for the first time."
        )
    return ReportSection(title="How early, and how much a list changes", text=text, pictures=[], tables=[])


def strangers(m: Material) -> ReportSection:
    """Report performance for children and authorities outside the training data."""
    tables, shown = [], []
    rows = []
    for title, f in (m.report.get("seen_and_unseen") or {}).items():
        many = f["positives"] > SMALLEST
        rows.append(
            (
                f"{title} in training",
                counted(f["snapshots"]),
                counted(f["positives"]),
                number(f["average_precision"], ".3f") if many else HIDDEN,
            )
        )
    tables.append(
        (
            "Children in the training data, and others",
            PaperTable(("children", "snapshots", "went missing", "average precision"), tuple(rows)),
        )
    )
    others = m.report.get("other_authorities") or {}
    if others:
        rows_by_authority = [
            (
                a,
                counted(f["positives"]),
                *(
                    [number(f["average_precision"], ".3f"), number(f["with_its_own_past"], ".3f")]
                    if f["positives"] > SMALLEST
                    else [HIDDEN] * 2
                ),
            )
            for a, f in others.items()
        ]
        tables.append(
            (
                "Authorities outside the training data",
                PaperTable(
                    ("authority", "went missing", "trained on all others", "trained on all"),
                    tuple(rows_by_authority),
                ),
            )
        )
    points = m.report.get("learning_curve") or []
    if points:
        kind = points[0]["of"]
        if len(points) > 1:
            shown.append(
                pictures.curve(
                    [(p["number"], p["average_precision"] or 0.0) for p in points],
                    f"training {kind}",
                    "average precision",
                    alt=f"Average precision by the number of training {kind}; the table below says the same.",
                    caption="The value of more data: if the line still rises, more data would help",
                )
            )
        curve_rows = tuple(
            (f"{p['number']:,}", counted(p["positives"]), number(p["average_precision"], ".3f")) for p in points
        )
        tables.append(
            (
                "Learning curve",
                PaperTable((f"training {kind}", "of them went missing", "average precision"), curve_rows),
            )
        )
    text = [
        "A model that only recognises children from its training data is of no use for others. The same applies to authorities, and figures from one authority are a sample of one."
    ]
    if m.sampled:
        text.append(
            "To save memory, children who did not go missing were sampled and weighted. Those not drawn count as outside the training data."
        )
    return ReportSection(title="Does it generalise?", text=text, pictures=shown, tables=tables)


def fairness(m: Material) -> ReportSection:
    """Report how lists fall on groups, and which groups the features predict."""
    report = m.report.get("fairness") or {}
    tables = [(title, t) for title, t in (("Group by group", groups(m)), ("Pairs of groups", groups(m, "pairs"))) if t]
    shown = []
    for figure, words in (
        ("listing_rate", "share of children who are listed"),
        ("recall", "share of those who went missing who were listed"),
    ):
        drawn = [
            Bar(f"{group_title(s)}: {s['title']}", i["value"], i["low"], i["high"])
            for s in report.get("groups", [])
            if (i := s["figures"][figure])
        ]
        whole = (report.get("overall") or {}).get("figures", {}).get(figure)
        if drawn:
            shown.append(
                pictures.bars(
                    f"{words}, 95% interval",
                    drawn,
                    line=whole["value"] if whole else None,
                    alt=f"{words.capitalize()}, by group; the table below has the same data.",
                    caption=f"{words.capitalize()}; the line marks all children",
                )
            )
    proxy_rows = tuple(
        (
            p["title"],
            p["group"].replace("_", " "),
            f"{p['auc']:.2f}",
            ", ".join(n.replace("_", " ") for n, _ in p["top"]),
        )
        for p in m.report.get("proxies") or []
    )
    if proxy_rows:
        tables.append(
            (
                "How well the features predict each protected group",
                PaperTable(("group", "of", "AUC (0.5: not at all)", "mostly by"), proxy_rows),
            )
        )
    text = [
        f"The list takes {report.get('capacity', 25):g} children of each authority on each day. Counts of {SMALLEST} or fewer, and those that would give one away, are hidden ({HIDDEN}); the others are rounded to 5.",
        "Nothing was adjusted. A gap may come from the world, the records or the model; the table does not show which.",
    ]
    if m.sampled:
        text.append(
            "To save memory, children who did not go missing were sampled. Counts are weighted, intervals include the effect of sampling, and the unweighted counts decide what is hidden."
        )
    return ReportSection(title="Who is listed, by group", text=text, pictures=shown, tables=tables)


def mistakes(m: Material) -> ReportSection:
    """Report who was missed and who was wrongly listed."""
    report: dict[str, Any] = m.report.get("mistakes") or {}
    kinds = {
        "found": "listed, and went missing",
        "missed": "went missing, and were not listed",
        "wrongly_listed": "listed, and did not go missing",
    }
    counts = tuple((words, str(report["children"][kind])) for kind, words in kinds.items()) if report else ()
    tables = [("Found, missed and wrongly listed", PaperTable(("snapshots", "number"), counts))] if counts else []
    for kind, title in (
        ("missed", "How the missed differ from the found"),
        ("wrongly_listed", "How the wrongly listed differ from the found"),
    ):
        rows = tuple(
            (
                t["feature"].replace("_", " "),
                catalogue().by_name[t["feature"]].unit if t["feature"] in catalogue().by_name else "",
                f"{t['mean']:.2f}",
                f"{t['mean_of_found']:.2f}",
                f"{t['difference']:+.1f}",
            )
            for t in report.get(kind) or []
        )
        if rows:
            tables.append(
                (
                    title,
                    PaperTable(
                        ("feature", "unit", "mean", "mean of the found", "difference in standard deviations"), rows
                    ),
                )
            )
    text = [
        "The list did not help the children who went missing without being listed. Each child who was listed and did not go missing cost time, and perhaps trust."
    ]
    return ReportSection(title="Who was missed, and who was wrongly listed", text=text, pictures=[], tables=tables)
