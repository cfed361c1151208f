"""Allocations and safety exceptions of trials.

Revision ID: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "trial_allocations",
        sa.Column("trial", sa.String(60), nullable=False),
        sa.Column("pupil_id", sa.String(100), nullable=False),
        sa.Column("unit", sa.String(64), nullable=False),
        sa.Column("arm", sa.String(20), nullable=False),
        sa.Column("authority", sa.String(10), nullable=False),
        sa.Column("risk", sa.Double, nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.Column("allocated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("trial", "pupil_id", name="pk_trial_allocations"),
    )
    op.create_table(
        "trial_exceptions",
        sa.Column("trial", sa.String(60), nullable=False),
        sa.Column("pupil_id", sa.String(100), nullable=False),
        sa.Column("why", sa.String(20), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("trial", "pupil_id", "why", name="pk_trial_exceptions"),
    )
