"""Output of the verbs: results on standard output, progress and messages on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from histories.errors import Fault, Usage
from histories.reading import ENGINES


class IsoDate(click.DateTime):
    """A day such as 2025-09-01; one that no record, list or key can have is refused, as a slip of the pen."""

    FIRST, LAST = 1900, 2199

    def __init__(self) -> None:
        super().__init__(formats=["%Y-%m-%d"])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the day."""
        day = super().convert(value, param, ctx)
        if not self.FIRST <= day.year <= self.LAST:
            self.fail(f"the year must be from {self.FIRST} to {self.LAST}", param, ctx)
        return day


ISO_DATE = IsoDate()  # the type of every option that takes a day
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
engine_option = click.option(
    "--engine",
    type=click.Choice(ENGINES),
    help="Engine of the features; by default the setting ONROLL_ENGINE (duckdb). Polars loads all rows into memory; with "
    "spark, HISTORIES may be a location on its platform.",
)
known_option = click.option(
    "--known",
    "known_on",
    type=ISO_DATE,
    help="Day of knowledge: use late records and corrections recorded before this day, and nothing later.",
)


OTHER_FORMATS = {".csv", ".tsv", ".txt", ".xlsx", ".xls", ".ods", ".json", ".jsonl", ".html", ".gz", ".zip"}


def must_be_named_parquet(out: str | Path) -> None:
    """Raise if the name of a Parquet file to write says another format: whoever opened it would find no such file.

    Raises
    ------
    Usage
    """
    if Path(out).suffix.lower() in OTHER_FORMATS:
        raise Usage(Fault("the file is Parquet, and its name says another format", "--out", "Let it end in .parquet."))


def say(text: str) -> None:
    """Write a message to standard error."""
    click.echo(text, err=True)


_warnings: list[str] = []


def warn(messages: Iterable[str]) -> None:
    """Write warnings to standard error; the JSON of the verb's result repeats them."""
    for message in messages:
        say(f"warning: {message}")
        _warnings.append(message)


def result(data: dict[str, Any], *, as_json: bool, text: str) -> None:
    """Print the result of a verb as JSON, with the warnings that came before it, or as text."""
    warnings = {"warnings": list(_warnings)} if _warnings and "warnings" not in data else {}
    _warnings.clear()
    click.echo(json.dumps({**data, **warnings}, ensure_ascii=False, indent=2, default=str) if as_json else text)


@contextmanager
def progress(description: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """Show progress on a terminal; show nothing when standard error is piped.

    Yields
    ------
    callable
        ``advance(steps=1, description=None, left=None)``; ``left`` are the seconds until all is done, if they are known. Whatever else it is told is
        not shown.
    """
    if not sys.stderr.isatty():
        yield lambda steps=1, description=None, **told: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from histories.io.time_left import TimeLeft

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeLeft())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(description, total=total)

        def advance(steps: int = 1, description: str | None = None, left: float | None = None, **told: object) -> None:
            bar.update(task, advance=steps, description=description, left=left, told_at=bar.get_time())

        yield advance
