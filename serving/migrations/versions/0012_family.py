"""Services involved with a child, and children at the same address.

Revision ID: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "involvements",
        sa.Column("pupil_id", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("since", sa.Date, nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("pupil_id", "kind", name="pk_involvements"),
    )
    op.create_table(
        "at_home",
        sa.Column("pupil_id", sa.String(100), nullable=False),
        sa.Column("home", sa.String(32), nullable=False),
        sa.Column("possible", sa.Integer, nullable=False),
        sa.Column("missed", sa.Integer, nullable=False),
        sa.Column("until", sa.Date),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("pupil_id", name="pk_at_home"),
    )
    op.create_index("ix_at_home_home", "at_home", ["home"])
