"""Scores, keys and the shadow's counts: the schema before there were migrations, so that earlier databases can be upgraded.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create missing tables."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "scores",
        sa.Column("pupil_id", sa.String(100), primary_key=True),
        sa.Column("as_of", sa.Date, primary_key=True),
        sa.Column("model_version", sa.String(40), primary_key=True),
        sa.Column("authority", sa.String(10), nullable=False),
        sa.Column("urn", sa.String(20), nullable=False),
        sa.Column("nc_year", sa.Integer, nullable=False),
        sa.Column("band", sa.String(20), nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("risk", sa.Double, nullable=False),
        sa.Column("stored_at", moment, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "keys",
        sa.Column("key_id", sa.String(16), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("authority", sa.String(10)),
        sa.Column("urns", sa.Text, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("expires", sa.Date),
        sa.Column("revoked", sa.Boolean, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "shadow_counts",
        sa.Column("count_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("counted_at", moment, nullable=False),
        sa.Column("champion", sa.String(40), nullable=False),
        sa.Column("challenger", sa.String(40), nullable=False),
        sa.Column("pupils", sa.Integer, nullable=False),
        sa.Column("difference", sa.Double, nullable=False),
        sa.Column("cells", sa.Text, nullable=False),
        if_not_exists=True,
    )
    op.create_index("shadow_counts_by_pair", "shadow_counts", ["champion", "challenger"], if_not_exists=True)
