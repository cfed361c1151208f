"""Lists of which retention has removed scores are complete no longer.

Revision ID: 0025
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0022"
HELD_ONLY = """
UPDATE score_lists SET thinned_at = CURRENT_TIMESTAMP WHERE NOT EXISTS (
    SELECT 1 FROM scores WHERE scores.authority = score_lists.authority AND scores.as_of = score_lists.as_of
    AND scores.model_version = score_lists.model_version AND scores.replaced_at IS NULL
    AND scores.pupil_id NOT IN (SELECT pupil_id FROM holds WHERE lifted_at IS NULL))
"""


def upgrade() -> None:
    """Add the day on which a list lost scores; of lists of before it is known only that those with held children alone did."""
    op.add_column("score_lists", sa.Column("thinned_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(HELD_ONLY)
