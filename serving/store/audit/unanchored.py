"""What shows in the audit that anchors are missing: days and stretches of entries without one, and anchors that a process has lost."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from serving.store.ledger.anchors import CLOCKS, DECLARED, ENTRIES, MINUTES
from serving.store.ledger.details import details_of
from serving.store.ledger.entry import PRUNED, End
from serving.store.tables import AuditEntry

DO = "they were removed from {file}, were never written, or are elsewhere (--anchors)"


def declaration() -> dict[str, Any]:
    """Return how often anchors are written, for the entry that declares it."""
    return {"entries": ENTRIES, "minutes": int(MINUTES / timedelta(minutes=1))}


def in_force(connection: sa.Connection, until: int | None = None) -> dict[str, int] | None:
    """Return how often anchors have to be after an entry, by default after the last; None before the audit declares it.

    A declaration that retention has removed stands in the entry of that removal.
    """
    declared = sa.select(AuditEntry.details).where(AuditEntry.action == DECLARED)
    declared = declared if until is None else declared.where(AuditEntry.seq <= until)
    removed = sa.select(AuditEntry.details).where(AuditEntry.action == PRUNED)
    for query, carried in ((declared, False), (removed, True)):
        for text in connection.scalars(query.order_by(AuditEntry.seq.desc())):
            details = details_of(text)
            rule = _rule(details.get("anchors") if carried else details)
            if rule or details:
                return rule
    return None


def _rule(details: Any) -> dict[str, int] | None:
    """Return what an entry declares, or None; the chain says whether the entry is one."""
    names = ("entries", "minutes")
    whole = isinstance(details, dict) and all(isinstance(details.get(name), int) for name in names)
    return {name: details[name] for name in names} if whole else None


class AppendsByDay:
    """Counts the appends of each day: a day with entries has an anchor, unless its only append was cut short before it."""

    def __init__(self) -> None:
        self._moments: dict[str, str] = {}
        self._several: set[str] = set()

    def count(self, at: str) -> None:
        """Count an entry; those of one append have the same time."""
        if self._moments.setdefault(at[:10], at) != at:
            self._several.add(at[:10])

    def unanchored(self, anchors: Iterable[End], file: Path) -> str:
        """Return what is wrong when days with several appends have no anchor; "" when nothing is."""
        days = sorted(self._several - {a.at[:10] for a in anchors})
        if not days:
            return ""
        which = days[0] if len(days) == 1 else f"{len(days)} days from {days[0]} to {days[-1]}"
        return f"no anchor is left of {which}: {DO.format(file=file)}"


class Stretches:
    """Looks for entries that came without an anchor for longer than the audit itself declares.

    Every process anchors what it appends, so between two anchors there are fewer entries than the declared number before the last
    append, and they came within the declared minutes. Audits from before the first declaration had coarser anchors.

    Parameters
    ----------
    rule : dict or None
        What held before the first entry, if retention removed its declaration.
    """

    def __init__(self, rule: Mapping[str, int] | None = None) -> None:
        self._rule = rule
        self._since: tuple[int, str] | None = None  # the first entry after the newest anchor
        self._append = ""
        self._worst: tuple[int, int] | None = None

    def count(self, row: Mapping[str, Any], *, anchored: bool) -> None:
        """Count an entry."""
        # Entries of one append have one time, and only its last one can be anchored: an append is judged when the next one begins.
        if self._since and self._rule and row["at"] != self._append and self._is_too_long(row["seq"] - 1):
            self._worst = self._worst or (self._since[0], row["seq"] - 1)
        if row["action"] == DECLARED:
            self._rule = _rule(details_of(row["details"])) or self._rule
        if anchored:
            self._since = None
        elif self._since is None:
            self._since = row["seq"], row["at"]
        self._append = row["at"]

    def _is_too_long(self, last: int) -> bool:
        first, since = self._since or (last, self._append)
        allowed = timedelta(minutes=self._rule["minutes"]) + CLOCKS  # type: ignore[index]
        passed = datetime.fromisoformat(self._append) - datetime.fromisoformat(since)
        return last - first + 1 >= self._rule["entries"] or passed > allowed  # type: ignore[index]

    def unanchored(self, file: Path) -> str:
        """Return what is wrong when a stretch was too long; "" when none was."""
        if self._worst is None:
            return ""
        first, last = self._worst
        return f"no anchor is left of entries {first} to {last}, and the audit declares them more often: {DO.format(file=file)}"


def lost(kept: Collection[End], read: Iterable[End], file: Path) -> str:
    """Return what is wrong when an anchor that this process wrote is in no place any more; "" when nothing is."""
    there = {(a.seq, a.mac) for a in read}
    gone = sorted(a.seq for a in kept if (a.seq, a.mac) not in there)
    if not gone:
        return ""
    return f"no anchor is left of entry {gone[0]}, which this process anchored: it was removed from {file}"
