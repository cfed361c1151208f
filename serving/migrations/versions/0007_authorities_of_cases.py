"""Cases belong to an authority.

Revision ID: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Give each case to the authority of whoever opened it, or of its pupil if that is not known."""
    op.add_column("cases", sa.Column("authority", sa.String(10), nullable=False, server_default=""))
    op.execute(
        "UPDATE cases SET authority = COALESCE("
        "(SELECT people.authority FROM people WHERE people.person_id = cases.opened_by), "
        "(SELECT pupils.authority FROM pupils WHERE pupils.pupil_id = cases.pupil_id), '')"
    )
    op.drop_index("cases_open", "cases")
    op.create_index(
        "cases_open",
        "cases",
        ["pupil_id", "authority"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
