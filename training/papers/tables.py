"""Tables shared by the papers and the report; small counts are hidden, and shares are computed from printed counts."""

from __future__ import annotations

from typing import Any

from features.catalogue import catalogue
from features.feature_docs import DIRECTION
from features.groups.disclosure import HIDDEN, NOT_AVAILABLE, SMALLEST, rounded
from features.groups.groups import BY_NAME as GROUP
from features.sentences import unfilled
from histories.tables import TABLES
from training.evaluation.fairness_report import COUNTS, FIGURES
from training.evaluation.fairness_table import figure_text
from training.fitting.candidates import boosted, grid
from training.measures.evaluate import PER_LIST, SHARES, list_key, share_key
from training.measures.intervals import Interval
from training.papers.material import Material
from training.papers.paper import PaperTable
from training.papers.used import UNUSED, counted, use_of

TITLES = {c.name: c.title for c in grid(boosted.DEFAULTS)}
CAPACITIES = {share_key(s): f"the first {100 * s:g}% of all" for s in SHARES} | {
    list_key(n): f"{n} of each list" for n in PER_LIST
}
Row = tuple[str, ...]


def candidates(m: Material) -> PaperTable:
    """Average precision, AUC and calibration of every candidate; the chosen one is marked."""
    headers = ("candidate", "average precision (95% interval)", "AUC", "calibration slope (95% interval)")
    rows = []
    for name, f in m.manifest.metrics.items():
        title = TITLES.get(name, name) + (" (chosen)" if name == m.manifest.candidate else "")
        slope = (
            f"{f['calibration_slope']:.2f} {_between(f['calibration_slope_interval'], '.2f')}"
            if "calibration_slope" in f
            else "–"
        )
        rows.append(
            (
                title,
                f"{number(f['average_precision'], '.3f')} {_between(f['intervals']['average_precision'], '.3f')}",
                number(f["auc"], ".2f"),
                slope,
            )
        )
    return PaperTable(headers, tuple(rows))


def leads(m: Material) -> PaperTable:
    """The chosen model's lead over each other candidate, and whether it is within noise."""
    headers = ("ahead of", "in average precision (95% interval)", "in precision at 25 of each list (95% interval)")
    rows = [
        (TITLES.get(name, name), _lead(v["average_precision"], ".3f"), _lead(v["precision_top_25_a_list"], ".1%"))
        for name, v in m.manifest.leads.items()
    ]
    return PaperTable(headers, tuple(rows))


def capacity(m: Material) -> PaperTable:
    """Precision, recall, number needed and lift at several capacities."""
    headers = (
        "looking into",
        "listed",
        "precision: share of the listed who went missing (95% interval)",
        "recall: share of the missing who were listed (95% interval)",
        "children reviewed per child found",
        "times better than chance",
    )
    f, rows = m.figures, []
    for name, at in f["at_capacity"].items():
        shown = rounded_figures(at, f["positives"])
        bounds = [
            _between(f["intervals"].get(f"{name}.{part}", [None, None]), ".0%") for part in ("precision", "recall")
        ]
        if shown is None:
            rows.append((CAPACITIES.get(name, name), counted(at["listed"]), *[HIDDEN] * 4))
        else:
            precision, recall, needed, lift = shown
            rows.append(
                (
                    CAPACITIES.get(name, name),
                    counted(at["listed"]),
                    f"{precision:.0%} {bounds[0]}",
                    f"{recall:.0%} {bounds[1]}",
                    f"{needed:.0f}",
                    f"{lift:.0f}",
                )
            )
    return PaperTable(headers, tuple(rows))


def rounded_figures(at: dict[str, Any], positives: float) -> tuple[float, float, float, float] | None:
    """Return precision, recall, number needed and lift from rounded counts; None if few were found, missed or wrongly listed."""
    hits = at["precision"] * at["listed"]
    if min(hits, at["listed"] - hits, positives - hits) <= SMALLEST or not at["lift"]:
        return None
    precision = rounded(round(hits)) / at["listed"]
    return (
        precision,
        rounded(round(hits)) / rounded(int(positives)),
        1 / precision,
        at["lift"] * precision / at["precision"],
    )


def calibration(m: Material) -> PaperTable:
    """Expected and observed numbers, with the calibration slope and intercept."""
    f = m.figures
    rows = (
        ("expected to go missing by the risks", counted(f["expected"])),
        ("went missing", counted(f["observed"])),
        (
            "slope (1 is right; below 1, high risks are overstated)",
            f"{number(f['calibration_slope'], '.2f')} {_between(f['calibration_slope_interval'], '.2f')}",
        ),
        (
            "intercept at a slope of 1 (0 is right; below 0, risks are overstated on the whole)",
            f"{number(f['calibration_intercept'], '.2f')} {_between(f['calibration_intercept_interval'], '.2f')}",
        ),
    )
    return PaperTable(("figure", "value (95% interval)"), rows)


def groups(m: Material, part: str = "groups") -> PaperTable | None:
    """Fairness by group, or by pair of groups (``pairs``); None if it was not evaluated or nothing can be shown."""
    slices = (m.report.get("fairness") or {}).get(part) or []
    if part == "pairs":
        slices = [s for s in slices if s["figures"]["recall"] or s["figures"]["precision"]]
    rows = tuple((group_title(s), s["title"], *_counts(s), *_shares(s)) for s in slices)
    if part == "pairs" and not rows and (m.report.get("fairness") or {}).get("pairs"):
        rows = (("all pairs", "the counts of every pair are too small to show", *[HIDDEN] * 8),)
    headers = ("group", "value", "children", "missing", "listed", *(n.replace("_", " ") for n in FIGURES))
    return PaperTable(headers, rows) if rows else None


def group_title(s: dict[str, Any]) -> str:
    """Return the title of a slice's group or pair of groups."""
    return " and ".join(GROUP[g].title if g in GROUP else g for g in s["groups"])


def _counts(s: dict[str, Any]) -> Row:
    return tuple(HIDDEN if s["counts"][c] is None else f"{s['counts'][c]:,}" for c in ("children", "missing", "listed"))


def _shares(s: dict[str, Any]) -> Row:
    hidden = any(s["counts"][c] is None for c in COUNTS)
    return tuple(figure_text(name, Interval(**i) if i else None, hidden=hidden) for name, i in s["figures"].items())


def features(m: Material) -> PaperTable:
    """Every feature with its sources."""
    headers = ("feature", "theme", "sentence when it raises a score", "tables", "days back", "direction", "shown as")
    rows = [
        (
            f["name"],
            m.manifest.themes.get(f["theme"], f["theme"]),
            unfilled(f["raises"]),
            ", ".join(f["sources"]),
            str(f["window"] or "all"),
            DIRECTION[f["direction"]],
            f["role"].replace("_", " "),
        )
        for f in m.manifest.catalogue
    ]
    return PaperTable(headers, tuple(rows))


def tables_used(m: Material) -> PaperTable:
    """The tables used, with their sizes and purposes."""
    rows = [
        (t.name, TABLES[t.name].__doc__ or "", t.rows, _years(t), str(t.features), _purpose(t.name)) for t in m.tables
    ]
    return PaperTable(("table", "holds", "rows", "recorded", "features computed from it", "purpose"), tuple(rows))


def _years(t: Any) -> str:
    # The dates of pupils are dates of birth, which the papers do not show.
    return "–" if t.first is None or t.name == "pupils" else f"{t.first.year} to {t.last.year}"


def _purpose(table: str) -> str:
    uses = {use_of(table, c) for c in TABLES[table].columns} - {UNUSED}
    also = "; the outcome and who is in the cohort" if table in ("pupils", "enrolments", "cme") else ""
    return ("; ".join(sorted(uses)) + also) if uses else UNUSED


def columns(m: Material) -> PaperTable:
    """Every column of the tables used, with its use."""
    rows = [
        (t.name, name, c.meaning, use_of(t.name, name)) for t in m.tables for name, c in TABLES[t.name].columns.items()
    ]
    return PaperTable(("table", "column", "meaning", "used for"), tuple(rows))


def themes(names: list[str]) -> str:
    """Return the titles of the themes of some features."""
    by_name = catalogue().by_name
    used = {by_name[n].theme for n in names if n in by_name}
    return ", ".join(title.lower() for theme, title in catalogue().themes.items() if theme in used)


def number(value: float | None, form: str) -> str:
    """Format a figure, or the symbol for one that cannot be computed."""
    return NOT_AVAILABLE if value is None else f"{value:{form}}"


def _between(pair: list[float | None], form: str) -> str:
    return f"({number(pair[0], form)} to {number(pair[1], form)})" if pair[0] is not None else ""


def _lead(v: dict[str, Any], form: str) -> str:
    return f"{number(v['lead'], '+' + form)} {_between(v['interval'], '+' + form)}{', within noise' if v['within_noise'] else ''}"
