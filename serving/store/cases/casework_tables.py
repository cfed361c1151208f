"""Casework data beside the scores, from the histories of the newest scoring."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from serving.store.cases.tables import Changed
from serving.store.tables import Base, Opaque, PupilId

Urn = sa.String(20)


class School(Base):
    """A school's name."""

    __tablename__ = "schools"
    urn: Mapped[str] = mapped_column(Urn, primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    phase: Mapped[str] = mapped_column(sa.String(20))


class StoredHistory(Base):
    """A child's history as JSON; see ``serving.casework.history``."""

    __tablename__ = "backgrounds"
    pupil_id: Mapped[str] = mapped_column(PupilId, primary_key=True)
    as_of: Mapped[date]
    body: Mapped[str] = mapped_column(sa.Text)


class StoredDeadline(Changed, Base):
    """A duty with its due day.

    Attributes
    ----------
    kind : str
        One of the clocks in ``pages.toml``.
    stopped_how : str or None
        ``data`` when the histories show that it is done, ``person`` when somebody said so, ``record`` when a record for the
        register of children not in school shows it.
    case_id : str
        The case of the record that began it, and so its authority; "" where the histories began it.
    """

    __tablename__ = "clocks"
    clock_id: Mapped[str] = mapped_column(Opaque, primary_key=True)
    pupil_id: Mapped[str] = mapped_column(PupilId)
    kind: Mapped[str] = mapped_column(sa.String(40))
    urn: Mapped[str] = mapped_column(Urn)
    started_on: Mapped[date]
    due_on: Mapped[date]
    as_of: Mapped[date]
    stopped_at: Mapped[datetime | None]
    stopped_how: Mapped[str | None] = mapped_column(sa.String(20))
    stopped_text: Mapped[str | None] = mapped_column(sa.Text)
    case_id: Mapped[str] = mapped_column(Opaque, server_default="")
    __table_args__ = (sa.UniqueConstraint("pupil_id", "kind", "started_on", "case_id"),)


_running = StoredDeadline.__table__.c.stopped_at.is_(None)
sa.Index("clocks_running", StoredDeadline.__table__.c.due_on, sqlite_where=_running, postgresql_where=_running)


class StoredTransition(Base):
    """A child's move from primary to secondary school.

    Attributes
    ----------
    state : str
        One of ``serving.casework.transitions.STATES``.
    missed_days : int
        School days missed since the first day at the new school.
    """

    __tablename__ = "crossings"
    pupil_id: Mapped[str] = mapped_column(PupilId, primary_key=True)
    entry_year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    from_urn: Mapped[str] = mapped_column(Urn)
    to_urn: Mapped[str | None] = mapped_column(Urn)
    state: Mapped[str] = mapped_column(sa.String(20))
    missed_days: Mapped[int]
    as_of: Mapped[date]


class StoredMissing(Base):
    """A child who went missing from education, according to the histories."""

    __tablename__ = "gone"
    pupil_id: Mapped[str] = mapped_column(PupilId, primary_key=True)
    on_day: Mapped[date] = mapped_column(primary_key=True)
    how: Mapped[str] = mapped_column(sa.String(20))
    known_on: Mapped[date]


sa.Index("gone_by_day", StoredMissing.__table__.c.on_day)


class StoredOffRoll(Base):
    """A child of school age on no roll; see ``serving.casework.no_roll``."""

    __tablename__ = "off_roll"
    pupil_id: Mapped[str] = mapped_column(PupilId, primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(20))
    since: Mapped[date | None]
    urn: Mapped[str] = mapped_column(Urn)
    to_urn: Mapped[str | None] = mapped_column(Urn)
    as_of: Mapped[date]


class StoredInvolvement(Base):
    """A service that is involved with a child; see ``serving.casework.family``."""

    __tablename__ = "involvements"
    pupil_id: Mapped[str] = mapped_column(PupilId, primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    since: Mapped[date]
    as_of: Mapped[date]
    __table_args__ = (sa.Index("involvements_by_kind", "kind", "since"),)


class StoredAtHome(Base):
    """A child who shares an address with other children; see ``serving.casework.family``."""

    __tablename__ = "at_home"
    pupil_id: Mapped[str] = mapped_column(PupilId, primary_key=True)
    home: Mapped[str] = mapped_column(Opaque, index=True)
    possible: Mapped[int]
    missed: Mapped[int]
    until: Mapped[date | None]
    as_of: Mapped[date]


class StoredSilence(Base):
    """A child who is no longer marked while the school marks others; see ``serving.casework.silence``."""

    __tablename__ = "silent_registers"
    pupil_id: Mapped[str] = mapped_column(PupilId, primary_key=True)
    since: Mapped[date]
    days: Mapped[int]
    as_of: Mapped[date]


OF_PUPILS: tuple[Any, ...] = (
    StoredHistory,
    StoredDeadline,
    StoredTransition,
    StoredMissing,
    StoredOffRoll,
    StoredInvolvement,
    StoredAtHome,
    StoredSilence,
)
