"""What the end of the rolls means for outcomes, in words: whose record of who left has stopped, and which as-of dates still count."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from features.outcome.definition import Definition
from features.outcome.known_until import ALL, NOTHING, KnownUntil, newest_known
from histories.io.quantities import quantity
from histories.reading.histories import Histories

LAG = timedelta(days=28)  # rolls change less often than marks
SHOWN = 5  # authorities, schools and days that are named


def newest_record(histories: Histories, definition: Definition, until: date | None = None) -> str:
    """Return until when it is known who left, and why that is earlier than the newest record, as part of a sentence."""
    newest, end = _newest(histories, until), KnownUntil.read(histories, until).days(definition)[ALL]
    if end >= newest:
        return f"the newest day in the histories is {newest}"
    if end == NOTHING:
        return f"{definition.name} counts cases only, and the histories hold none"
    return f"the newest day in the histories is {newest}, but {records_of(definition)} go on until {end} only"


def warnings_of_ended_rolls(
    histories: Histories, definition: Definition, horizon: int, days: Sequence[date] = (), until: date | None = None
) -> list[str]:
    """Return a warning for each authority whose rolls end before its other records, and one for schools whose rolls have stopped.

    Parameters
    ----------
    days : sequence of date
        The as-of dates that were asked for: named are those of which only the rolls leave the outcome open.
    until : date, optional
        Nothing recorded on or after this day is used.
    """
    known, end = KnownUntil.read(histories, until), _newest(histories, until)
    newest, delay = newest_known(histories, definition, horizon, until), horizon + definition.known_after_days
    told = []
    for authority, day in sorted((a, day) for a, day in known.days(definition).items() if a != ALL):
        last = newest.of(authority)
        if day == NOTHING:
            told.append(
                f"authority {authority or 'unknown'}: {definition.name} counts cases only, and the histories hold none of it. Nobody there is known to have "
                "stayed, so that its children have no outcome. Import its register of children missing education."
            )
            continue
        open_days = [d for d in sorted(days) if last < d <= end - timedelta(days=delay)]
        if open_days or end - day > LAG:
            told.append(
                f"authority {authority or 'unknown'}: {records_of(definition)} go on until {day} only, other records until {end}. Nobody is known "
                f"to have stayed after that, so that as-of dates count up to {last}{_left_out(open_days)}. Import what came since."
            )
    more = [f"so it is of {quantity(len(told) - SHOWN, 'authority')} more"] if len(told) > SHOWN else []
    return [*told[:SHOWN], *more, *_of_schools(known.schools), *_of_days_apart(histories)]


def _newest(histories: Histories, until: date | None) -> date:
    newest = histories.last_known()
    return min(newest, until - timedelta(days=1)) if until else newest


def records_of(definition: Definition) -> str:
    """Return what a definition's outcomes are known by, in words."""
    return "the rolls and cases" if definition.cases else "the rolls"


def _left_out(days: Sequence[date]) -> str:
    return f" and {_some([str(d) for d in days])} teach nothing there" if days else ""


def _of_schools(schools: dict[str, date]) -> list[str]:
    if not schools:
        return []
    named = _some([f"{urn} since {day}" for urn, day in schools.items()])
    return [
        f"the rolls of {quantity(len(schools), 'school')} have stopped ({named}), for two months longer than ever in the year before: of children who are still on "
        "them nobody is known to have stayed since. Import what came since, or end the spells if the school closed."
    ]


def _of_days_apart(histories: Histories) -> list[str]:
    return [
        f"{quantity(rows, 'record')} ({which}) {'lies' if rows == 1 else 'lie'} more than two months from all others and {'says' if rows == 1 else 'say'} nothing "
        "of when records begin and end. Correct the dates if they are wrong."
        for which, rows in sorted(histories.days_apart.items())
    ]


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
