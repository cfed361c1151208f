"""Encrypted personal details, and the right to see them.

Revision ID: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Create the table, and add the right to keys, sessions and members of staff."""
    op.create_table(
        "personal_details",
        sa.Column("pupil_id", sa.String(100), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("pupil_id", name="pk_personal_details"),
    )
    op.create_index("ix_personal_details_key_id", "personal_details", ["key_id"])
    for table in ("keys", "sessions", "people"):
        op.add_column(table, sa.Column("names", sa.Boolean, nullable=False, server_default=sa.false()))
