"""What a list was stored for, and the capacity that it was made with.

Revision ID: 0026
"""

import json
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Add the columns: earlier lists count as shown, with the capacity that the audit holds from before they were stored, if it does."""
    op.add_column("score_lists", sa.Column("purpose", sa.String(10), nullable=False, server_default="shown"))
    op.add_column("score_lists", sa.Column("capacity", sa.Text, nullable=False, server_default="{}"))
    connection = op.get_bind()
    tables = sa.MetaData()
    tables.reflect(connection, only=["score_lists", "audit"])
    lists, audit = tables.tables["score_lists"], tables.tables["audit"]
    query = sa.select(audit.c.at, audit.c.authority, audit.c.details).where(audit.c.action == "capacity.set")
    entries = [(r.at, r.authority, json.loads(r.details)) for r in connection.execute(query.order_by(audit.c.seq))]
    for row in connection.execute(sa.select(lists)).all() if entries else ():
        before = [(team["team"], team["per_week"]) for at, authority, team in entries if _is_before(at, authority, row)]
        if before:
            same = [lists.c[name] == row._mapping[name] for name in ("authority", "as_of", "model_version")]
            connection.execute(sa.update(lists).where(*same).values(capacity=json.dumps({"teams": dict(before)})))


def _is_before(at: str, authority: str | None, row: sa.Row) -> bool:
    # SQLite keeps UTC without saying so; PostgreSQL answers in the time zone of its server.
    stored_at = row.stored_at if row.stored_at.tzinfo else row.stored_at.replace(tzinfo=UTC)
    return authority == row.authority and datetime.fromisoformat(at) <= stored_at
