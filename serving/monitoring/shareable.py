"""What the page shows of monitoring: small numbers hidden, counts rounded, and nothing of another authority.

Counts follow ``features.groups.disclosure``: observed numbers of 7 or fewer are hidden, with those that would reveal them; others are rounded to 5. Whether a
promise was kept is said only beside a number that is shown. What is expected is a sum of risks, and counts nobody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from features.groups.disclosure import HIDDEN, SMALLEST, partition, rounded
from serving.monitoring.alarms.alarm import AlarmResult
from serving.monitoring.judge import Judgement
from serving.monitoring.monitor import NOTES, MonitorReport
from serving.monitoring.outcomes import UNKNOWN
from serving.monitoring.promises import AtCapacity, Comparison, compare, poisson_range
from serving.monitoring.results import VersionResult, by_term, term_name
from training.measures.intervals import Interval, rounded_share

ROUNDED_BY = 5  # both numbers of a group are rounded, by up to 2.5 each
MAX_LISTS = 60  # newest matured lists
# A whole number that may count a few children: not a part of a day, a decimal number, a share, a code or a range of years.
SMALL = re.compile(rf"(?<![\w.,/-])[0-{SMALLEST}](?![\w%/-]|[.,]\d)")


def shareable(report: MonitorReport, authority: str | None, trials: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Return what may be shown of a report to staff of one authority, or of all, as JSON-ready data.

    Parameters
    ----------
    report : MonitorReport
    authority : str or None
        None for those who see all.
    trials : sequence of mapping
        See ``serving.store.trials.trials.plans``.
    """
    judgement = report.judgement
    scored = [_within(o.scored, authority) for o in judgement.outcomes.values()]
    lists = [r for r in judgement.lists if authority in (None, r.of.authority)]
    alarms = [a for a in report.alarms if _concerns(a, authority)]
    return {
        "authority": authority,
        "day": str(report.day),
        "default_look": report.default_look,
        "alarms": [_alarm(a) for a in alarms if a.state == "up"],
        "quiet": [f"{a.code} {a.title}" for a in alarms if a.state == "quiet"],
        "not_judged": [
            {"alarm": f"{a.code} {a.title}", "why": _masked(a.what)} for a in alarms if a.state == "not_judged"
        ],
        **_over_time(judgement, authority, pl.concat(scored) if scored else None),
        "waiting": [str(r.known_from) for r in lists if not r.figures and r.known_from],
        "stored": len(lists),
        "versions": [_version(v, judgement, authority) for v in judgement.versions],
        "simple_way": _simple_way(report) if authority is None or _is_alone(judgement) else None,
        "trials": [dict(t) for t in trials if authority in (None, t["authority"])],
        "notes": list(NOTES),
    }


def authorities(report: MonitorReport) -> list[str | None]:
    """Return for whom a report is kept: each authority with lists, and last all together if there are several."""
    own: list[str | None] = sorted({r.of.authority for r in report.judgement.lists})  # type: ignore[assignment]
    return own if len(own) == 1 else [*own, None]


def _is_alone(judgement: Judgement) -> bool:
    return len({r.of.authority for r in judgement.lists}) == 1


def _within(scored: pl.DataFrame, authority: str | None) -> pl.DataFrame:
    return scored if authority is None else scored.filter(pl.col("authority") == authority)


def _concerns(alarm: AlarmResult, authority: str | None) -> bool:
    named = set(re.findall(r"authority (\w+)", f"{alarm.where} {alarm.what}"))
    return authority is None or not named or authority in named


def _masked(text: str) -> str:
    return SMALL.sub(HIDDEN, text)


def _alarm(alarm: AlarmResult) -> dict[str, Any]:
    seen = alarm.acknowledged
    return {
        "code": alarm.code,
        "title": alarm.title,
        "what": _masked(alarm.what),
        "where": alarm.where,
        "do": alarm.do,
        "acknowledged": {"by": seen.by, "at": seen.at, "reason": seen.reason} if seen else None,
    }


def _over_time(judgement: Judgement, authority: str | None, scored: pl.DataFrame | None) -> dict[str, Any]:
    """Return the newest matured lists and the terms; together they are one table, in which a hidden number cannot be derived."""
    matured = [(r.of, r.figures.whole) for r in judgement.lists if r.figures and authority in (None, r.of.authority)]
    if scored is None or not matured:
        return {"lists": [], "terms": []}
    counts = {x.place: whole.observed for x, whole in matured}
    hidden = partition(counts, {x.place: term_name(x.as_of) for x, _ in matured})
    lists = [
        {
            "as_of": str(x.as_of),
            "model_version": x.model_version,
            "authority": x.authority,
            **_shown(whole, x.place in hidden),
        }
        for x, whole in matured[-MAX_LISTS:]
    ]
    terms = by_term(scored)
    shown = {t.term: _shown(t.whole, t.term in hidden) for t in terms}
    return {
        "lists": lists,
        "terms": [
            {
                "term": t.term,
                "lists": t.lists,
                **shown[t.term],
                "year_before": shown.get(t.before) if t.year_before else None,
            }
            for t in terms
        ],
    }


def _shown(c: Comparison, hidden: bool = False) -> dict[str, Any]:
    """Return a comparison as shown; ``observed`` and ``kept`` are None if the number is hidden."""
    hidden = hidden or c.observed <= SMALLEST
    return {
        "children": rounded(c.children),
        "expected": round(c.expected, 1),
        "usual": list(c.usual),
        "observed": None if hidden else rounded(c.observed),
        "kept": None if hidden else c.kept,
    }


def _version(v: VersionResult, judgement: Judgement, authority: str | None) -> dict[str, Any]:
    scored = _within(judgement.outcomes[v.model_version].scored, authority)
    known = scored.filter(pl.col("label").is_not_null())
    alone = authority is None or _is_alone(judgement)
    fates = {fate: len(scored.filter(pl.col("fate") == fate)) for fate in UNKNOWN}
    unsafe = partition(fates)
    places, left_out = _places(known, "urn")
    return {
        "model_version": v.model_version,
        "lists": v.lists,
        "first_day": str(v.first_day),
        "last_day": str(v.last_day),
        **_shown(compare(known)),
        "unknown": {fate: None if fate in unsafe else rounded(n) for fate, n in fates.items() if n},
        "first": _first(v.figures.first) if alone else None,
        "tested": dict(v.tested) if v.tested and alone else None,
        "schools": places,
        "schools_left_out": left_out,
        "authorities": _places(known, "authority")[0] if not alone or authority is None else [],
        "groups": _groups(v) if alone else [],
    }


def _first(first: AtCapacity) -> dict[str, Any]:
    small = min(first.found, first.listed - first.found) <= SMALLEST
    share = None if small else rounded_share(rounded(first.found), rounded(first.listed))
    hidden = min(first.found, first.missing - first.found) <= SMALLEST
    capture = None if hidden else rounded_share(rounded(first.found), rounded(first.missing))
    return {
        "capacity": first.capacity,
        "promised": first.promised,
        "precision": _interval(share),
        "capture": _interval(capture),
    }


def _interval(interval: Interval | None) -> list[float] | None:
    return [interval.value, interval.low, interval.high] if interval else None


def _places(known: pl.DataFrame, column: str) -> tuple[list[dict[str, Any]], int]:
    """Return expected and observed numbers by place, those that can be shown, and how many cannot."""
    parts = {str(name): compare(part) for (name,), part in known.group_by(column) if name}
    hidden = partition({name: c.observed for name, c in parts.items()}) if parts else set()
    shown = [{"name": name, **_shown(c)} for name, c in sorted(parts.items()) if name not in hidden]
    return shown, len(parts) - len(shown)


def _groups(v: VersionResult) -> list[dict[str, Any]]:
    """Return the groups whose numbers their report prints, which hides and rounds them."""
    if v.groups is None:
        return []
    design, shown = v.groups.design.of_ratio, []
    for s in v.groups.slices:
        expected, observed = s.counts["expected"], s.counts["missing"]
        if expected and observed is not None:
            low, high = (design * n for n in poisson_range(expected / design))
            kept = low - ROUNDED_BY <= observed <= high + ROUNDED_BY
            usual = [int(low), -int(-high // 1)]
            shown.append(
                {
                    "group": s.groups[0],
                    "name": s.title,
                    "expected": expected,
                    "usual": usual,
                    "observed": observed,
                    "kept": kept,
                }
            )
    return shown


def _simple_way(report: MonitorReport) -> dict[str, Any] | None:
    simple = report.simple
    if simple is None:
        return None
    small = min(simple.found, simple.found_simply) <= SMALLEST
    return {
        "verdict": simple.verdict,
        "model_version": simple.model_version,
        "days": [str(day) for day in simple.days],
        "listed": rounded(simple.listed),
        "found": None if small else rounded(simple.found),
        "found_simply": None if small else rounded(simple.found_simply),
    }
