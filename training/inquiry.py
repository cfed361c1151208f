"""The verb ``onroll describe``: what people ask of histories before any model."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from histories.terminal import json_option, progress, result

DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.command()
@click.argument("histories", type=click.Path(path_type=Path))
@click.option(
    "--as-of",
    "as_of",
    type=DAY,
    multiple=True,
    required=True,
    help="Days on which windows begin that are known by now.",
)
@click.option(
    "--definition",
    default="commissioner_or_unknown",
    show_default=True,
    help="Name or TOML file of a definition of missing.",
)
@click.option(
    "--horizon", type=click.IntRange(7, 730), default=120, show_default=True, help="Days of the outcome window."
)
@click.option("--cohort", type=click.Path(path_type=Path), help="TOML file with the rule of who is in.")
@click.option("--out", type=click.Path(path_type=Path), help="CSV file to write.")
@click.option("--plot", type=click.Path(path_type=Path), help="Picture to write: .png, .svg or .pdf.")
@json_option
def describe(
    histories: Path, as_of: tuple[datetime, ...], definition: str, horizon: int, cohort: Path | None, out: Path | None, plot: Path | None, as_json: bool
) -> None:  # fmt: skip
    """Say who of HISTORIES went missing: each group's rate against its peers, with intervals, safe to print."""
    from features import CohortRule, Definition
    from histories.opening import Histories
    from histories.settings import settings
    from training import commissioner_table
    from training.describing import describe as run
    from training.sheets import picture_kind

    if plot:
        picture_kind(plot)
    meant, rule = Definition.load(definition), CohortRule.load(cohort)
    with progress("describing"):
        opened = Histories.open(histories, memory=settings().memory)
        table = run(opened, sorted({d.date() for d in as_of}), meant, horizon, rule)
    if out:
        commissioner_table.save_csv(table, out)
    if plot:
        commissioner_table.save_plot(table, plot)
    result(table.to_dict(), as_json=as_json, text=commissioner_table.text(table))


verbs = [describe]
