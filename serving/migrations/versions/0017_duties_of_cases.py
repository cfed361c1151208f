"""A duty that a record for the register began belongs to the case of that record, and so to its authority.

Revision ID: 0017
"""

import json
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
    """Give each duty to the newest case that began it in each authority.

    The row goes to the authority that stopped it, or to the last that began it. The others get a duty of their own that runs, without
    text: who did not say that it was done decides that.
    """
    tables = sa.MetaData()
    tables.reflect(connection, only=["clocks", "cases", "case_entries", "audit"])
    clocks, cases, entries = (tables.tables[name] for name in ("clocks", "cases", "case_entries"))
    for record, kind in DUTIES.items():
        begun = (
            sa.select(clocks, cases.c.case_id.label("of"), cases.c.authority, entries.c.at, entries.c.by)
            .add_columns(entries.c.review_on)
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
            last = next(reversed(of_authority))
            owner = last if len(of_authority) == 1 else _stopper(connection, tables, of_authority[last])
            kept = of_authority.pop(owner if owner in of_authority else last)
            connection.execute(clocks.update().where(clocks.c.clock_id == clock_id).values(case_id=kept["of"]))
            if of_authority:
                connection.execute(clocks.insert(), [_running(clocks, row) for row in of_authority.values()])


def _stopper(connection: sa.Connection, tables: sa.MetaData, duty: Any) -> str | None:
    """Return the authority that stopped a duty: of the record that ended it, or of the audit's entry."""
    if duty["stopped_at"] is None:
        return None
    cases, entries, audit = (tables.tables[name] for name in ("cases", "case_entries", "audit"))
    if duty["stopped_how"] == "record":
        ended = sa.select(cases.c.authority).join(entries, entries.c.case_id == cases.c.case_id)
        same = (cases.c.pupil_id == duty["pupil_id"], entries.c.kind == "register", entries.c.at == duty["stopped_at"])
        return connection.scalar(ended.where(*same))
    stops = sa.select(audit.c.authority, audit.c.details).where(audit.c.action == "clock.stopped").order_by(audit.c.seq)
    of_clock = {json.loads(details).get("clock_id"): authority for authority, details in connection.execute(stops)}
    return of_clock.get(duty["clock_id"])


def _running(clocks: sa.Table, row: Any) -> dict[str, Any]:
    """Return an authority's own duty as its record began it."""
    return {
        **{c.name: row[c.name] for c in clocks.c},
        "clock_id": secrets.token_hex(16),
        "case_id": row["of"],
        "due_on": row["review_on"] or row["due_on"],
        "stopped_at": None,
        "stopped_how": None,
        "stopped_text": None,
        "version": 1,
        "changed_at": row["at"],
        "changed_by": row["by"],
    }
