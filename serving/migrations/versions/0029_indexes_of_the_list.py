"""Indexes of what the weekly list shows: its scores, the schools of its children, open cases, and who has one of missing education.

Revision ID: 0029
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"

OF_LIST = [
    "authority",
    "as_of",
    "model_version",
    "rank",
    "urn",
    "nc_year",
    "band",
    "themes",
    "list_name",
    "replaced_at",
]


def upgrade() -> None:
    """Make two indexes anew with one more column each, and new ones of services and of open cases."""
    op.drop_index("scores_by_list", "scores")
    current = sa.text("replaced_at IS NULL")
    op.create_index("scores_by_list", "scores", OF_LIST, sqlite_where=current, postgresql_where=current)
    op.drop_index("pupils_by_place", "pupils")
    op.create_index("pupils_by_place", "pupils", ["authority", "urn", "left_from"])
    is_open = sa.text("closed_at IS NULL")
    op.create_index("cases_open_in_authority", "cases", ["authority"], sqlite_where=is_open, postgresql_where=is_open)
    op.create_index("involvements_by_kind", "involvements", ["kind", "since"])
    op.execute("ANALYZE scores")
