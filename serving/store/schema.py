"""Upgrading a database to the current schema, and comparing the two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from histories.errors import Fault, Faults
from serving.store.cases import saved_filters  # noqa: F401  (declares a table of the schema)
from serving.store.database import reading, writing
from serving.store.people import tables  # noqa: F401  (declares a table of the schema)
from serving.store.sign_in import answers, sessions  # noqa: F401  (declare tables of the schema)
from serving.store.tables import Base
from serving.store.trials import tables as trial_tables  # noqa: F401  (declares tables of the schema)
from serving.store.triggers import foreign_rules, missing_triggers

STEPS = Path(__file__).parents[1] / "migrations"
HEAD = max(f.stem[:4] for f in (STEPS / "versions").glob("[0-9]*.py"))
LOCK = 0x6F6E726F6C  # id of the PostgreSQL advisory lock held during an upgrade


def current(engine: sa.Engine) -> str | None:
    """Return the schema revision of a database, or None for an empty one."""
    with reading(engine) as connection:
        return _revision(connection)


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.scalar(sa.text("SELECT version_num FROM alembic_version"))


def upgrade(engine: sa.Engine, to: str = HEAD) -> str | None:
    """Upgrade a database to a revision in one transaction, and return its previous revision; safe when several start at once.

    Raises
    ------
    Faults
        When a newer onroll made the database, or this account may not change its tables.
    """
    before = current(engine)
    if before == to:
        return before  # importing Alembic takes longer than the rest of the start
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        before = _revision(connection)
        if before is not None and before > HEAD:
            do = "Install the onroll that made it, or a newer one; there is no downgrade."
            raise Faults(Fault(f"the database has revision {before}, and this onroll knows {HEAD}", "database", do))
        if connection.dialect.name == "postgresql" and not may_upgrade(connection):
            do = "Run 'onroll database upgrade --grant' with the account that owns the tables; see docs/operations.md."
            what = f"the database has revision {before or 'none'}, this onroll needs {to}, and this account may not upgrade it"
            raise Faults(Fault(what, "ONROLL_DATABASE_URL", do))
        _run(connection, to)
    return before


def may_upgrade(connection: sa.Connection) -> bool:
    """Return whether this account may change tables: it owns those that there are, and may create others."""
    query = """
        SELECT has_schema_privilege(current_schema(), 'CREATE')
            AND coalesce(bool_and(pg_has_role(tableowner, 'USAGE')), true)
        FROM pg_tables WHERE schemaname = current_schema()
    """
    return bool(connection.scalar(sa.text(query)))


def _run(connection: sa.Connection, to: str) -> None:
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(STEPS))

    def steps(revision: Any, _: Any) -> Any:
        return script._upgrade_revs(to, revision)

    context = MigrationContext.configure(connection, opts={"fn": steps, "transactional_ddl": True})
    with Operations.context(context):
        context.run_migrations()


def differences(engine: sa.Engine) -> list[str]:
    """Return the differences between a database and the schema of this onroll; an empty list when there are none."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with reading(engine) as connection:
        revision = _revision(connection)
        if revision != HEAD:
            return [f"the revision is {revision or 'none'}, and this onroll needs {HEAD}"]
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        messages = [_described(d) for d in compare_metadata(context, Base.metadata)]
        messages += [f"the trigger {name} is missing or another one" for name in missing_triggers(connection)]
        messages += [f"it is not onroll's: {what}" for what in foreign_rules(connection)]
    return messages


def _described(difference: Any) -> str:
    what = difference[0] if isinstance(difference, tuple) else difference[0][0]
    item = difference[1] if isinstance(difference, tuple) else difference[0][2:4]
    return f"{what.replace('_', ' ')}: {getattr(item, 'name', item)}"
