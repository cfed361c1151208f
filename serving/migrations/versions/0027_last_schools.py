"""The authority of the last school, of a pupil on no roll who lives in another.

Revision ID: 0027
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Add the column; the next scoring fills it, and moves such pupils to the authority where they live."""
    op.add_column("pupils", sa.Column("left_from", sa.String(10)))
