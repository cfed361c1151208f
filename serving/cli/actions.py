"""The verb ``actions``: what was done for pupils, for the histories."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from histories.io.terminal import ISO_DATE, json_option, result


@click.group()
def actions() -> None:
    """Give what was done for pupils back to the histories."""


@actions.command()
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="File to write, such as interventions.parquet."
)
@click.option("--since", type=ISO_DATE, help="Only what happened on this day or later.")
@json_option
def export(out: Path, since: datetime | None, as_json: bool) -> None:
    """Write contacts and actions as the histories' table interventions; the export is in the audit."""
    from histories.io.atomic_write import new_file
    from histories.settings import settings
    from serving.store import Store
    from serving.store.caller import command_line
    from serving.store.cases.actions import export as write

    with new_file(out) as beside, Store.of(settings()).view(command_line()) as view:
        rows = write(view, beside, since.date() if since else None)
    result({"rows": rows, "out": str(out)}, as_json=as_json, text=f"{rows:,} contacts and actions in {out}")


verbs: list[Any] = [actions]
