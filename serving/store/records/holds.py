"""Legal holds: while one stands, neither retention nor erasure removes the pupil's records."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from serving.store.tables import Hold
from serving.store.unit_of_work import Change, View

HELD = sa.select(Hold.pupil_id).where(Hold.lifted_at.is_(None))


def held(connection: sa.Connection) -> set[str]:
    """Return the pupils under a hold."""
    return set(connection.scalars(HELD))


def place(change: Change, pupils: Sequence[str], reason: str) -> int:
    """Place holds on pupils, known to the store or not, and return how many were not on hold before."""
    on_hold = held(change.connection)
    new = [p for p in dict.fromkeys(pupils) if p not in on_hold]
    who = {"reason": reason, "placed_at": change.now, "placed_by": change.caller.key_id}
    if new:
        rows = [{"hold_id": secrets.token_hex(16), "pupil_id": p, **who} for p in new]
        change.connection.execute(sa.insert(Hold), rows)
    change.record("hold.placed", pupils=new, reason=reason, held_before=len(set(pupils)) - len(new))
    return len(new)


def lift(change: Change, pupils: Sequence[str], reason: str) -> int:
    """Lift the holds of pupils, and return how many were on hold."""
    on_hold = held(change.connection)
    lifted = [p for p in dict.fromkeys(pupils) if p in on_hold]
    update = sa.update(Hold).where(Hold.pupil_id == sa.bindparam("whose"), Hold.lifted_at.is_(None))
    if lifted:
        update = update.values(lifted_at=change.now, lifted_by=change.caller.key_id)
        change.connection.execute(update, [{"whose": p} for p in lifted])
    change.record("hold.lifted", pupils=lifted, reason=reason)
    return len(lifted)


def listed(view: View) -> list[dict[str, Any]]:
    """Return the standing holds, oldest first."""
    query = sa.select(Hold.__table__).where(Hold.lifted_at.is_(None)).order_by(Hold.placed_at, Hold.hold_id)
    holds = [dict(h) for h in view.connection.execute(query).mappings()]
    view.record("holds.seen", pupils=[h["pupil_id"] for h in holds])
    return holds
