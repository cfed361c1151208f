"""Children below the cut who were drawn by lot for a check.

Revision ID: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "random_checks",
        sa.Column("plan", sa.String(60), nullable=False),
        sa.Column("pupil_id", sa.String(100), nullable=False),
        sa.Column("band", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("chance", sa.Double, nullable=False),
        sa.Column("authority", sa.String(10), nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.Column("drawn_on", sa.Date, nullable=False),
        sa.Column("until", sa.Date, nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("plan", "pupil_id", name="pk_random_checks"),
    )
