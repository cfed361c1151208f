"""What a verb says: results on standard output, progress and steps on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from histories.reading import ENGINES

ISO_DATE = click.DateTime(formats=["%Y-%m-%d"])  # the type of every option that takes a day
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, and nothing else.")
engine_option = click.option(
    "--engine",
    type=click.Choice(ENGINES),
    help="What the features run on; without it, the setting ONROLL_ENGINE, which is duckdb by default. Polars takes all rows "
    "into memory; with spark, HISTORIES may be a place on its platform.",
)
known_option = click.option(
    "--known",
    type=ISO_DATE,
    help="Ask as it was known on this day: with what was recorded late and with corrections up to it, and nothing after.",
)


def say(text: str) -> None:
    """Write a line about what is going on to standard error."""
    click.echo(text, err=True)


def result(data: dict[str, Any], *, as_json: bool, text: str) -> None:
    """Print a verb's result on standard output, as JSON or as text."""
    click.echo(json.dumps(data, ensure_ascii=False, indent=2, default=str) if as_json else text)


@contextmanager
def progress(description: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """Show progress on a terminal and nothing when standard error is piped.

    Yields
    ------
    callable
        ``advance(steps=1, description=None)``.
    """
    if not sys.stderr.isatty():
        yield lambda steps=1, description=None: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(description, total=total)

        def advance(steps: int = 1, description: str | None = None) -> None:
            bar.update(task, advance=steps, description=description)

        yield advance
