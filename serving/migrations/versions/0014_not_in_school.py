"""Records for the register of children not in school.

Revision ID: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the columns of a record to the entries of cases."""
    op.add_column("case_entries", sa.Column("record", sa.String(20)))
    op.add_column("case_entries", sa.Column("review_on", sa.Date))
