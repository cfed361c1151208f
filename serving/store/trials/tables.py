"""Tables of trials: who was allocated to which arm, and who was helped whatever the arm. Rows are added, never changed."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from serving.store.tables import Base, PupilId, Who

TrialName = sa.String(60)


class TrialAllocation(Base):
    """A child's arm in a trial.

    Attributes
    ----------
    unit : str
        What was allocated: the number of the child, the home or the school within the trial (``serving.trials.allocation``).
    risk : float
        On the list that the trial began with.
    """

    __tablename__ = "trial_allocations"
    trial: Mapped[str] = mapped_column(TrialName, primary_key=True)
    pupil_id: Mapped[str] = mapped_column(PupilId, primary_key=True)
    unit: Mapped[str] = mapped_column(sa.String(64))
    arm: Mapped[str] = mapped_column(sa.String(20))
    authority: Mapped[str] = mapped_column(sa.String(10))
    risk: Mapped[float]
    as_of: Mapped[date]
    allocated_at: Mapped[datetime]


class TrialException(Base):
    """A safety exception: a child who is helped now whatever the arm, and stays in the arm's analysis.

    Attributes
    ----------
    why : str
        ``deadline`` or ``social_worker``.
    """

    __tablename__ = "trial_exceptions"
    trial: Mapped[str] = mapped_column(TrialName, primary_key=True)
    pupil_id: Mapped[str] = mapped_column(PupilId, primary_key=True)
    why: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str] = mapped_column(Who)


class RandomCheck(Base):
    """A child below the cut whom the lot drew for a check: no sign of risk.

    Attributes
    ----------
    band : int
        Part of the list, counted from 0 at the cut.
    number : int
        Of the child within the band, by which the lot drew it (``serving.trials.checks.drawing``).
    chance : float
        The probability of being drawn.
    until : date
        The day after the last one on which what a worker records counts.
    """

    __tablename__ = "random_checks"
    plan: Mapped[str] = mapped_column(TrialName, primary_key=True)
    pupil_id: Mapped[str] = mapped_column(PupilId, primary_key=True)
    band: Mapped[int]
    number: Mapped[int]
    chance: Mapped[float]
    authority: Mapped[str] = mapped_column(sa.String(10))
    as_of: Mapped[date]
    drawn_on: Mapped[date]
    until: Mapped[date]
    drawn_at: Mapped[datetime]
