"""When teams were first shown a list: what was promised stands from then on, however often the list is stored again.

Revision ID: 0032
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    """Add the column: a list that is shown counts as shown since its first score was stored, also one that was replaced since."""
    op.add_column("score_lists", sa.Column("shown_at", sa.DateTime(timezone=True), nullable=True))
    connection, tables = op.get_bind(), sa.MetaData()
    tables.reflect(connection, only=["score_lists", "scores"])
    lists, scores = tables.tables["score_lists"], tables.tables["scores"]
    place = ("authority", "as_of", "model_version")
    columns = [scores.c[name] for name in place]
    first = connection.execute(sa.select(*columns, sa.func.min(scores.c.stored_at)).group_by(*columns)).all()
    for *of_list, stored_at in first:
        same = [lists.c[name] == value for name, value in zip(place, of_list, strict=True)]
        connection.execute(sa.update(lists).where(*same, lists.c.purpose == "shown").values(shown_at=stored_at))
    rest = (lists.c.purpose == "shown", lists.c.shown_at.is_(None))
    connection.execute(sa.update(lists).where(*rest).values(shown_at=lists.c.stored_at))
