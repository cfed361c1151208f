"""The store's tables. ``serving/migrations`` creates and changes them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from serving.store.packed import Packed


class Moment(sa.TypeDecorator[datetime]):
    """A time in UTC; SQLite would lose the time zone."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Store the time in UTC."""
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        """Read the time as UTC."""
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value and value.astimezone(UTC)


class Base(DeclarativeBase):
    """The tables of the store."""

    metadata = sa.MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ix": "ix_%(table_name)s_%(column_0_name)s",
        }
    )
    type_annotation_map = {datetime: Moment, date: sa.Date}  # noqa: RUF012


Opaque = sa.String(32)  # random and meaningless, so safe in an address
PupilId = sa.String(100)
Who = sa.String(200)
Version = sa.String(40)


class Pupil(Base):
    """A pupil, and where the newest score found them: the school and its authority; of one on no roll the last school, and the home's authority.

    Attributes
    ----------
    left_from : str or None
        The authority of the last school, where a child on no roll lives in another; see ``serving.store.cases.last_school``.
    roll_year : int or None
        The year group by the roll, or by the last one within a year, where that states one; ``nc_year`` is by age.
    """

    __tablename__ = "pupils"
    pupil_id: Mapped[str] = mapped_column(PupilId, primary_key=True)
    pupil_ref: Mapped[str] = mapped_column(Opaque, unique=True)
    authority: Mapped[str] = mapped_column(sa.String(10))
    urn: Mapped[str] = mapped_column(sa.String(20))
    nc_year: Mapped[int]
    as_of: Mapped[date]
    left_on: Mapped[date | None]  # the last day on any roll; None while on one
    left_to: Mapped[str | None] = mapped_column(sa.String(20))  # a destination of the histories
    left_from: Mapped[str | None] = mapped_column(sa.String(10))
    roll_year: Mapped[int | None]
    __table_args__ = (sa.Index("pupils_by_place", "authority", "urn", "left_from"),)


# The few whom a roll has behind or ahead of the year by age.
_moved = Pupil.roll_year != Pupil.nc_year
sa.Index(
    "pupils_of_other_years",
    *(Pupil.__table__.c[c] for c in ("pupil_id", "roll_year", "nc_year")),
    sqlite_where=_moved,
    postgresql_where=_moved,
)


# Where pupils are, for ``Caller.scope`` of a query that names them one by one: no index finds them by such an expression, so that SQLite looks
# each of them up by the key in place of reading all of the authority through the index of places.
NAMED = SimpleNamespace(authority=Pupil.authority + "", urn=Pupil.urn + "")


class StoredScore(Base):
    """A score of a pupil as of a day by a model version, with its reasons as shown.

    Storing different content for the same score does not overwrite what somebody may have seen: the old row gets a
    ``replaced_at``.
    """

    __tablename__ = "scores"
    score_id: Mapped[str] = mapped_column(Opaque, primary_key=True)
    pupil_id: Mapped[str] = mapped_column(PupilId)
    as_of: Mapped[date]
    model: Mapped[str] = mapped_column(sa.String(100))
    model_version: Mapped[str] = mapped_column(Version)
    definition: Mapped[str] = mapped_column(sa.String(100))
    horizon_days: Mapped[int]
    catalogue_digest: Mapped[str] = mapped_column(sa.String(64))
    features_digest: Mapped[str] = mapped_column(sa.String(64))
    authority: Mapped[str] = mapped_column(sa.String(10))
    urn: Mapped[str] = mapped_column(sa.String(20))
    nc_year: Mapped[int]
    band: Mapped[str] = mapped_column(sa.String(20))
    rank: Mapped[int]
    risk: Mapped[float]
    stored_at: Mapped[datetime]
    replaced_at: Mapped[datetime | None]
    body: Mapped[Any] = mapped_column(Packed)  # read it with ``scores.kept_numbers``
    themes: Mapped[str] = mapped_column(
        sa.String(300), server_default=""
    )  # themes of the first reasons, |written|like this|
    list_name: Mapped[str | None] = mapped_column(sa.String(20))  # null in scores of earlier versions


# The list's index holds every filter column, so that only the rows shown are read from the table, and ``replaced_at``, though it is null in
# all of them: without it SQLite reads each row to see so. Few filter the list of all authorities.
def _index(name: str, columns: str, *, current: bool, unique: bool = False) -> None:
    condition = StoredScore.replaced_at.is_(None) if current else None
    indexed = [StoredScore.__table__.c[c] for c in columns.split()]
    sa.Index(name, *indexed, unique=unique, sqlite_where=condition, postgresql_where=condition)


_index(
    "scores_by_list", "authority as_of model_version rank urn nc_year band themes list_name replaced_at", current=True
)
_index("scores_of_all", "as_of model_version rank authority", current=True)
_index("scores_by_pupil", "pupil_id as_of model_version", current=True, unique=True)
_index("scores_of_pupil", "pupil_id as_of", current=False)
_index("scores_by_age", "stored_at", current=False)


class ScoreRecipe(Base):
    """What scores of which numbers are kept are made from again; no child's data. See ``scores.kept_numbers``."""

    __tablename__ = "score_recipes"
    recipe: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    content: Mapped[bytes] = mapped_column(sa.LargeBinary)


class ScoreList(Base):
    """One authority's pupils scored as of a day by a model version.

    Attributes
    ----------
    purpose : str
        ``shown`` to teams, or ``shadow``: for monitoring only.
    shown_at : datetime or None
        When it was first stored to be shown, however often it has been stored since; None if it was not.
    capacity : str
        JSON: see ``serving.store.scores.list_capacity``; ``{}`` in lists of earlier versions of which the audit holds none.
    """

    __tablename__ = "score_lists"
    authority: Mapped[str] = mapped_column(sa.String(10), primary_key=True)
    as_of: Mapped[date] = mapped_column(primary_key=True)
    model_version: Mapped[str] = mapped_column(Version, primary_key=True)
    stored_at: Mapped[datetime]
    sources: Mapped[str] = mapped_column(sa.Text, server_default="{}")  # JSON: table -> its last known day
    silent_schools: Mapped[str] = mapped_column(sa.Text, server_default="[]")  # JSON; see serving.store.cases.silence
    thinned_at: Mapped[datetime | None]  # since when scores of it are gone: what is left is a part, and judges nothing
    purpose: Mapped[str] = mapped_column(sa.String(10), server_default="shown")
    shown_at: Mapped[datetime | None]
    capacity: Mapped[str] = mapped_column(sa.Text, server_default="{}")


class StoredKey(Base):
    """An API key; only its hash is stored."""

    __tablename__ = "keys"
    key_id: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    digest: Mapped[str] = mapped_column(sa.String(64), unique=True)
    role: Mapped[str] = mapped_column(sa.String(20))
    authority: Mapped[str | None] = mapped_column(sa.String(10))
    urns: Mapped[str] = mapped_column(sa.Text)
    names: Mapped[bool] = mapped_column(server_default=sa.false())
    holder: Mapped[str] = mapped_column(sa.String(200), server_default="")  # the name that people read
    created_at: Mapped[datetime]
    expires: Mapped[date | None]
    revoked_at: Mapped[datetime | None]


class AuditEntry(Base):
    """An audit entry: something seen, done or refused; triggers forbid changing or removing rows."""

    __tablename__ = "audit"
    seq: Mapped[int] = mapped_column(
        sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False
    )
    at: Mapped[str] = mapped_column(sa.String(32))
    who: Mapped[str] = mapped_column(Who)
    role: Mapped[str] = mapped_column(sa.String(20))
    authority: Mapped[str | None] = mapped_column(sa.String(10))
    action: Mapped[str] = mapped_column(sa.String(40))
    pupils: Mapped[str] = mapped_column(sa.Text)
    details: Mapped[str] = mapped_column(sa.Text)
    request_id: Mapped[str | None] = mapped_column(sa.String(64))
    mac: Mapped[str] = mapped_column(sa.String(64))


class CopiedLog(Base):
    """The number of lines of an external log that the audit has copied."""

    __tablename__ = "copied_logs"
    source: Mapped[str] = mapped_column(sa.String(200), primary_key=True)
    lines: Mapped[int]


class Hold(Base):
    """A legal hold: while it is in place, none of the pupil's records are removed."""

    __tablename__ = "holds"
    hold_id: Mapped[str] = mapped_column(Opaque, primary_key=True)
    pupil_id: Mapped[str] = mapped_column(PupilId, index=True)
    reason: Mapped[str] = mapped_column(sa.String(500))
    placed_at: Mapped[datetime]
    placed_by: Mapped[str] = mapped_column(Who)
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None] = mapped_column(Who)


class FormerReference(Base):
    """The audit's reference of a pupil's identifier from before the pseudonym key was rotated; older entries name the pupil by it."""

    __tablename__ = "former_references"
    pupil_id: Mapped[str] = mapped_column(PupilId, primary_key=True)
    reference: Mapped[str] = mapped_column(sa.String(24), primary_key=True)


class ShadowCount(Base):
    """Counts of pairs of risks from two model versions; rows are added, never changed."""

    __tablename__ = "shadow_counts"
    count_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    counted_at: Mapped[datetime]
    champion: Mapped[str] = mapped_column(Version)
    challenger: Mapped[str] = mapped_column(Version)
    pupils: Mapped[int]
    difference: Mapped[float]
    cells: Mapped[str] = mapped_column(sa.Text)
    __table_args__ = (sa.Index("shadow_counts_by_pair", "champion", "challenger"),)
