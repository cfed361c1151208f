"""Children on no roll.

Revision ID: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "off_roll",
        sa.Column("pupil_id", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("since", sa.Date),
        sa.Column("urn", sa.String(20), nullable=False),
        sa.Column("to_urn", sa.String(20)),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("pupil_id", name="pk_off_roll"),
    )
