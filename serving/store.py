"""The score store: scores as they were shown, with the model that made them, and the keys of the interface."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from histories.faults import Fault, Faults
from serving.paging import ListChanged, Place

ROLES = ("worker", "lead", "analyst", "administrator")


class Base(DeclarativeBase):
    """The tables of the store."""


class StoredScore(Base):
    """A score of a pupil as of a day by a model version."""

    __tablename__ = "scores"
    pupil_id: Mapped[str] = mapped_column(sa.String(100), primary_key=True)
    as_of: Mapped[date] = mapped_column(sa.Date, primary_key=True)
    model_version: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    authority: Mapped[str] = mapped_column(sa.String(10), index=True)
    urn: Mapped[str] = mapped_column(sa.String(20))
    nc_year: Mapped[int]
    band: Mapped[str] = mapped_column(sa.String(20))
    rank: Mapped[int]
    risk: Mapped[float]
    stored_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))
    body: Mapped[str] = mapped_column(sa.Text)
    __table_args__ = (sa.Index("scores_by_list", "as_of", "authority", "rank"),)


class StoredKey(Base):
    """A key of the interface; only its hash is kept."""

    __tablename__ = "keys"
    key_id: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    digest: Mapped[str] = mapped_column(sa.String(64), unique=True)
    role: Mapped[str] = mapped_column(sa.String(20))
    authority: Mapped[str | None] = mapped_column(sa.String(10))
    urns: Mapped[str] = mapped_column(sa.Text)
    created_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))
    expires: Mapped[date | None] = mapped_column(sa.Date)
    revoked: Mapped[bool] = mapped_column(default=False)


@dataclass(frozen=True)
class Caller:
    """Who calls, and what they may see."""

    key_id: str
    role: str
    authority: str | None
    urns: tuple[str, ...]

    def scope(self) -> list[sa.ColumnElement[bool]]:
        """Return the conditions that every query for this caller carries."""
        if self.role == "administrator" and self.authority is None:
            return []
        own: list[sa.ColumnElement[bool]] = [StoredScore.authority == (self.authority or "")]
        return [*own, StoredScore.urn.in_(self.urns)] if self.urns else own


class Store:
    """Scores and keys in one database.

    Parameters
    ----------
    url : str
        A SQLAlchemy URL: SQLite by default, PostgreSQL by its URL.
    """

    def __init__(self, url: str) -> None:
        try:
            if url.startswith("postgresql://"):
                url = url.replace("postgresql://", "postgresql+psycopg://", 1)
            self.engine = sa.create_engine(url, pool_pre_ping=True)
            if self.engine.dialect.name == "sqlite":
                sa.event.listen(self.engine, "connect", _prepare_sqlite)
            Base.metadata.create_all(self.engine)
        except (sa.exc.SQLAlchemyError, ImportError) as error:
            raise Faults(
                Fault(
                    "the database cannot be opened",
                    "ONROLL_DATABASE_URL",
                    "Check the address and that the server runs.",
                )
            ) from error

    def save(self, scores: Iterable[dict[str, Any]]) -> int:
        """Store scores in one transaction; storing the same score again replaces it.

        Returns
        -------
        int
            How many were stored.
        """
        now = datetime.now(UTC)
        rows = [
            {**{k: s[k] for k in ("pupil_id", "model_version", "authority", "urn", "nc_year", "band", "rank", "risk")},
             "as_of": date.fromisoformat(s["as_of"]), "stored_at": now, "body": json.dumps(s, ensure_ascii=False)}
            for s in scores
        ]  # fmt: skip
        with self.engine.begin() as connection:
            for at in range(0, len(rows), 500):
                part = rows[at : at + 500]
                keys = [(r["pupil_id"], r["as_of"], r["model_version"]) for r in part]
                identity = sa.tuple_(StoredScore.pupil_id, StoredScore.as_of, StoredScore.model_version)
                connection.execute(sa.delete(StoredScore).where(identity.in_(keys)))
                connection.execute(sa.insert(StoredScore), part)
        return len(rows)

    def scores(self, caller: Caller, pupil_ids: list[str], as_of: date | None) -> list[dict[str, Any]]:
        """Return the newest stored scores of pupils that the caller may see."""
        with self.engine.connect() as connection:
            day = as_of or connection.scalar(sa.select(sa.func.max(StoredScore.as_of)).where(*caller.scope()))
            if day is None:
                return []
            query = (
                sa.select(StoredScore.body, StoredScore.pupil_id)
                .where(*caller.scope(), StoredScore.as_of == day, StoredScore.pupil_id.in_(pupil_ids))
                .order_by(StoredScore.pupil_id, StoredScore.stored_at, StoredScore.model_version)
            )
            newest = {row.pupil_id: json.loads(row.body) for row in connection.execute(query)}
        return list(newest.values())

    def worklist(
        self,
        caller: Caller,
        as_of: date | None,
        limit: int,
        urn: str | None,
        year_group: int | None,
        band: str | None,
        after: Place | None = None,
    ) -> list[dict[str, Any]]:
        """Return the ranked list that the caller may see, of the newest model that scored the day.

        Raises
        ------
        ListChanged
            When the page before was of another model's list.
        """
        with self.engine.connect() as connection:
            newest = _newest(connection, caller, after.as_of if after else as_of)
            if after and (newest is None or newest[1] != after.version):
                raise ListChanged
            if newest is None:
                return []
            day, version = newest
            chosen = [StoredScore.urn == urn] if urn else []
            chosen += [StoredScore.nc_year == year_group] if year_group is not None else []
            chosen += [StoredScore.band == band] if band else []
            if after:
                later = sa.and_(StoredScore.rank == after.rank, StoredScore.authority > after.authority)
                chosen.append(sa.or_(StoredScore.rank > after.rank, later))
            query = sa.select(StoredScore.body).where(
                *caller.scope(), StoredScore.as_of == day, StoredScore.model_version == version, *chosen
            )
            found = connection.scalars(query.order_by(StoredScore.rank, StoredScore.authority).limit(limit))
            return [json.loads(body) for body in found]

    def counts(self, caller: Caller, as_of: date | None, by: str) -> tuple[date, dict[str, int]] | None:
        """Count the pupils whom the caller may see by a column, of the newest model that scored the day; true counts."""
        column = {"band": StoredScore.band, "year_group": StoredScore.nc_year, "urn": StoredScore.urn}[by]
        with self.engine.connect() as connection:
            newest = _newest(connection, caller, as_of)
            if newest is None:
                return None
            day, version = newest
            query = (
                sa.select(column, sa.func.count())
                .where(*caller.scope(), StoredScore.as_of == day, StoredScore.model_version == version)
                .group_by(column)
                .order_by(column)
            )
            return day, {str(group): n for group, n in connection.execute(query).all()}

    def create_key(
        self, role: str, authority: str | None = None, urns: Iterable[str] = (), expires: date | None = None
    ) -> tuple[str, str]:
        """Make a key and keep its hash.

        Returns
        -------
        key_id, key
            The key itself is returned here and never again.
        """
        if role != "administrator" and not authority:
            raise Faults(
                Fault(
                    "the role needs an authority",
                    "keys create --authority",
                    "Say whose children the key may see.",
                )
            )
        key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        key = f"onroll_{key_id}_{secret}"
        row = {
            "key_id": key_id,
            "digest": _digest(key),
            "role": role,
            "authority": authority,
            "urns": json.dumps(sorted(urns)),
            "created_at": datetime.now(UTC),
            "expires": expires,
            "revoked": False,
        }
        with self.engine.begin() as connection:
            connection.execute(sa.insert(StoredKey), row)
        return key_id, key

    def caller(self, key: str) -> Caller | None:
        """Return who a key belongs to, or None when it is unknown, revoked or expired."""
        with self.engine.connect() as connection:
            # The key is 256 random bits, so its plain hash can neither be guessed nor looked up by timing.
            row = connection.execute(
                sa.select(StoredKey.__table__).where(StoredKey.digest == _digest(key))
            ).one_or_none()
        if row is None or row.revoked or (row.expires is not None and row.expires < datetime.now(UTC).date()):
            return None
        return Caller(row.key_id, row.role, row.authority, tuple(json.loads(row.urns)))

    def list_keys(self) -> list[dict[str, Any]]:
        """Return all keys without their secrets."""
        columns = [c for c in StoredKey.__table__.columns if c.name != "digest"]
        with self.engine.connect() as connection:
            return [
                dict(row._mapping) for row in connection.execute(sa.select(*columns).order_by(StoredKey.created_at))
            ]

    def revoke(self, key_id: str) -> None:
        """Revoke a key.

        Raises
        ------
        Faults
            When there is no such key.
        """
        with self.engine.begin() as connection:
            done = connection.execute(sa.update(StoredKey).where(StoredKey.key_id == key_id).values(revoked=True))
        if not done.rowcount:
            raise Faults(Fault("there is no such key", "keys revoke", "Run 'onroll keys list' to see the keys."))


def _newest(connection: sa.Connection, caller: Caller, as_of: date | None) -> tuple[date, str] | None:
    """Return the day, the newest one unless named, and the newest model version that scored it in the caller's scope."""
    day = as_of or connection.scalar(sa.select(sa.func.max(StoredScore.as_of)).where(*caller.scope()))
    query = sa.select(StoredScore.model_version).where(*caller.scope(), StoredScore.as_of == day)
    version = connection.scalar(query.order_by(StoredScore.stored_at.desc()).limit(1)) if day else None
    return None if day is None or version is None else (day, version)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA busy_timeout = 10000")
    connection.execute("PRAGMA foreign_keys = ON")
