"""Whether histories can train a model: outcomes, labelled dates and missing tables, computed from labels alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import narwhals as nw
import polars as pl

from features import Definition
from features.outcome.cohort import first_recorded
from features.outcome.known_until import NOTHING
from histories.calendar import EPOCH, school_days
from histories.errors import Fault, Faults
from histories.io.quantities import quantity
from histories.reading.frames import collect
from histories.reading.histories import Histories
from histories.tables import TABLES
from training.fitting.splits import Splits, split
from training.labeller import Labeller
from training.task import Task

# Sources of missing tables: formats of ``onroll import --list``, or the team that holds the data.
SOURCES = {
    "enrolments": "the School Census (onroll import school-census)",
    "attendance": "daily marks from schools' systems (onroll import marks)",
    "termly_attendance": "the School Census (onroll import school-census)",
    "suspensions": "the School Census (onroll import school-census)",
    "sen": "the School Census (onroll import school-census)",
    "fsm": "the School Census (onroll import school-census)",
    "addresses": "the School Census (onroll import school-census), or any list by onroll import csv --mapping",
    "areas": "the published deprivation index, IDACI by LSOA (onroll import areas)",
    "schools": "Get Information about Schools, as published (onroll import schools)",
    "social_care": "the Children in Need census and SSDA903 (onroll import cin-census, ssda903)",
    "admissions": "the admissions team's list (onroll import csv --mapping)",
    "cme": "the register of children missing education (onroll import cme-cases)",
    "interventions": "what was done for children (onroll actions export, or onroll import csv --mapping)",
}
SEPTEMBER = 9  # school years begin
SHORTER = (60, 30)  # windows in days to fall back to: their outcomes are known sooner
DESTINATIONS = "deletion returns, the home-education register and lost transfer files (onroll import --list)"


@dataclass(frozen=True, kw_only=True)
class DefinitionReadiness:
    """The outcomes of one definition of missing, and whether it can train.

    Attributes
    ----------
    outcomes : int
        Snapshots of children who went missing, over the labelled dates.
    pupils : int
        Children among them.
    labelled : tuple of date
        As-of dates with at least one label.
    judged : tuple of date
        Test dates; empty if training is not possible.
    reasons : tuple of Fault
        Why training is not possible, and how to enable it.
    """

    definition: str
    title: str
    outcomes: int
    pupils: int
    labelled: tuple[date, ...]
    judged: tuple[date, ...]
    reasons: tuple[Fault, ...]

    @property
    def ready(self) -> bool:
        """Whether ``onroll train`` can train with this definition."""
        return not self.reasons


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """The result of ``onroll doctor``.

    Attributes
    ----------
    last_known : date
        The newest day with known data.
    as_of : tuple of date
        The default as-of dates of training.
    newest_labelled : dict
        By definition, the newest as-of date whose outcome can be known by now; None if none can be, ever so early.
    missing : dict
        Missing tables, with a source for each.
    gaps : tuple of Fault
        Columns with too few values.
    """

    last_known: date
    as_of: tuple[date, ...]
    newest_labelled: dict[str, date | None]
    definitions: tuple[DefinitionReadiness, ...]
    missing: dict[str, str]
    gaps: tuple[Fault, ...]

    @property
    def ready(self) -> bool:
        """Whether any definition can train."""
        return any(d.ready for d in self.definitions)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {
            "last_known": None if self.last_known == EPOCH else str(self.last_known),
            "as_of": [str(d) for d in self.as_of],
            "ready": self.ready,
            "definitions": [
                {
                    "definition": d.definition,
                    "ready": d.ready,
                    "outcomes": d.outcomes,
                    "pupils": d.pupils,
                    "labelled": [str(day) for day in d.labelled],
                    "judged": [str(day) for day in d.judged],
                    "newest_labelled": (day := self.newest_labelled[d.definition]) and str(day),
                    "reasons": [str(fault) for fault in d.reasons],
                }
                for d in self.definitions
            ],
            "missing": self.missing,
            "gaps": [str(fault) for fault in self.gaps],
        }

    def summary(self) -> str:
        """Return what there is and what is missing, as text for a terminal."""
        first, last = (self.as_of[0], self.as_of[-1]) if self.as_of else (None, None)
        newest = f"The newest day with known data is {self.last_known}."
        lines = ["The histories hold no record of schooling." if self.last_known == EPOCH else newest]
        lines.append(
            f"Default as-of dates: {len(self.as_of)}, {first} to {last}." if first else "No default as-of date."
        )
        lines += [
            "",
            f"{'definition':26} {'can train':>9} {'outcomes':>9} {'children':>9} {'labelled dates':>14}  newest",
        ]
        for d in self.definitions:
            lines.append(
                f"{d.definition:26} {'yes' if d.ready else 'no':>9} {d.outcomes:9,} {d.pupils:9,} "
                f"{len(d.labelled):14}  {self.newest_labelled[d.definition] or 'none'}"
            )
        if self.missing:
            lines += ["", "Missing tables (their features will be missing):"]
            lines += [f"  {table:18} {source}" for table, source in self.missing.items()]
        lines += ["", "Columns with too few values:", *(str(fault) for fault in self.gaps)] if self.gaps else []
        return "\n".join(lines)

    def reasons(self) -> str:
        """Return why definitions cannot train and what would help, as text for a terminal; empty if all can."""
        return "\n".join(
            line
            for d in self.definitions
            if d.reasons
            for line in (f"\n{d.definition}:", *(str(fault) for fault in d.reasons))
        )


def readiness(
    histories: Histories, task: Task, definitions: Iterable[Definition], show: Callable[[Readiness], None] | None = None
) -> Readiness:
    """Check whether histories can train, without building features.

    Parameters
    ----------
    histories : Histories
    task : Task
        The window, the as-of dates, the cohort and ``until``; its definition is replaced by each of ``definitions``.
    definitions : iterable of Definition
    show : callable, optional
        Called with the readiness before other as-of dates and windows are tried for the definitions that cannot train.
    """
    variants = [replace(task, definition=definition) for definition in definitions]
    labeller = Labeller(histories, task)
    checked = [_of_definition(histories, variant, labeller) for variant in variants]
    days: tuple[date, ...] = ()
    with suppress(Faults):
        days = tuple(task.days(histories))
    missing = {t: SOURCES[t] for t in TABLES if t in SOURCES and t not in histories.present}
    if "attendance" in histories.present:
        missing.pop("termly_attendance", None)
    found = Readiness(
        last_known=histories.last_known(),
        as_of=days,
        newest_labelled={
            v.definition.name: day if (day := v.newest_labelled(histories)) > NOTHING else None for v in variants
        },
        definitions=tuple(checked),
        missing=missing,
        gaps=tuple(_gaps(histories)),
    )
    if show is not None:
        show(found)
    for place, (variant, one) in enumerate(zip(variants, checked, strict=True)):
        if one.labelled and not one.ready:
            checked[place] = replace(one, reasons=(*one.reasons, _advice(histories, variant, labeller)))
    return replace(found, definitions=tuple(checked))


def _unready(definition: Definition, faults: Faults) -> DefinitionReadiness:
    return DefinitionReadiness(
        definition=definition.name,
        title=definition.title,
        outcomes=0,
        pupils=0,
        labelled=(),
        judged=(),
        reasons=tuple(faults.faults),
    )


def _of_definition(histories: Histories, task: Task, labeller: Labeller) -> DefinitionReadiness:
    definition = task.definition
    try:
        labels = labeller.labels(task)
    except Faults as faults:
        return _unready(definition, faults)
    missing = labels.filter(pl.col("label") == 1)
    reasons: tuple[Fault, ...] = ()
    judged: tuple[date, ...] = ()
    try:
        judged = tuple(split(labels).test)
    except Faults as faults:
        reasons = tuple(faults.faults)
    return DefinitionReadiness(
        definition=definition.name,
        title=definition.title,
        outcomes=len(missing),
        pupils=missing["pupil_id"].n_unique(),
        labelled=tuple(sorted(labels["as_of"].unique().to_list())),
        judged=judged,
        reasons=reasons,
    )


def _gaps(histories: Histories) -> Iterable[Fault]:
    """Yield columns with too few values for the definitions or the features."""
    spells = histories.frame("enrolments").select(
        nw.col("leaving_date").count().alias("left"), nw.col("destination").count().alias("with_destination")
    )
    leavers, with_destination = collect(spells).row(0)
    if not leavers:
        yield Fault("no child has left a roll", "enrolments, leaving_date", f"Bring leavers: {SOURCES['enrolments']}.")
    elif not with_destination:
        what = f"no destination of {quantity(leavers, 'leaver')} is known, so all count as unknown"
        yield Fault(what, "enrolments, destination", f"Bring {DESTINATIONS}.")
    if "addresses" in histories.present:
        rows = histories.frame("addresses").select(nw.len().alias("n"), nw.col("lsoa").count().alias("lsoa"))
        n, lsoa = collect(rows).row(0)
        if n and not lsoa:
            yield Fault(
                "no address has an LSOA, so features of the area are missing",
                "addresses, lsoa",
                "Import addresses with postcodes and the ONS postcode directory.",
            )


def checked_split(histories: Histories, task: Task, labels: pl.DataFrame) -> Splits:
    """Return the splits of labels; the error names as-of dates that would work, if there are any.

    Raises
    ------
    Faults
        If there are too few test dates or too few children went missing.
    """
    try:
        return split(labels)
    except Faults as faults:
        raise Faults([*faults.faults, _advice(histories, task, Labeller(histories, task))]) from None


def _advice(histories: Histories, task: Task, labeller: Labeller) -> Fault:
    """Return a fault that names as-of dates that would work, with a shorter window if need be, or says that none would."""
    where, pupils = f"train, --definition {task.definition.name}", 0
    labeller.prepare(_months(histories, histories.last_known()))  # those of all windows and definitions
    for horizon in (task.horizon, *(days for days in SHORTER if days < task.horizon)):
        shorter = replace(task, horizon=horizon)
        dates = tuple(monthly_dates(histories, shorter))
        try:
            labels = labeller.labels(replace(shorter, as_of=dates)) if dates else None
        except Faults:
            labels = None
        if labels is None:
            continue
        missing = labels.filter(pl.col("label") == 1)["pupil_id"].n_unique()
        pupils = pupils if horizon < task.horizon else missing
        with suppress(Faults):
            split(labels)
            shown = _by_school_year(sorted(labels["as_of"].unique().to_list()))
            options = ["--monthly", *[f"--horizon {horizon}"] * (horizon < task.horizon)]
            window = f", with a window of {horizon} days" if horizon < task.horizon else ""
            return Fault(
                f"monthly as-of dates would work{window}: {shown}",
                f"{where} --horizon {task.horizon}",
                f"Add {' '.join(options)}",
            )
    what = f"by this definition {quantity(pupils, 'child')} went missing in windows that are fully known, whatever the dates"
    do = "Bring more years or authorities, or see onroll doctor for the other definitions."
    return Fault(what, f"{where} --horizon {task.horizon}", do)


def _by_school_year(days: list[date]) -> str:
    """Return a summary of days: how many, the first and the last, and how many in each school year."""
    years = Counter(day.year - (day.month < SEPTEMBER) for day in days)
    listed = ", ".join(f"{count} in {year}/{(year + 1) % 100:02}" for year, count in sorted(years.items()))
    return f"{len(days)} from {days[0]} to {days[-1]} ({listed})"


def monthly_task(histories: Histories, task: Task) -> Task:
    """Return the task with monthly as-of dates: those that have labels and, of a long horizon, later ones whose windows are known in part.

    Raises
    ------
    Faults
        If no month has a known outcome.
    """
    dates = tuple(monthly_dates(histories, task))
    if not dates:
        return task
    labels = replace(task, as_of=dates).labels(histories)
    newest = task.newest_labelled(histories)
    later = [day for day in _months(histories, task.newest_learned(histories)) if day > newest]
    return replace(task, as_of=(*sorted(labels["as_of"].unique().to_list()), *later))


def monthly_dates(histories: Histories, task: Task) -> list[date]:
    """Return the first school Monday of each month with known outcomes, over at most six years."""
    return _months(histories, task.newest_labelled(histories))


def _months(histories: Histories, newest: date) -> list[date]:
    """Return the first school Monday of each month with records, until a day and over at most six years before it."""
    first = first_recorded(histories)
    if first is None or first > newest:
        return []
    months: dict[tuple[int, int], date] = {}
    for day in school_days(max(first, date(newest.year - 6, 1, 1)), newest):
        if day.weekday() == 0:
            months.setdefault((day.year, day.month), day)
    return list(months.values())
