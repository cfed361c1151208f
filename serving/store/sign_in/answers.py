"""Answers of the identity provider that were taken: each is taken once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from serving.store.database import writing
from serving.store.sign_in.sessions import digest_of
from serving.store.tables import Base

KEEP_FOR = timedelta(hours=1)  # longer than any attempt counts (serving.access.attempt)


class TakenAnswer(Base):
    """The hash of the state of an answer."""

    __tablename__ = "taken_answers"
    digest: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    taken_at: Mapped[datetime]


def take_once(engine: sa.Engine, state: str) -> bool:
    """Take an answer, and return whether it was the first time, whichever worker asks."""
    now = datetime.now(UTC)
    try:
        with writing(engine) as connection:
            connection.execute(sa.delete(TakenAnswer).where(TakenAnswer.taken_at < now - KEEP_FOR))
            connection.execute(sa.insert(TakenAnswer), {"digest": digest_of(state), "taken_at": now})
    except sa.exc.IntegrityError:
        return False
    return True
