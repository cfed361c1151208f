"""The verb ``database``: upgrade, check and back up the database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from histories.io.terminal import json_option, result


@click.group()
def database() -> None:
    """Upgrade, check or back up the database."""


@database.command()
@click.option(
    "--grant",
    "granting",
    is_flag=True,
    help="PostgreSQL: also give the accounts of the service and of retention what they need, and nothing more.",
)
@json_option
def upgrade(granting: bool, as_json: bool) -> None:
    """Upgrade the database to this version's schema; starting the service does the same if its account may."""
    from histories.settings import settings
    from serving.store import privileges, schema
    from serving.store.database import open_engine

    engine = open_engine(settings().database_url)
    before = schema.upgrade(engine)
    if granting:
        privileges.grant(engine)
    if before == schema.HEAD:
        text = f"already at {before}"
    else:
        text = f"upgraded from {before or 'an empty database'} to {schema.HEAD}"
    if granting:
        text += f"; {privileges.SERVICE} and {privileges.RETENTION} have what they need"
    result({"before": before, "revision": schema.HEAD, "granted": granting}, as_json=as_json, text=text)


@database.command()
@json_option
def check(as_json: bool) -> None:
    """List how the database differs from this version's schema; exit 1 if it does."""
    from histories.settings import settings
    from serving.store import schema
    from serving.store.database import open_engine

    differences = schema.differences(open_engine(settings().database_url))
    result(
        {"revision": schema.HEAD, "differences": differences},
        as_json=as_json,
        text="\n".join(differences) or "no differences",
    )
    if differences:
        raise SystemExit(1)


@database.command()
@click.argument("out", type=click.Path(path_type=Path))
@json_option
def backup(out: Path, as_json: bool) -> None:
    """Copy a SQLite database to a file while the service runs; for PostgreSQL, use pg_dump."""
    from histories.io.atomic_write import new_file
    from histories.settings import settings
    from serving.store.database import copy, open_engine

    with new_file(out) as temporary:
        copy(open_engine(settings().database_url), temporary)
    result({"out": str(out), "bytes": out.stat().st_size}, as_json=as_json, text=f"{out}, {out.stat().st_size:,} bytes")


@database.command()
@json_option
def purge(as_json: bool) -> None:
    """Write the tables anew that held erased rows, so that no file has their bytes; exit 1 if something reads them meanwhile.

    On PostgreSQL for the owner of the tables: nobody else can use a table while it is written.
    """
    from histories.settings import settings
    from serving.store.database import open_engine
    from serving.store.records.purging import purge_files

    unpurged = purge_files(open_engine(settings().database_url))
    result({"purged": not unpurged}, as_json=as_json, text=unpurged or "purged")
    if unpurged:
        raise SystemExit(1)


verbs: list[Any] = [database]
