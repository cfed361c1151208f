"""An index of the few pupils whom the roll has in another year group than that by age, which the filter of the list looks up.

Revision ID: 0031
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Make the index."""
    moved = sa.text("roll_year <> nc_year")
    columns = ["pupil_id", "roll_year", "nc_year"]
    op.create_index("pupils_of_other_years", "pupils", columns, sqlite_where=moved, postgresql_where=moved)
