"""Reasonable enquiries about where a child is.

Revision ID: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the columns of an enquiry to the entries of cases."""
    op.add_column("case_entries", sa.Column("result", sa.String(100)))
    op.add_column("case_entries", sa.Column("asked_by", sa.String(20)))
    op.add_column("case_entries", sa.Column("next_turn", sa.String(20)))
