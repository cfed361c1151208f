"""The verb ``database``: bring it to the present schema, and tell whether it is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from histories.io.terminal import json_option, result


@click.group()
def database() -> None:
    """Look after the schema of the database."""


@database.command()
@json_option
def upgrade(as_json: bool) -> None:
    """Bring the database to the schema of this onroll; a start of the service does the same."""
    from histories.settings import settings
    from serving.store import schema
    from serving.store.database import open_engine

    before = schema.upgrade(open_engine(settings().database_url))
    text = f"from {before or 'an empty database'} to {schema.HEAD}" if before != schema.HEAD else f"at {before} already"
    result({"before": before, "revision": schema.HEAD}, as_json=as_json, text=text)


@database.command()
@json_option
def check(as_json: bool) -> None:
    """Say how the database differs from the schema of this onroll; exit 1 when it does."""
    from histories.settings import settings
    from serving.store import schema
    from serving.store.database import open_engine

    found = schema.differences(open_engine(settings().database_url))
    result({"revision": schema.HEAD, "differences": found}, as_json=as_json, text="\n".join(found) or "as it should be")
    if found:
        raise SystemExit(1)


@database.command()
@click.argument("out", type=click.Path(path_type=Path))
@json_option
def backup(out: Path, as_json: bool) -> None:
    """Copy a SQLite database to a file as it is at one moment, while the service runs; PostgreSQL has pg_dump for that."""
    from histories.io.atomic_write import new_file
    from histories.settings import settings
    from serving.store.database import copy, open_engine

    with new_file(out) as beside:
        copy(open_engine(settings().database_url), beside)
    result({"out": str(out), "bytes": out.stat().st_size}, as_json=as_json, text=f"{out}, {out.stat().st_size:,} bytes")


verbs: list[Any] = [database]
