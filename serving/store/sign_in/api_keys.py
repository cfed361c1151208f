"""API keys: shown once, stored as hashes, with an expiry day, revocable."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable
from datetime import date
from typing import Any

import sqlalchemy as sa

from histories.calendar import london_day, london_today
from histories.errors import Fault, Faults
from serving.store.caller import Caller
from serving.store.sign_in.shown_name import MAX_NAME, shown_name
from serving.store.tables import StoredKey
from serving.store.unit_of_work import Change

BY_DIGEST = sa.select(StoredKey.__table__).where(
    StoredKey.digest == sa.bindparam("digest")
)  # built once: every request


def create(
    change: Change,
    role: str,
    authority: str | None,
    urns: Iterable[str],
    expires: date | None,
    *,
    names: bool = False,
    holder: str = "",
) -> tuple[str, str]:
    """Make a key and store its hash.

    Parameters
    ----------
    holder : str
        The name by which people know who holds it; without one, its role, its day and a number.

    Returns
    -------
    key_id, key
        The key itself is returned only here.

    Raises
    ------
    Faults
        When the role or the schools need an authority, or the holder's name cannot be used.
    """
    if holder.strip() and not shown_name(holder):
        do = f"Use at most {MAX_NAME} printable characters."
        raise Faults(Fault("the holder's name cannot be used", "keys create --holder", do))
    if role != "administrator" and not authority:
        do = "Name the authority whose children the key may see."
        raise Faults(Fault("the role needs an authority", "keys create --authority", do))
    schools = sorted(urns)
    if schools and not authority:
        do = "Name the authority of the schools; a key for all authorities sees all schools."
        raise Faults(Fault("schools need their authority", "keys create --urn", do))
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    key = f"onroll_{key_id}_{secret}"
    row = {
        "key_id": key_id,
        "digest": _digest(key),
        "role": role,
        "authority": authority,
        "urns": json.dumps(schools),
        "names": names,
        "holder": shown_name(holder) or _numbered(change, f"{role} key of {_in_words(london_day(change.now))}"),
        "created_at": change.now,
        "expires": expires,
        "revoked_at": None,
    }
    change.connection.execute(sa.insert(StoredKey), row)
    granted: dict[str, Any] = {
        "role": role,
        "authority": authority,
        "urns": schools,
        "expires": expires,
        "names": names,
        "holder": row["holder"],
    }
    change.record("key.created", key_id=key_id, **granted)
    return key_id, key


def _in_words(day: date) -> str:
    return f"{day.day} {day:%B} {day.year}"


def _numbered(change: Change, name: str) -> str:
    """Return a name that no other key has."""
    same = sa.or_(StoredKey.holder == name, StoredKey.holder.startswith(f"{name}, number "))
    others = change.connection.scalar(sa.select(sa.func.count()).select_from(StoredKey).where(same)) or 0
    return f"{name}, number {others + 1}" if others else name


def caller(connection: sa.Connection, key: str) -> Caller | None:
    """Return the caller of a key, or None when it is unknown, revoked or expired."""
    # The key has 256 random bits, so a plain hash resists guessing and timing attacks.
    row = connection.execute(BY_DIGEST, {"digest": _digest(key)}).one_or_none()
    if row is None or row.revoked_at or (row.expires is not None and row.expires < london_today()):
        return None
    return Caller(row.key_id, row.role, row.authority, tuple(json.loads(row.urns)), names=row.names)


def why_refused(connection: sa.Connection, key: str) -> tuple[str, Caller | None]:
    """Return why ``caller`` knows nobody by a key (``unknown``, ``revoked`` or ``expired``), and who held it."""
    row = connection.execute(BY_DIGEST, {"digest": _digest(key)}).one_or_none()
    if row is None:
        return "unknown", None
    return "revoked" if row.revoked_at else "expired", Caller(row.key_id, row.role, row.authority)


def listed(connection: sa.Connection) -> list[dict[str, Any]]:
    """Return all keys without their hashes, with their schools as a list, as the access review has them."""
    columns = [c for c in StoredKey.__table__.columns if c.name not in ("digest", "revoked_at")]
    revoked = StoredKey.revoked_at.is_not(None).label("revoked")
    rows = connection.execute(sa.select(*columns, revoked).order_by(StoredKey.created_at)).mappings()
    return [{**row, "revoked": bool(row["revoked"]), "urns": json.loads(row["urns"])} for row in rows]


def revoke(change: Change, key_id: str) -> None:
    """Revoke a key.

    Raises
    ------
    Faults
        When there is no such key.
    """
    row = sa.update(StoredKey).where(StoredKey.key_id == key_id, StoredKey.revoked_at.is_(None))
    done = change.connection.execute(row.values(revoked_at=change.now))
    if (
        not done.rowcount
        and change.connection.scalar(sa.select(StoredKey.key_id).where(StoredKey.key_id == key_id)) is None
    ):
        raise Faults(Fault("there is no such key", "keys revoke", "Run 'onroll keys list' to see the keys."))
    change.record("key.revoked", key_id=key_id)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
