"""Tables of cases and staff. Rows that people change have a version; a change of an older version is refused."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from serving.store.tables import Base, Opaque, PupilId, Who


class Changed:
    """Version, time and author of a row's latest change."""

    version: Mapped[int]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str] = mapped_column(Who)


class Person(Changed, Base):
    """A member of staff, as the authenticator last named them."""

    __tablename__ = "people"
    person_id: Mapped[str] = mapped_column(Who, primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    role: Mapped[str] = mapped_column(sa.String(20))
    authority: Mapped[str | None] = mapped_column(sa.String(10), index=True)
    urns: Mapped[str] = mapped_column(sa.Text)
    localities: Mapped[str] = mapped_column(sa.Text)
    team: Mapped[str | None] = mapped_column(sa.String(100))
    names: Mapped[bool] = mapped_column(server_default=sa.false())
    active: Mapped[bool]


class Case(Changed, Base):
    """A case of a pupil; a pupil has at most one open case in an authority.

    Attributes
    ----------
    authority : str
        The authority that the case belongs to; it stays when the pupil moves, until it is handed over.
    """

    __tablename__ = "cases"
    case_id: Mapped[str] = mapped_column(Opaque, primary_key=True)
    pupil_id: Mapped[str] = mapped_column(PupilId, sa.ForeignKey("pupils.pupil_id"))
    authority: Mapped[str] = mapped_column(sa.String(10), server_default="")
    owner: Mapped[str | None] = mapped_column(Who, index=True)
    opened_at: Mapped[datetime]
    opened_by: Mapped[str] = mapped_column(Who)
    snoozed_until: Mapped[date | None]
    dismissed_why: Mapped[str | None] = mapped_column(sa.String(100))
    closed_at: Mapped[datetime | None]
    closed_why: Mapped[str | None] = mapped_column(sa.String(100))


sa.Index(
    "cases_open",
    Case.__table__.c.pupil_id,
    Case.__table__.c.authority,
    unique=True,
    sqlite_where=Case.closed_at.is_(None),
    postgresql_where=Case.closed_at.is_(None),
)
sa.Index("cases_of_pupil", Case.__table__.c.pupil_id)
sa.Index(
    "cases_open_in_authority",
    Case.__table__.c.authority,
    sqlite_where=Case.closed_at.is_(None),
    postgresql_where=Case.closed_at.is_(None),
)


class CaseEntry(Base):
    """One thing done in a case; entries are added, never changed.

    Attributes
    ----------
    kind : str
        One of ``serving.store.cases.cases.KINDS``.
    version : int
        The case's version after this entry.
    on_day : date or None
        The day of a contact, action or record, or the day on which a snooze ends.
    code : str or None
        From the authority's lists: the kind of an action, the outcome of a contact, the source of an enquiry, the reason of a
        dismissal, the consent to a hand-over.
    to_person : str or None
        The new owner of the case.
    result : str or None
        Of an enquiry: from the authority's list.
    asked_by, next_turn : str or None
        Of an enquiry: ``school`` or ``authority``; ``next_turn`` is None when nobody has to ask again.
    record : str or None
        Of a record for the register of children not in school: its kind; see ``serving.store.cases.not_in_school``.
    review_on : date or None
        Of part-time education by agreement: the day of its next review.
    """

    __tablename__ = "case_entries"
    entry_id: Mapped[str] = mapped_column(Opaque, primary_key=True)
    case_id: Mapped[str] = mapped_column(Opaque, sa.ForeignKey("cases.case_id"), index=True)
    version: Mapped[int]
    kind: Mapped[str] = mapped_column(sa.String(20))
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(Who)
    on_day: Mapped[date | None]
    code: Mapped[str | None] = mapped_column(sa.String(100))
    team: Mapped[str | None] = mapped_column(sa.String(100))
    to_person: Mapped[str | None] = mapped_column(Who)
    text: Mapped[str | None] = mapped_column(sa.Text)
    result: Mapped[str | None] = mapped_column(sa.String(100))
    asked_by: Mapped[str | None] = mapped_column(sa.String(20))
    next_turn: Mapped[str | None] = mapped_column(sa.String(20))
    record: Mapped[str | None] = mapped_column(sa.String(20))
    review_on: Mapped[date | None]


class DataFault(Changed, Base):
    """A record that somebody reports as wrong, for the analyst to look into.

    Attributes
    ----------
    reason : str
        A code of the authority's list of reasons.
    text : str
        The worker's own words, which may name the child: not for the analyst.
    released : str or None
        What a lead lets the analyst read.
    """

    __tablename__ = "data_faults"
    fault_id: Mapped[str] = mapped_column(Opaque, primary_key=True)
    case_id: Mapped[str] = mapped_column(Opaque, sa.ForeignKey("cases.case_id"), index=True)
    table_name: Mapped[str] = mapped_column(sa.String(40))
    record_date: Mapped[date | None]
    reason: Mapped[str] = mapped_column(sa.String(100), server_default="")
    text: Mapped[str] = mapped_column(sa.Text)
    released: Mapped[str | None] = mapped_column(sa.Text)
    released_by: Mapped[str | None] = mapped_column(Who)
    raised_at: Mapped[datetime]
    raised_by: Mapped[str] = mapped_column(Who)
    answer: Mapped[str | None] = mapped_column(sa.Text)


class Capacity(Changed, Base):
    """A team's weekly capacity."""

    __tablename__ = "capacities"
    authority: Mapped[str] = mapped_column(sa.String(10), primary_key=True)
    team: Mapped[str] = mapped_column(sa.String(100), primary_key=True)
    per_week: Mapped[int]
