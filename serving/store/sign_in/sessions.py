"""Sessions of the pages. A session ends when idle, when too old, and when the key that opened it ends."""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from serving.store.caller import Caller
from serving.store.database import reading, writing
from serving.store.tables import Base, StoredKey, Who
from serving.store.unit_of_work import Change

MAX_AGE = timedelta(hours=12)
SEEN_EVERY = timedelta(seconds=30)  # precision of the idle time; saves a write per page


class Session(Base):
    """A signed-in caller; only the hash of the cookie's secret is stored."""

    __tablename__ = "sessions"
    digest: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    person_id: Mapped[str] = mapped_column(Who)
    name: Mapped[str] = mapped_column(sa.String(200))
    role: Mapped[str] = mapped_column(sa.String(20))
    authority: Mapped[str | None] = mapped_column(sa.String(10))
    urns: Mapped[str] = mapped_column(sa.Text)
    opened_at: Mapped[datetime]
    seen_at: Mapped[datetime] = mapped_column(index=True)


def open_session(change: Change, name: str, before: str | None = None) -> str:
    """Open a session for the caller, end the previous one, and return a new secret (against session fixation)."""
    secret, caller = secrets.token_urlsafe(32), change.caller
    change.connection.execute(sa.delete(Session).where(Session.seen_at < change.now - MAX_AGE))
    if before:
        change.connection.execute(sa.delete(Session).where(Session.digest == _digest(before)))
    row = {
        "digest": _digest(secret),
        "person_id": caller.key_id,
        "name": name,
        "role": caller.role,
        "authority": caller.authority,
        "urns": json.dumps(caller.urns),
        "opened_at": change.now,
        "seen_at": change.now,
    }
    change.connection.execute(sa.insert(Session), row)
    change.record("session.opened")
    return secret


def end_session(change: Change, secret: str) -> None:
    """End a session."""
    change.connection.execute(sa.delete(Session).where(Session.digest == _digest(secret)))
    change.record("session.ended")


def signed_in(engine: sa.Engine, secret: str, idle: timedelta) -> tuple[Caller, str] | None:
    """Return the session's caller and name, and renew its idle time; None when it has ended.

    A session opened with a key ends with the key.
    """
    now = datetime.now(UTC)
    with reading(engine) as connection:
        row = connection.execute(
            sa.select(Session.__table__, StoredKey.key_id, StoredKey.revoked_at, StoredKey.expires)
            .join(StoredKey, StoredKey.key_id == Session.person_id, isouter=True)
            .where(Session.digest == _digest(secret))
        ).one_or_none()
    if row is None or row.seen_at < now - idle or row.opened_at < now - MAX_AGE:
        return None
    if row.key_id and (row.revoked_at or (row.expires is not None and row.expires < now.date())):
        return None
    if row.seen_at < now - SEEN_EVERY:
        with writing(engine) as connection:
            connection.execute(sa.update(Session).where(Session.digest == row.digest).values(seen_at=now))
    return Caller(row.person_id, row.role, row.authority, tuple(json.loads(row.urns))), row.name


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
