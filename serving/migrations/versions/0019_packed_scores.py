"""Scores are packed, and the list that a score is on has a column of its own.

Revision ID: 0019
"""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

from serving.store.packed import pack

revision = "0019"
down_revision = "0018"
BATCH = 1000
CURRENT = sa.text("replaced_at IS NULL")
FILTERS = ["urn", "nc_year", "band", "themes", "list_name"]


def upgrade() -> None:
    """Pack the scores there are, and let the list's indexes hold the list."""
    op.add_column("scores", sa.Column("list_name", sa.String(20)))
    op.add_column("scores", sa.Column("packed", sa.LargeBinary, nullable=False, server_default=sa.text("''")))
    _pack(op.get_bind())
    for name, first in (
        ("scores_by_list", ["authority", "as_of", "model_version", "rank"]),
        ("scores_of_all", ["as_of", "model_version", "rank", "authority"]),
    ):
        op.drop_index(name, "scores")
        op.create_index(name, "scores", [*first, *FILTERS], sqlite_where=CURRENT, postgresql_where=CURRENT)
    op.drop_column("scores", "body")
    op.alter_column("scores", "packed", new_column_name="body")


def _pack(connection: sa.Connection) -> None:
    columns: list[sa.ColumnClause[Any]] = [sa.column(name) for name in ("score_id", "body", "packed", "list_name")]
    scores, after = sa.table("scores", *columns), ""
    query = sa.select(scores.c.score_id, scores.c.body).order_by(scores.c.score_id).limit(BATCH)
    change = sa.update(scores).where(scores.c.score_id == sa.bindparam("of"))
    change = change.values(packed=sa.bindparam("now", type_=sa.LargeBinary), list_name=sa.bindparam("on"))
    while rows := connection.execute(query.where(scores.c.score_id > after)).all():
        packed = [{"of": key, "now": pack(body), "on": json.loads(body).get("list")} for key, body in rows]
        connection.execute(change, packed)
        after = rows[-1].score_id
