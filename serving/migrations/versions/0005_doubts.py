"""Doubts about records: a chosen reason, and the text that a lead releases to the analyst.

Revision ID: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the columns; the text of earlier doubts is not released."""
    op.add_column("data_faults", sa.Column("reason", sa.String(100), nullable=False, server_default=""))
    op.add_column("data_faults", sa.Column("released", sa.Text))
    op.add_column("data_faults", sa.Column("released_by", sa.String(200)))
