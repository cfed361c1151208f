"""Erasure of pupils from every table; the audit keeps references that only its key can link to a pupil."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from histories.errors import Fault, Usage
from serving.store.audit.kept_text import must_name_nobody
from serving.store.cases.tables import Case
from serving.store.people.tables import StoredDetails
from serving.store.records.holds import held
from serving.store.records.places import BY_PUPIL
from serving.store.records.retention import remove, tidy
from serving.store.tables import Hold, Pupil, StoredScore
from serving.store.unit_of_work import Change

BATCH = 500
MAX_REASON = 500


@dataclass(frozen=True)
class Erased:
    """Numbers of pupils erased, under a legal hold, and unknown to the store; and who no longer has a record."""

    erased: int
    held: int
    unknown: int
    free: Sequence[str] = field(default=(), repr=False)


def checked_reason(reason: str, pupils: Sequence[str], connection: sa.Connection) -> str:
    """Return a reason that the audit may keep.

    Raises
    ------
    Usage
        When it is empty, too long, or names a pupil.
    """
    kept = reason.strip()
    if not 0 < len(kept) <= MAX_REASON or "\x00" in kept:
        raise Usage(Fault("the reason is empty or too long", "--reason", f"Give 1 to {MAX_REASON} characters."))
    must_name_nobody({"--reason": kept}, connection, pupils)
    return kept


def erase(change: Change, pupils: Sequence[str], reason: str) -> Erased:
    """Remove all rows of pupils from every table but the audit; pupils under a hold keep theirs."""
    on_hold = held(change.connection)
    requested = list(dict.fromkeys(pupils))
    free = [p for p in requested if p not in on_hold]
    present, rows = set(), 0
    for at in range(0, len(free), BATCH):
        part = free[at : at + BATCH]
        for table in (Pupil, StoredScore, Case, Hold, StoredDetails):
            present |= set(change.connection.scalars(sa.select(table.pupil_id).where(table.pupil_id.in_(part))))
        for table in BY_PUPIL:
            rows += remove(change.connection, table, table.pupil_id.in_(part))
    tidy(change.connection)
    erased = Erased(len(present), len(requested) - len(free), len(free) - len(present), free)
    kept = change.references(p for p in requested if p in on_hold)
    change.record("pupils.erased", pupils=sorted(present), reason=reason, rows=rows, held=kept, unknown=erased.unknown)
    return erased
