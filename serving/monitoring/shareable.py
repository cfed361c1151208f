"""What the page shows of monitoring: small numbers hidden, counts rounded, and nothing of another authority.

Observed numbers are hidden where 7 or fewer different children are behind them, with those that would reveal them (``features.groups.disclosure``); others are
rounded to 5. Whether a promise was kept follows from the printed numbers alone. What is expected, and the
usual range, follow from risks and count nobody. Sentences of alarms hold exact
figures, so that the page has only what an alarm is about, and what to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, floor
from typing import Any

import polars as pl

from features.groups.disclosure import SMALLEST, partition, rounded
from serving.monitoring.alarms.alarm import AlarmResult
from serving.monitoring.judge import Judgement
from serving.monitoring.monitor import MonitorReport
from serving.monitoring.outcomes import UNKNOWN
from serving.monitoring.paired import Paired
from serving.monitoring.promises import OF_MANY, Comparison, compare
from serving.monitoring.repeated import promised_design
from serving.monitoring.results import VersionResult, by_term, term_name
from serving.monitoring.simple_way import SimpleWay
from training.measures.intervals import rounded_share

MAX_LISTS = 60  # newest matured lists
ROUNDING = 2  # the most by which rounding to 5 changes a count


def shareable(report: MonitorReport, authority: str | None, trials: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Return what may be shown of a report to staff of one authority, or of all, as JSON-ready data.

    ``alarms`` and ``simple_ways`` are of all records and lists: left out for one of several authorities.

    Parameters
    ----------
    report : MonitorReport
    authority : str or None
        None for those who see all.
    trials : sequence of mapping
        See ``serving.store.trials.trials.plans``.
    """
    judgement = report.judgement
    shown = set(judgement.shown)
    names = [v.model_version for v in judgement.versions]
    scored = {v: _within(judgement.outcomes_of(judgement.lists_of(v)).scored, authority) for v in names}
    lists = [r for r in judgement.lists if authority in (None, r.of.authority)]
    # Alarms are of the records: those of a neighbour's children too, of whom there is no list.
    whole = authority is None or _in_records(report) == {authority}
    versions = [v for v in judgement.versions if v.shown and len(scored[v.model_version])]
    return {
        "authority": authority,
        "day": str(report.day),
        "default_look": report.default_look,
        "whole": whole,
        "alarms": [_alarm(a) for a in report.alarms if a.state == "up"] if whole else [],
        "quiet": _titles(report, "quiet") if whole else [],
        "not_judged": _titles(report, "not_judged") if whole else [],
        "partly_judged": _titles(report, "not_judged", at_places=True) if whole else [],
        **_over_time(judgement, authority),
        "stored_again": sum(r.of.replaced > 0 for r in lists if r.figures and r.of in shown),
        "capacity_unknown": sum(r.of.capacity is None for r in lists if r.figures and r.of in shown),
        "waiting": [str(r.known_from) for r in lists if r.known_from and not (r.figures or r.overdue)],
        "overdue": sum(r.overdue for r in lists),
        "unjudged": sum(r.known_from is None for r in lists),
        "stored": len(lists),
        "versions": [_version(v, scored[v.model_version], several=authority is None) for v in versions],
        "simple_ways": [_simple_way(s) for s in report.simple.compared] if whole else [],
        "simple_ways_left_out": report.simple.left_out if whole else {},
        "trials": [dict(t) for t in trials if authority in (None, t["authority"])],
    }


def authorities(report: MonitorReport) -> list[str | None]:
    """Return for whom a report is kept: each authority with lists, and last all together unless there is one only, with lists and children."""
    own: list[str | None] = sorted({r.of.authority for r in report.judgement.lists})  # type: ignore[assignment]
    return own if _in_records(report) == set(own) and len(own) == 1 else [*own, None]


def _in_records(report: MonitorReport) -> set[str]:
    """Return the authorities with lists, or children in the records, now or a year before; an unknown one is another."""
    return {r.of.authority for r in report.judgement.lists} | set(report.season.children)


def _within(scored: pl.DataFrame, authority: str | None) -> pl.DataFrame:
    return scored if authority is None else scored.filter(pl.col("authority") == authority)


def _alarm(alarm: AlarmResult) -> dict[str, Any]:
    seen = alarm.acknowledged
    return {
        "code": alarm.code,
        "title": alarm.title,
        "where": alarm.where,
        "do": alarm.do,
        "acknowledged": {"by": seen.by, "at": seen.at} if seen else None,
    }


def _titles(report: MonitorReport, state: str, *, at_places: bool = False) -> list[str]:
    """Return the alarms of a state: everywhere, or at some places only."""
    found = (a for a in report.alarms if a.state == state and bool(a.place) == at_places)
    return list(dict.fromkeys(f"{a.code} {a.title}" for a in found))


def _missing(scored: pl.DataFrame) -> int:
    """Return how many different children went missing: on weekly lists one child counts many times."""
    return scored.filter(pl.col("label") == 1)["pupil_id"].n_unique()


def _over_time(judgement: Judgement, authority: str | None) -> dict[str, Any]:
    """Return the newest matured lists that teams were shown and the terms; together they are one table, in which a hidden number cannot be derived."""
    shown = set(judgement.shown)
    own = [r for r in judgement.lists if r.of in shown and authority in (None, r.of.authority)]
    matured = [(r.of, r.figures.whole) for r in own if r.figures]
    if not matured:
        return {"lists": [], "terms": []}
    together = _within(judgement.scored_on_shown_lists(), authority)
    named = together.with_columns(pl.col("as_of").map_elements(term_name, return_dtype=pl.String).alias("term"))
    few = {str(term) for (term,), part in named.group_by("term") if _missing(part) <= SMALLEST}
    counts = {x.place: whole.observed for x, whole in matured}
    hidden = partition(counts, {x.place: term_name(x.as_of) for x, _ in matured}, sensitive=few)
    lists = [
        {
            "as_of": str(x.as_of),
            "model_version": x.model_version,
            "authority": x.authority,
            **_shown(whole, hidden=x.place in hidden),
        }
        for x, whole in matured[-MAX_LISTS:]
    ]
    terms = by_term(together)
    told = {t.term: {"lists": t.lists, **_shown(t.whole, hidden=t.term in hidden | few)} for t in terms}
    return {
        "lists": lists,
        "terms": [{"term": t.term, **told[t.term], "year_before": told.get(t.before)} for t in terms],
    }


def _shown(c: Comparison, *, hidden: bool) -> dict[str, Any]:
    """Return a comparison as shown; ``observed`` and ``kept`` are None if the number is hidden, and ``kept`` follows from what is printed."""
    usual = [max(c.usual[0] - ROUNDING, 0), c.usual[1] + ROUNDING]
    observed = None if hidden or c.observed <= SMALLEST else rounded(c.observed)
    return {
        "children": rounded(c.children),
        "expected": round(c.expected, 1),
        "usual": usual,
        "observed": observed,
        "kept": None if observed is None else usual[0] <= observed <= usual[1],
    }


def _version(v: VersionResult, scored: pl.DataFrame, *, several: bool) -> dict[str, Any]:
    known = scored.filter(pl.col("label").is_not_null())
    by_fate = {fate: scored.filter(pl.col("fate") == fate) for fate in UNKNOWN}
    few = [fate for fate, part in by_fate.items() if part["pupil_id"].n_unique() <= SMALLEST]
    unsafe = partition({fate: len(part) for fate, part in by_fate.items()}, sensitive=few)
    places, left_out = _places(known, "urn")
    return {
        "model_version": v.model_version,
        "lists": scored.select("as_of", "authority").n_unique(),
        "unknown": {f: None if f in unsafe else rounded(len(part)) for f, part in by_fate.items() if len(part)},
        "first": _first(known),
        "schools": places,
        "schools_left_out": left_out,
        "authorities": _places(known, "authority")[0] if several else [],
    }


def _first(known: pl.DataFrame) -> dict[str, Any] | None:
    """Return what the first children of the lists promised and how many of them went missing; None without such children."""
    first = known.filter(pl.col("rank") <= pl.col("places"))
    if first.is_empty():
        return None
    stayed = first.filter(pl.col("label") != 1)["pupil_id"].n_unique()
    small = min(_missing(first), stayed) <= SMALLEST
    # Widened by what the risks promise, in which no hidden outcome has a part.
    of, found = rounded(len(first)), rounded(int(first["label"].sum()))
    share = None if small else rounded_share(found, of, promised_design(first))
    return {
        "capacity": known["places"].max(),
        "promised": float(first["risk"].mean()),  # type: ignore[arg-type]
        "precision": [round(v, 4) for v in (share.value, share.low, share.high)] if share else None,
    }


def _places(known: pl.DataFrame, column: str) -> tuple[list[dict[str, Any]], int]:
    """Return expected and observed numbers by place, those that can be shown, and how many cannot."""
    parts = {str(name): part for (name,), part in known.group_by(column) if name}
    if not parts:
        return [], 0
    compared = {name: compare(part, OF_MANY) for name, part in parts.items()}
    few = [name for name, part in parts.items() if _missing(part) <= SMALLEST]
    hidden = partition({name: c.observed for name, c in compared.items()}, sensitive=few)
    shown = [{"name": name, **_shown(c, hidden=False)} for name, c in sorted(compared.items()) if name not in hidden]
    return shown, len(parts) - len(shown)


def _simple_way(simple: SimpleWay) -> dict[str, Any]:
    """Return the comparison with a simple way; without a verdict and numbers if either found a few children only."""
    named = {"way": simple.way, "other": simple.other}
    if _few(simple):
        return {**named, "verdict": None}
    counts = ("listed", "listed_simply", "found", "found_simply")
    shown = {name: rounded(getattr(simple, name)) for name in counts}
    terms = [{"term": term, "verdict": None if _few(p) else p.verdict} for term, p in simple.terms.items()]
    return {**named, "verdict": simple.verdict, **shown, "lead": _lead(simple), "terms": terms}


def _few(pair: Paired) -> bool:
    return min(pair.children, pair.children_simply) <= SMALLEST


def _lead(pair: Paired) -> list[int]:
    """Return the interval of how many more children the list found, outwards to the next fives: it gives no exact count away."""
    return [5 * floor(pair.lead.low / 5), 5 * ceil(pair.lead.high / 5)]
