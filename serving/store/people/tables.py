"""The table of personal details: ciphertext only."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from serving.store.tables import Base, PupilId


class StoredDetails(Base):
    """A child's personal details, encrypted.

    Attributes
    ----------
    key_id : str
        Which key encrypted them.
    """

    __tablename__ = "personal_details"
    pupil_id: Mapped[str] = mapped_column(PupilId, primary_key=True)
    key_id: Mapped[str] = mapped_column(sa.String(16), index=True)
    sealed: Mapped[bytes] = mapped_column(sa.LargeBinary)
    stored_at: Mapped[datetime]
