"""What scores are made again from: a model, its words and the order of the numbers that are kept of each child.

Revision ID: 0028
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Add the table, and take the filters out of the index for all authorities; scores that are stored already stay as they are."""
    op.create_table(
        "score_recipes",
        sa.Column("recipe", sa.String(16), primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.drop_index("scores_of_all", "scores")
    columns, current = ["as_of", "model_version", "rank", "authority"], sa.text("replaced_at IS NULL")
    op.create_index("scores_of_all", "scores", columns, sqlite_where=current, postgresql_where=current)
