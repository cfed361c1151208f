"""Sessions of the pages. A session ends when idle, when too old, with the key or token that opened it, and with its account."""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from histories.calendar import london_day
from serving.store.caller import Caller, Credential
from serving.store.cases.tables import Person
from serving.store.database import reading, writing
from serving.store.tables import Base, StoredKey, Who
from serving.store.unit_of_work import Change, View

ID_LENGTH = 12
MAX_AGE = timedelta(hours=12)
CLOCKS = timedelta(minutes=1)  # by which clocks of several machines may differ
RIGHTS = ("role", "authority", "urns", "names")
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
    names: Mapped[bool] = mapped_column(server_default=sa.false())
    granted: Mapped[str] = mapped_column(sa.Text)  # JSON: names of roles and groups that gave the rights
    opened_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    seen_at: Mapped[datetime] = mapped_column(index=True)


OF_KEY = tuple(getattr(StoredKey, name).label(f"key_{name}") for name in RIGHTS)


def open_session(change: Change, name: str, before: str = "") -> str:
    """Open a session for the caller, and return a new secret (against session fixation).

    Parameters
    ----------
    change : Change
    name : str
        What pages call the caller.
    before : str
        The digest of the browser's previous session, which ends; or "".
    """
    secret, caller, credential = secrets.token_urlsafe(32), change.caller, change.caller.credential
    ends_at = change.now + MAX_AGE
    change.connection.execute(sa.delete(Session).where(Session.seen_at < change.now - MAX_AGE))
    change.connection.execute(sa.delete(Session).where(Session.digest == before))
    row = {
        "digest": digest_of(secret),
        "person_id": caller.key_id,
        "name": name,
        "role": caller.role,
        "authority": caller.authority,
        "urns": json.dumps(caller.urns),
        "names": caller.names,
        "granted": json.dumps([credential.roles, credential.groups]),
        "opened_at": change.now,
        "ends_at": min(ends_at, credential.until or ends_at),
        "seen_at": change.now,
    }
    change.connection.execute(sa.insert(Session), row)
    change.record("session.opened")
    return secret


def end_session(change: Change, secret: str) -> None:
    """End a session."""
    change.connection.execute(sa.delete(Session).where(Session.digest == digest_of(secret)))
    change.record("session.ended")


def signed_in(engine: sa.Engine, secret: str, idle: timedelta) -> tuple[Caller, str] | None:
    """Return the session's caller and name, and renew its idle time; None when it has ended.

    A session opened with a key ends with the key and has its rights, and every session ends with the account of its holder, and
    twelve hours after it was opened whatever its row says: an account of the database that may add sessions adds none that lasts.
    """
    now = datetime.now(UTC)
    with reading(engine) as connection:
        row = connection.execute(
            sa.select(
                Session.__table__, StoredKey.key_id, StoredKey.revoked_at, StoredKey.expires, *OF_KEY, Person.active
            )
            .join(StoredKey, StoredKey.key_id == Session.person_id, isouter=True)
            .join(Person, Person.person_id == Session.person_id, isouter=True)
            .where(Session.digest == digest_of(secret))
        ).one_or_none()
    if row is None or row.seen_at < now - idle or row.ends_at <= now or row.active is False:
        return None
    if not now - MAX_AGE < row.opened_at <= now + CLOCKS:
        return None
    by_key = ":" not in row.person_id
    if by_key and (not row.key_id or row.revoked_at or (row.expires is not None and row.expires < london_day(now))):
        return None
    if by_key and any(
        getattr(row, name) != getattr(row, column.name) for name, column in zip(RIGHTS, OF_KEY, strict=True)
    ):
        return None
    if row.seen_at < now - SEEN_EVERY:
        with writing(engine) as connection:
            connection.execute(sa.update(Session).where(Session.digest == row.digest).values(seen_at=now))
    roles, groups = json.loads(row.granted)
    credential = Credential(row.ends_at, tuple(roles), tuple(groups))
    urns = tuple(json.loads(row.urns))
    caller = Caller(row.person_id, row.role, row.authority, urns, credential=credential, names=row.names)
    return caller, row.name


def sessions(view: View) -> list[dict[str, Any]]:
    """Return the sessions that have not ended, oldest first; their id is the beginning of their secret's hash.

    Returns
    -------
    list of dict
        ``session_id``, ``person_id``, ``name``, ``role``, ``authority``, ``urns``, ``names``, ``opened_at``, ``seen_at``, ``ends_at``.
    """
    rows = view.connection.execute(
        sa.select(Session.__table__).where(Session.ends_at > view.now).order_by(Session.opened_at)
    )
    listed = [dict(row) for row in rows.mappings()]
    view.record("session.listed", count=len(listed))
    hidden = ("digest", "granted")
    return [
        {
            "session_id": s["digest"][:ID_LENGTH],
            **{k: v for k, v in s.items() if k not in hidden},
            "urns": json.loads(s["urns"]),
        }
        for s in listed
    ]


def own_sessions(view: View, secret: str, idle: timedelta) -> list[dict[str, Any]]:
    """Return the caller's sessions that have not ended, newest first; ``here`` is the one of a secret.

    Returns
    -------
    list of dict
        ``session_id``, ``opened_by`` (``key``, ``token``, ``proxy`` or ``dev``), ``opened_at``, ``seen_at``, ``ends_at``, ``here``.
    """
    open_ones = (
        Session.person_id == view.caller.key_id,
        Session.ends_at > view.now,
        Session.seen_at >= view.now - idle,
    )
    rows = view.connection.execute(
        sa.select(Session.__table__).where(*open_ones).order_by(Session.opened_at.desc())
    ).all()
    view.record("session.own_listed", count=len(rows))
    return [
        {
            "session_id": row.digest[:ID_LENGTH],
            "opened_by": row.person_id.partition(":")[0] if ":" in row.person_id else "key",
            "opened_at": row.opened_at,
            "seen_at": row.seen_at,
            "ends_at": row.ends_at,
            "here": row.digest == digest_of(secret),
        }
        for row in rows
    ]


def end_own_sessions(change: Change, secret: str, session_id: str | None = None) -> int:
    """End one of the caller's sessions, or all but that of a secret, and return how many ended.

    The audit holds an id only of a session that there was: a form may send any text.
    """
    ended = sa.delete(Session).where(Session.person_id == change.caller.key_id)
    if session_id is None:
        ended = ended.where(Session.digest != digest_of(secret))
    else:
        ended = ended.where(sa.func.substr(Session.digest, 1, ID_LENGTH) == session_id)
    count = change.connection.execute(ended).rowcount
    change.record("session.ended_by_holder", count=count, session_id=session_id if count else None)
    return count


def end_sessions(change: Change, *, session_id: str | None = None, person_id: str | None = None) -> int:
    """End a session by its id, all sessions of a person, or all sessions, and return how many ended.

    The audit names only a session or a person that there was: a command may say any text.
    """
    ended = sa.delete(Session)
    if session_id is not None:
        ended = ended.where(sa.func.substr(Session.digest, 1, ID_LENGTH) == session_id)
    if person_id is not None:
        ended = ended.where(Session.person_id == person_id)
    count = change.connection.execute(ended).rowcount
    known = {"session_id": session_id, "person": person_id} if count else {"session_id": None, "person": None}
    change.record("session.ended_by_command", count=count, **known)
    return count


def digest_of(secret: str) -> str:
    """Return what is stored of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
