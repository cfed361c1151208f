"""Who has seen an alarm and what they make of it: entries of the audit, one for each alarm and place.

An acknowledged alarm stays up. The acknowledgement is of that event, not of all to come: it is of the parts that the alarm then had (``Raised.parts``) and
holds no longer when there is another, or one is ``WORSE`` times as large. It ends when a look finds the alarm quiet there, and after
``LASTS`` at the latest. A look at which the alarm could not be judged says nothing, and looks by another day or other limits do not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from histories.errors import Fault, Usage
from serving.monitoring.alarms.alarm import Acknowledgement, AlarmResult
from serving.store.audit.kept_text import must_name_nobody
from serving.store.ledger.believed import believed
from serving.store.tables import AuditEntry
from serving.store.unit_of_work import Change, View

ACTION, SEEN = "alarm.acknowledged", "alarms.seen"
LASTS = timedelta(days=365)
MAX_REASON = 500
Acknowledged: TypeAlias = dict[str, tuple[float, Acknowledgement]]  # by part of an alarm: its size then, and who saw it
WORSE = 1.5  # times the size that was acknowledged


def acknowledge(change: Change, alarms: Sequence[AlarmResult], code: str, reason: str) -> list[AlarmResult]:
    """Record that somebody has seen every alarm of a code that is up, and return these alarms.

    Parameters
    ----------
    change : Change
        Its caller acknowledges.
    reason : str
        What they make of it; about no child.

    Raises
    ------
    Usage
        If no alarm of the code is up, or the reason is empty, too long, or names a child.
    """
    up = [a for a in alarms if a.state == "up" and a.code == code.strip().upper()]
    faults = []
    if not up:
        faults.append(Fault("no alarm of this code is up", f"monitor --acknowledge {code}", "See 'onroll monitor'."))
    if not 0 < len(reason.strip()) <= MAX_REASON:
        do = f"Write 1 to {MAX_REASON} characters about the records or the model, and nothing about a child."
        faults.append(Fault("the reason is empty or too long", "monitor --reason", do))
    if faults:
        raise Usage(faults)
    must_name_nobody({"monitor --reason": reason}, change.connection)
    for alarm in up:
        change.record(ACTION, code=alarm.code, where=alarm.place, parts=dict(alarm.parts), reason=reason.strip())
    return up


def seen(alarms: Iterable[AlarmResult]) -> dict[str, Any]:
    """Return what an entry of a look (``SEEN``) says of the alarms: the codes that are up, quiet, and judged but for some places, and the places of those that are up, or not judged there."""
    alarms = list(alarms)
    codes = {state: sorted({a.code for a in alarms if a.state == state}) for state in ("up", "quiet")}
    nowhere = {a.code for a in alarms if a.state == "not_judged" and not a.place}
    partly = sorted({a.code for a in alarms if a.state == "not_judged"} - nowhere)
    return {**codes, "partly": partly, "places": sorted({(a.code, a.place) for a in alarms if a.place})}


def with_acknowledgements(view: View, alarms: Sequence[AlarmResult]) -> list[AlarmResult]:
    """Return the alarms, each that is up with the acknowledgement that holds. The calling code records the view."""
    entries = believed(view.connection, view.chain, AuditEntry.action.in_((ACTION, SEEN)))
    holding: dict[tuple[str, str], Acknowledged] = {}
    for entry in entries:
        details = entry["details"]
        if entry["action"] == SEEN:
            holding = {place: seen for place, seen in holding.items() if not _is_over(*place, details)}
        # Entries of earlier versions do not say what they are of: that could be anything at the place.
        elif view.now - datetime.fromisoformat(entry["at"]) < LASTS and "parts" in details:
            by = Acknowledgement(by=entry["who"], at=entry["at"], reason=details["reason"])
            place = (details["code"], details["where"])
            # Several alarms of one place are acknowledged together, each with its own parts.
            holding[place] = {**holding.get(place, {}), **{part: (size, by) for part, size in details["parts"].items()}}
    return [
        replace(a, acknowledged=_of_all(a, holding.get((a.code, a.place), {}))) if a.state == "up" else a
        for a in alarms
    ]


def _of_all(alarm: AlarmResult, seen: Acknowledged) -> Acknowledgement | None:
    """Return the newest acknowledgement of an alarm's parts; None if one of them is new, or clearly worse than it was."""
    if not alarm.parts or any(part not in seen or size > WORSE * seen[part][0] for part, size in alarm.parts.items()):
        return None
    return max((seen[part][1] for part in alarm.parts), key=lambda by: by.at)


def _is_over(code: str, where: str, look: Mapping[str, Any]) -> bool:
    """Return whether a look found an alarm quiet at a place; entries of earlier versions name the codes that are up only, which does not tell."""
    if not look.get("default_look", True) or "places" not in look:
        return False
    judged = code in look["up"] or code in look.get("partly", ())
    return code in look["quiet"] or (judged and [code, where] not in look["places"])
