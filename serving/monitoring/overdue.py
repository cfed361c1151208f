"""Lists of which waiting brings no outcome: the histories go on, and the record of who left, or of cases, ends before or never came."""

from __future__ import annotations

from collections.abc import Collection

from features.outcome.definition import Definition
from features.outcome.known_until import ALL, NOTHING, KnownUntil
from histories.io.quantities import quantity
from histories.reading.histories import Histories
from serving.store.scores.complete_lists import CompleteList
from training.rolls_end import records_of


def overdue_warnings(histories: Histories, definition: Definition, lists: Collection[CompleteList]) -> list[str]:
    """Return for each authority of overdue lists which record ends, and what to import.

    Parameters
    ----------
    lists : collection of CompleteList
        By this definition, whose windows and delay have passed by the newest record, and whose outcomes are not known.
    """
    days, told = KnownUntil.read(histories).days(definition), []
    for authority in sorted({x.authority for x in lists}):
        of = f"{quantity(sum(x.authority == authority for x in lists), 'list')}, authority {authority or 'unknown'}"
        day = days.get(authority, days[ALL])
        why = f"{records_of(definition)} go on until {day} only. Import what came since."
        if day == NOTHING:
            why = f"{definition.name} counts cases only, and the histories hold none. Import the register of children missing education."
        told.append(f"outcomes are overdue ({of}): {why}")
    return told
