"""When a pupil left the last roll, and where to.

Revision ID: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Add the columns; the next scoring fills them."""
    op.add_column("pupils", sa.Column("left_on", sa.Date))
    op.add_column("pupils", sa.Column("left_to", sa.String(20)))
