"""Who holds a key, by name.

Revision ID: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Add the holder to keys; one made before is named by its role and its day, and so is who signed in with it."""
    op.add_column("keys", sa.Column("holder", sa.String(200), nullable=False, server_default=""))
    keys = sa.table("keys", *(sa.column(c) for c in ("key_id", "role", "created_at", "holder")))
    people = sa.table("people", sa.column("person_id"), sa.column("name"))
    sessions = sa.table("sessions", sa.column("person_id"), sa.column("name"))
    connection = op.get_bind()
    for key_id, role, created_at in connection.execute(sa.select(keys.c.key_id, keys.c.role, keys.c.created_at)).all():
        holder = f"{role} key of {str(created_at)[:10]}"
        connection.execute(sa.update(keys).where(keys.c.key_id == key_id).values(holder=holder))
        for table in (people, sessions):
            connection.execute(sa.update(table).where(table.c.person_id == key_id).values(name=holder))
