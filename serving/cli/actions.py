"""The verb ``actions``: export what was done for pupils to the histories."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from histories.io.terminal import ISO_DATE, json_option, result


@click.group()
def actions() -> None:
    """Export what was done for pupils to the histories."""


@actions.command()
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="File to write, for example interventions.parquet."
)
@click.option("--since", type=ISO_DATE, help="Only contacts and actions on or after this day.")
@json_option
def export(out: Path, since: datetime | None, as_json: bool) -> None:
    """Write contacts and actions as the table interventions.

    A contact in which nobody was spoken to is no help, and is left out. The audit records the export.
    """
    from histories.io.atomic_write import new_file
    from histories.settings import settings
    from serving.pages.settings import PageSettings
    from serving.store import Store
    from serving.store.caller import command_line
    from serving.store.cases.actions import export as write

    current = settings()
    silent = PageSettings.load(current.pages).no_conversation
    with new_file(out) as temporary, Store.of(current).view(command_line()) as view:
        rows = write(view, temporary, since.date() if since else None, no_conversation=silent)
    result({"rows": rows, "out": str(out)}, as_json=as_json, text=f"{rows:,} contacts and actions in {out}")


verbs: list[Any] = [actions]
