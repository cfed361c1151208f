"""A child's records in a few sentences: absence compared with before and with others, moves, and services involved now."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from histories.codes import code_set
from serving.casework.history import newest_weeks
from serving.pages.wording import Wording
from serving.store.cases.silence import Silence
from serving.store.scores.week_list import Listed

NOT_HELP = ("referral", "missing")  # social care records that do not stay open
LONG_AGO = 14  # days since the last register from which the line says until when it counts


def records_line(
    history: dict[str, Any],
    as_of: date,
    year_group: str,
    words: Wording,
    *,
    services: bool = True,
    is_newest: bool = True,
) -> str:
    """Return the sentences; empty if nothing is recorded.

    Parameters
    ----------
    history : dict
        See ``serving.casework.history``.
    as_of : date
        The day it was gathered.
    services : bool
        Whether to say who is involved; the child's page says it elsewhere.
    is_newest : bool
        Whether no newer list was made; what was gathered for an earlier one is told up to its last day.
    """
    history = history if is_newest else {**history, "earlier": True}
    involved = _involved(history, words) if services else []
    return " ".join([*_missed(history, as_of, year_group, words), *_moved(history, as_of, words), *involved])


def row_line(child: Listed, words: Wording) -> str:
    """Return the sentences of a child on a list, as on the child's page; empty if none is stored."""
    if child.gathered_on is None:
        return ""
    year_group = words.year_group_taught(child.score["nc_year"], child.roll_year)
    is_newest = child.gathered_on >= date.fromisoformat(child.score["as_of"])
    return records_line(child.history, child.gathered_on, year_group, words, is_newest=is_newest)


def silence_line(silent: Silence, school: str, words: Wording) -> str:
    """Return the sentences about a register that stopped: of one child, or of the whole school.

    Parameters
    ----------
    silent : Silence
    school : str
        Name of the child's school.
    """
    day = words.day(silent.since)
    if silent.school:
        return words("silent.school", school=school, day=day)
    kind = "child_at_least" if silent.at_least else "child"
    return words(f"silent.{kind}", day=day, days=silent.days)


def short_silence(silent: Silence, words: Wording) -> str:
    """Return the same in one line, for a row; the school is named beside it."""
    of_child = "row_at_least" if silent.at_least else "row"
    kind = "row_school" if silent.school else of_child
    return words(f"silent.{kind}", day=words.day(silent.since), days=silent.days)


def weeks_compared(history: dict[str, Any], as_of: date, words: Wording, *, is_newest: bool = True) -> tuple[str, str]:
    """Return in words the weeks of school that are compared: the newest, and those before; "" if there are none before."""
    history = history if is_newest else {**history, "earlier": True}
    compared: dict[str, Any] = next(iter(history.get("compared", [])), {})
    weeks = compared.get("weeks") or (12, 12)
    last = _ended(history, as_of)
    now, before = ("week" if n == 1 else "weeks" for n in weeks)
    newest = (
        words(f"records.{now}_to", n=weeks[0], day=words.day(last)) if last else words(f"records.{now}", n=weeks[0])
    )
    return newest, words(f"records.{before}_before", n=weeks[1]) if weeks[1] else ""


def _ended(history: dict[str, Any], as_of: date) -> date | None:
    """Return the last day of the register unless it reaches up to now."""
    weeks = newest_weeks(history["weeks"])
    if not weeks:
        return None
    of_week = min(date.fromisoformat(weeks[-1][0]) + timedelta(days=6), as_of - timedelta(days=1))
    last = date.fromisoformat(history["until"]) if history.get("until") else of_week
    is_over = history.get("silent") or history.get("earlier")
    return last if is_over or (as_of - last).days > LONG_AGO else None


def _missed(history: dict[str, Any], as_of: date, year_group: str, words: Wording) -> list[str]:
    weeks = newest_weeks(history["weeks"])
    if not weeks:
        return []
    possible, missed, unauthorised = (sum(w[n] for w in weeks) for n in (1, 2, 3))
    first, last = words.day(weeks[0][0]), _ended(history, as_of)
    when = words("records.between", first=first, last=words.day(last)) if last else words("records.since", day=first)
    figures = {"n": missed, "of": possible, "when": when}
    if not missed:
        lines = [words("records.missed_none", **figures)]
    else:
        said = words("records.missed_all" if missed == possible > 1 else "records.missed", **figures)
        lines = [_by_reason(said, missed, unauthorised, history.get("reasons") or {}, words)]
        lines += _last_there(history["weeks"], len(weeks), words) if missed == possible else []
    compared = next(iter(history.get("compared", [])), None)
    spans = weeks_compared(history, as_of, words)
    return [*lines, *_compared(compared, spans, year_group, words)] if compared else lines


def _last_there(every: list[list[Any]], newest: int, words: Wording) -> list[str]:
    """Say since when a child has missed everything, if that is longer than the newest weeks; no week of holiday counts."""
    weeks = [week for week in every if week[1]]
    there = [n for n, week in enumerate(weeks) if week[2] < week[1]]
    since = there[-1] + 1 if there else 0
    if len(weeks) - since <= newest:
        return []
    if not there:
        return [words("records.never_there", day=words.day(weeks[0][0]))]
    return [words("records.last_there", day=words.day(weeks[since - 1][0]))]


def _by_reason(said: str, missed: int, unauthorised: int, reasons: dict[str, int], words: Wording) -> str:
    """Add the reasons to what was missed; one reason for all of it is said once."""
    if not reasons:
        part = words("records.all") if unauthorised == missed > 1 else unauthorised
        return words("records.by_reason", missed=said, reason=words("records.unauthorised", n=part))
    if len(reasons) == 1 and missed > 1:
        why = next(iter(reasons))
        return words("records.by_reason", missed=said, reason=words(f"records.reason_{why}", n=words("records.all")))
    told = words.listed(words(f"records.reason_{why}", n=n) for why, n in reasons.items())
    return words("records.by_reasons", missed=said, reasons=told)


def _compared(compared: dict[str, Any], spans: tuple[str, str], year_group: str, words: Wording) -> list[str]:
    """Return one sentence of the shares missed: now, before, and of the year group."""
    shares = {"longer": compared["now"], "longer_before": compared["before"], "usual": compared["peers"]}
    told = {key: f"{share:.0%}" for key, share in shares.items() if share is not None}
    if "longer" not in told or len(told) == 1:
        return []
    figures = {"now": spans[0], "before": spans[1], "year": year_group}
    parts = "; ".join(words(f"records.{key}", share=share, **figures) for key, share in told.items())
    return [words("records.compared", parts=parts)]


def _moved(history: dict[str, Any], as_of: date, words: Wording) -> list[str]:
    """Return the newest mid-year move of school and the newest move of home within a year; a first address does not count."""
    recent = (as_of - timedelta(days=365)).isoformat()
    events = history.get("events", [])
    joined = max((e["date"] for e in events if e["lane"] == "school" and e.get("mid_year")), default="")
    starts = sorted({e["date"] for e in events if e["lane"] == "address"})
    home = starts[-1] if len(starts) > 1 else ""
    return [
        words(f"records.{what}", day=words.day(day))
        for what, day in (("joined", joined), ("moved", home))
        if day >= recent
    ]


def _involved(history: dict[str, Any], words: Wording) -> list[str]:
    kinds = code_set("social_care_kind")
    closed = {kinds[kind].capitalize() for kind in NOT_HELP}
    care = [e for e in history.get("events", []) if e["lane"] == "care"]
    running = [e for e in care if e.get("end", "") is None and e["text"] not in closed]
    return [words("records.involved", help=e["text"], day=words.day(e["date"])) for e in running]
