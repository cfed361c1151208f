"""A duty that a record for the register began belongs to the case of that record, and so to its authority.

Revision ID: 0017
"""

import secrets
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

# The duty of each kind of record that begins one, and the codes that end it.
DUTIES = {"home_education": "home_education", "part_time": "part_time_review", "consent": "consent"}
ENDS = {
    "home_education": ("on_register", "ended"),
    "part_time": ("ended",),
    "consent": ("given", "refused", "withdrawn"),
}
RUNNING = sa.text("stopped_at IS NULL")


def upgrade() -> None:
    """Add the case, let two cases have a duty of the same day, and give each its own."""
    op.drop_index("clocks_running", "clocks")
    with op.batch_alter_table("clocks") as clocks:
        clocks.add_column(sa.Column("case_id", sa.String(32), nullable=False, server_default=""))
        clocks.drop_constraint("uq_clocks_pupil_id", type_="unique")
        clocks.create_unique_constraint("uq_clocks_pupil_id", ["pupil_id", "kind", "started_on", "case_id"])
    op.create_index("clocks_running", "clocks", ["due_on"], sqlite_where=RUNNING, postgresql_where=RUNNING)
    _give_to_cases(op.get_bind())


def _give_to_cases(connection: sa.Connection) -> None:
    """Give each duty to the newest case that began it in each authority: the row to the last of them, copies to the others."""
    tables = sa.MetaData()
    tables.reflect(connection, only=["clocks", "cases", "case_entries"])
    clocks, cases, entries = (tables.tables[name] for name in ("clocks", "cases", "case_entries"))
    for record, kind in DUTIES.items():
        begun = (
            sa.select(clocks, cases.c.case_id.label("of"), cases.c.authority)
            .join(cases, cases.c.pupil_id == clocks.c.pupil_id)
            .join(entries, entries.c.case_id == cases.c.case_id)
            .where(clocks.c.kind == kind, entries.c.kind == "register", entries.c.record == record)
            .where(entries.c.on_day == clocks.c.started_on, entries.c.code.not_in(ENDS[record]))
            .order_by(entries.c.at)
        )
        of_duty: dict[str, dict[str, Any]] = {}
        for row in connection.execute(begun).mappings():
            of_authority = of_duty.setdefault(row["clock_id"], {})
            of_authority.pop(row["authority"], None)  # the newest stands last
            of_authority[row["authority"]] = row
        for clock_id, of_authority in of_duty.items():
            *others, last = of_authority.values()
            connection.execute(clocks.update().where(clocks.c.clock_id == clock_id).values(case_id=last["of"]))
            copies = [
                {**{c.name: row[c.name] for c in clocks.c}, "clock_id": secrets.token_hex(16), "case_id": row["of"]}
                for row in others
            ]
            if copies:
                connection.execute(clocks.insert(), copies)
