"""The verb ``demo``: runs ``demo.py``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from histories.io.terminal import ISO_DATE, json_option, result


@click.command()
@click.option(
    "--pupils", type=int, default=12000, show_default=True, help="Pupils of the simulated authority, at least 2,500."
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path("demo"),
    show_default=True,
    help="Folder for the histories.",
)
@click.option(
    "--today",
    type=ISO_DATE,
    help="Last day of the records, by default today; the same day gives the same children.",
)
@json_option
def demo(pupils: int, folder: Path, today: datetime | None, as_json: bool) -> None:
    """Run everything once on simulated data; print a list."""
    from histories.calendar import london_today
    from serving.cli.demo import run

    data, text = run(pupils, folder, today.date() if today else london_today())
    result(data, as_json=as_json, text=text)


verbs: list[Any] = [demo]
