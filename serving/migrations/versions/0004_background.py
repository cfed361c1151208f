"""Casework data: schools' names, children's histories, deadlines, moves to secondary school, children who went missing.

Revision ID: 0004
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables, and add to scores the themes of their first reasons."""
    op.add_column("scores", sa.Column("themes", sa.String(300), nullable=False, server_default=""))
    cut, now = ["urn", "nc_year", "band", "themes"], _while("replaced_at")
    for name, first in (
        ("scores_by_list", ["authority", "as_of", "model_version", "rank"]),
        ("scores_of_all", ["as_of", "model_version", "rank", "authority"]),
    ):
        op.drop_index(name, "scores")
        op.create_index(name, "scores", [*first, *cut], **now)
    op.add_column("score_lists", sa.Column("sources", sa.Text, nullable=False, server_default="{}"))
    op.create_table(
        "schools",
        sa.Column("urn", sa.String(20), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("phase", sa.String(20), nullable=False),
        sa.PrimaryKeyConstraint("urn", name="pk_schools"),
    )
    op.create_table(
        "backgrounds",
        _pupil(),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("pupil_id", name="pk_backgrounds"),
    )
    _clocks()
    op.create_table(
        "crossings",
        _pupil(),
        sa.Column("entry_year", sa.Integer, nullable=False),
        sa.Column("from_urn", sa.String(20), nullable=False),
        sa.Column("to_urn", sa.String(20)),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("missed_days", sa.Integer, nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("pupil_id", "entry_year", name="pk_crossings"),
    )
    op.create_table(
        "gone",
        _pupil(),
        sa.Column("on_day", sa.Date, nullable=False),
        sa.Column("how", sa.String(20), nullable=False),
        sa.Column("known_on", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("pupil_id", "on_day", name="pk_gone"),
    )
    op.create_index("gone_by_day", "gone", ["on_day"])


def _pupil() -> sa.Column[Any]:
    return sa.Column("pupil_id", sa.String(100), nullable=False)


def _clocks() -> None:
    op.create_table(
        "clocks",
        sa.Column("clock_id", sa.String(32), nullable=False),
        _pupil(),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("urn", sa.String(20), nullable=False),
        sa.Column("started_on", sa.Date, nullable=False),
        sa.Column("due_on", sa.Date, nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.Column("stopped_at", MOMENT),
        sa.Column("stopped_how", sa.String(20)),
        sa.Column("stopped_text", sa.Text),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("changed_by", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("clock_id", name="pk_clocks"),
        sa.UniqueConstraint("pupil_id", "kind", "started_on", name="uq_clocks_pupil_id"),
    )
    op.create_index("clocks_running", "clocks", ["due_on"], **_while("stopped_at"))


def _while(column: str) -> dict[str, Any]:
    return {k: sa.text(f"{column} IS NULL") for k in ("sqlite_where", "postgresql_where")}
