"""The year group that the roll has a pupil in, which may be another than that by age.

Revision ID: 0030
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """Add the column; the next scoring fills it. Until then year groups are named by age, and pages say so."""
    op.add_column("pupils", sa.Column("roll_year", sa.Integer))
