"""The audit's references of pupils from before a rotation of the pseudonym key.

Revision ID: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "former_references",
        sa.Column("pupil_id", sa.String(100), nullable=False),
        sa.Column("reference", sa.String(24), nullable=False),
        sa.PrimaryKeyConstraint("pupil_id", "reference", name="pk_former_references"),
    )
