"""Registers that stopped: of children, and of whole schools.

Revision ID: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Create the table, and add the silent schools to lists; the next scoring fills both."""
    op.create_table(
        "silent_registers",
        sa.Column("pupil_id", sa.String(100), nullable=False),
        sa.Column("since", sa.Date, nullable=False),
        sa.Column("days", sa.Integer, nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("pupil_id", name="pk_silent_registers"),
    )
    op.add_column("score_lists", sa.Column("silent_schools", sa.Text, nullable=False, server_default="[]"))
