"""The audit, pupils with references, scores with the digests of their inputs, cases, staff, holds.

Revision ID: 0002
"""

import json
import secrets
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
BATCH = 500
SQLITE_TRIGGERS = """
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END
"""
POSTGRESQL_TRIGGERS = """
CREATE FUNCTION audit_only_added() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'the audit is only added to'; END $$;
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_only_added();
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_only_added();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_only_added()
"""
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the new tables, and migrate scores and keys."""
    op.drop_index("ix_scores_authority", if_exists=True)
    op.drop_index("scores_by_list", if_exists=True)
    op.rename_table("scores", "scores_before")
    op.rename_table("keys", "keys_before")
    _audit()
    _pupils_and_scores()
    _keys_and_holds()
    _people_and_capacities()
    _cases()
    _carry_scores()
    _carry_keys()
    op.drop_table("scores_before")
    op.drop_table("keys_before")


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("authority", sa.String(10)),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("pupils", sa.Text, nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sa.Column("request_id", sa.String(64)),
        sa.Column("mac", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
    )
    op.create_table(
        "copied_logs",
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("lines", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("source", name="pk_copied_logs"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(POSTGRESQL_TRIGGERS)
    else:
        for trigger in SQLITE_TRIGGERS.strip().split(";\n"):
            op.execute(trigger)


def _pupils_and_scores() -> None:
    op.create_table(
        "pupils",
        sa.Column("pupil_id", sa.String(100), nullable=False),
        sa.Column("pupil_ref", sa.String(32), nullable=False),
        sa.Column("authority", sa.String(10), nullable=False),
        sa.Column("urn", sa.String(20), nullable=False),
        sa.Column("nc_year", sa.Integer, nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("pupil_id", name="pk_pupils"),
        sa.UniqueConstraint("pupil_ref", name="uq_pupils_pupil_ref"),
    )
    op.create_index("pupils_by_place", "pupils", ["authority", "urn"])
    op.create_table(
        "scores",
        sa.Column("score_id", sa.String(32), nullable=False),
        sa.Column("pupil_id", sa.String(100), nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.Column("model", sa.String(100), nullable=False),
        sa.Column("model_version", sa.String(40), nullable=False),
        sa.Column("definition", sa.String(100), nullable=False),
        sa.Column("horizon_days", sa.Integer, nullable=False),
        sa.Column("catalogue_digest", sa.String(64), nullable=False),
        sa.Column("features_digest", sa.String(64), nullable=False),
        sa.Column("authority", sa.String(10), nullable=False),
        sa.Column("urn", sa.String(20), nullable=False),
        sa.Column("nc_year", sa.Integer, nullable=False),
        sa.Column("band", sa.String(20), nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("risk", sa.Double, nullable=False),
        sa.Column("stored_at", MOMENT, nullable=False),
        sa.Column("replaced_at", MOMENT),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("score_id", name="pk_scores"),
    )
    cut = ["urn", "nc_year", "band"]
    now: Any = {k: sa.text("replaced_at IS NULL") for k in ("sqlite_where", "postgresql_where")}
    op.create_index("scores_by_list", "scores", ["authority", "as_of", "model_version", "rank", *cut], **now)
    op.create_index("scores_of_all", "scores", ["as_of", "model_version", "rank", "authority", *cut], **now)
    op.create_index("scores_by_pupil", "scores", ["pupil_id", "as_of", "model_version"], unique=True, **now)
    op.create_index("scores_of_pupil", "scores", ["pupil_id", "as_of"])
    op.create_index("scores_by_age", "scores", ["stored_at"])
    op.create_table(
        "score_lists",
        sa.Column("authority", sa.String(10), nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.Column("model_version", sa.String(40), nullable=False),
        sa.Column("stored_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("authority", "as_of", "model_version", name="pk_score_lists"),
    )


def _keys_and_holds() -> None:
    op.create_table(
        "keys",
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("authority", sa.String(10)),
        sa.Column("urns", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires", sa.Date),
        sa.Column("revoked_at", MOMENT),
        sa.PrimaryKeyConstraint("key_id", name="pk_keys"),
        sa.UniqueConstraint("digest", name="uq_keys_digest"),
    )
    op.create_table(
        "holds",
        sa.Column("hold_id", sa.String(32), nullable=False),
        sa.Column("pupil_id", sa.String(100), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("placed_at", MOMENT, nullable=False),
        sa.Column("placed_by", sa.String(200), nullable=False),
        sa.Column("lifted_at", MOMENT),
        sa.Column("lifted_by", sa.String(200)),
        sa.PrimaryKeyConstraint("hold_id", name="pk_holds"),
    )
    op.create_index("ix_holds_pupil_id", "holds", ["pupil_id"])


def _changed() -> list[sa.Column[Any]]:
    return [
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("changed_by", sa.String(200), nullable=False),
    ]


def _people_and_capacities() -> None:
    op.create_table(
        "people",
        sa.Column("person_id", sa.String(200), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("authority", sa.String(10)),
        sa.Column("urns", sa.Text, nullable=False),
        sa.Column("localities", sa.Text, nullable=False),
        sa.Column("team", sa.String(100)),
        sa.Column("active", sa.Boolean, nullable=False),
        *_changed(),
        sa.PrimaryKeyConstraint("person_id", name="pk_people"),
    )
    op.create_index("ix_people_authority", "people", ["authority"])
    op.create_table(
        "capacities",
        sa.Column("authority", sa.String(10), nullable=False),
        sa.Column("team", sa.String(100), nullable=False),
        sa.Column("per_week", sa.Integer, nullable=False),
        *_changed(),
        sa.PrimaryKeyConstraint("authority", "team", name="pk_capacities"),
    )


def _cases() -> None:
    op.create_table(
        "cases",
        sa.Column("case_id", sa.String(32), nullable=False),
        sa.Column("pupil_id", sa.String(100), nullable=False),
        sa.Column("owner", sa.String(200)),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("opened_by", sa.String(200), nullable=False),
        sa.Column("snoozed_until", sa.Date),
        sa.Column("dismissed_why", sa.String(100)),
        sa.Column("closed_at", MOMENT),
        sa.Column("closed_why", sa.String(100)),
        *_changed(),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.pupil_id"], name="fk_cases_pupil_id"),
        sa.PrimaryKeyConstraint("case_id", name="pk_cases"),
    )
    op.create_index("cases_of_pupil", "cases", ["pupil_id"])
    now: Any = {k: sa.text("closed_at IS NULL") for k in ("sqlite_where", "postgresql_where")}
    op.create_index("cases_open", "cases", ["pupil_id"], unique=True, **now)
    op.create_index("ix_cases_owner", "cases", ["owner"])
    op.create_table(
        "case_entries",
        sa.Column("entry_id", sa.String(32), nullable=False),
        sa.Column("case_id", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("on_day", sa.Date),
        sa.Column("code", sa.String(100)),
        sa.Column("team", sa.String(100)),
        sa.Column("to_person", sa.String(200)),
        sa.Column("text", sa.Text),
        sa.ForeignKeyConstraint(["case_id"], ["cases.case_id"], name="fk_case_entries_case_id"),
        sa.PrimaryKeyConstraint("entry_id", name="pk_case_entries"),
    )
    op.create_index("ix_case_entries_case_id", "case_entries", ["case_id"])
    op.create_table(
        "data_faults",
        sa.Column("fault_id", sa.String(32), nullable=False),
        sa.Column("case_id", sa.String(32), nullable=False),
        sa.Column("table_name", sa.String(40), nullable=False),
        sa.Column("record_date", sa.Date),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("raised_at", MOMENT, nullable=False),
        sa.Column("raised_by", sa.String(200), nullable=False),
        sa.Column("answer", sa.Text),
        *_changed(),
        sa.ForeignKeyConstraint(["case_id"], ["cases.case_id"], name="fk_data_faults_case_id"),
        sa.PrimaryKeyConstraint("fault_id", name="pk_data_faults"),
    )
    op.create_index("ix_data_faults_case_id", "data_faults", ["case_id"])


def _table(name: str) -> sa.Table:
    return sa.Table(name, sa.MetaData(), autoload_with=op.get_bind())


def _carry_scores() -> None:
    """Migrate the scores; digests of their inputs are not known and stay empty."""
    connection, scores = op.get_bind(), _table("scores")
    pupils: dict[str, dict[str, Any]] = {}
    lists: dict[tuple[Any, ...], dict[str, Any]] = {}
    rows = connection.execute(sa.select(_table("scores_before")), execution_options={"yield_per": BATCH}).mappings()
    for batch in rows.partitions():
        carried = []
        for row in batch:
            body = json.loads(row["body"])
            named = {
                k: body.get(k, unknown) for k, unknown in (("model", "onroll"), ("definition", ""), ("horizon_days", 0))
            }
            digests = {"catalogue_digest": "", "features_digest": ""}
            carried.append({**row, **named, **digests, "score_id": secrets.token_hex(16), "replaced_at": None})
            place = {k: row[k] for k in ("pupil_id", "authority", "urn", "nc_year", "as_of")}
            if row["pupil_id"] not in pupils or pupils[row["pupil_id"]]["as_of"] <= row["as_of"]:
                pupils[row["pupil_id"]] = place
            values = {k: row[k] for k in ("authority", "as_of", "model_version", "stored_at")}
            key = tuple(values.values())[:3]
            if key not in lists or lists[key]["stored_at"] < row["stored_at"]:
                lists[key] = values
        connection.execute(sa.insert(scores), carried)
    if pupils:
        connection.execute(
            sa.insert(_table("pupils")), [{**p, "pupil_ref": secrets.token_hex(16)} for p in pupils.values()]
        )
        connection.execute(sa.insert(_table("score_lists")), list(lists.values()))


def _carry_keys() -> None:
    connection, now = op.get_bind(), datetime.now(UTC)
    before = connection.execute(sa.select(_table("keys_before"))).mappings().all()
    carried = [
        {**{k: v for k, v in row.items() if k != "revoked"}, "revoked_at": now if row["revoked"] else None}
        for row in before
    ]
    if carried:
        connection.execute(sa.insert(_table("keys")), carried)
