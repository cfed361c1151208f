"""Who holds a key, by name.

Revision ID: 0018
"""

from collections import Counter
from datetime import UTC

import sqlalchemy as sa
from alembic import op

from histories.calendar import london_day

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Add the holder to keys; one made before is named by its role, its day and a number, and so is who signed in with it."""
    op.add_column("keys", sa.Column("holder", sa.String(200), nullable=False, server_default=""))
    created_at = sa.column("created_at", sa.DateTime(timezone=True))
    keys = sa.table("keys", sa.column("key_id"), sa.column("role"), created_at, sa.column("holder"))
    named = [sa.table(name, sa.column("person_id"), sa.column("name")) for name in ("people", "sessions")]
    connection, numbers = op.get_bind(), Counter[str]()
    query = sa.select(keys.c.key_id, keys.c.role, created_at).order_by(created_at, keys.c.key_id)
    for key_id, role, at in connection.execute(query).all():
        name = f"{role} key of {london_day(at if at.tzinfo else at.replace(tzinfo=UTC))}"
        numbers[name] += 1
        holder = name if numbers[name] == 1 else f"{name}, number {numbers[name]}"
        connection.execute(sa.update(keys).where(keys.c.key_id == key_id).values(holder=holder))
        for table in named:
            connection.execute(sa.update(table).where(table.c.person_id == key_id).values(name=holder))
