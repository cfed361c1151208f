"""Whether a plan's outcome can be measured at all: in time, while schools are open, and from records that there are."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta

from histories.calendar import school_days
from histories.errors import Fault, Faults
from histories.io.quantities import quantity
from serving.store.scores.complete_lists import CompleteList
from serving.trials.plan import Plan

MIN_SCHOOL_DAYS = 4  # of a window or period: those of a week with a bank holiday


def must_be_measurable(
    plan: Plan,
    of: CompleteList,
    day: date,
    *,
    sources: Mapping[str, str],
    closed: Collection[date] = (),
    known_after: int | None = None,
) -> None:
    """Raise ``Faults`` unless the outcome of a trial that starts on a day can be measured.

    Parameters
    ----------
    of : CompleteList
        The list that the trial begins with.
    sources : mapping
        The newest day of each table that the list was made from; empty if it was stored without.
    closed : collection of date
        Days on which all of the authority's schools are closed, as ``pages.toml`` has them.
    known_after : int, optional
        Days until outcomes of the list's definition are known; None where the plan was checked with them before.
    """
    faults = [
        *_holidays(plan, of, day, closed),
        *_records(plan, sources),
        *([] if known_after is None else _too_early(plan, of, known_after)),
    ]
    if faults:
        raise Faults(faults)


def _holidays(plan: Plan, of: CompleteList, day: date, closed: Collection[date]) -> Iterator[Fault]:
    """Yield a fault for each window or period with next to no school days: nobody attends, is missed or is seen in the holidays."""
    for begin, end in plan.windows(day, of.horizon_days):
        days = [d for d in school_days(begin, end - timedelta(days=1)) if d not in closed]
        if len(days) < MIN_SCHOOL_DAYS:
            where = "step_weeks" if plan.of.arms == "wedge" else "weeks"
            what = f"from {begin} until before {end} there are {len(days)} school days, and a trial needs {MIN_SCHOOL_DAYS}"
            yield Fault(what, f"{plan.file}, {where}", "Plan the trial on a list of the term, or for more weeks.")


def _records(plan: Plan, sources: Mapping[str, str]) -> Iterator[Fault]:
    if plan.of.outcome == "attendance" and sources and "attendance" not in sources:
        do = "Import marks (onroll import marks) and score again, or plan another outcome."
        yield Fault("the list was made without marks, so attendance is not known", f"{plan.file}, outcome", do)


def _too_early(plan: Plan, of: CompleteList, after: int) -> Iterator[Fault]:
    known = plan.of.as_of + timedelta(days=of.horizon_days + after)
    if plan.of.analyse_on < known:
        days = f"{quantity(of.horizon_days, 'day')} and {after} until they are known"
        what = (
            f"who goes missing within {days} is known on {known}, and the trial is analysed from {plan.of.analyse_on}"
        )
        yield Fault(what, f"{plan.file}, analyse_on", f"Write {known} or a later day.")
