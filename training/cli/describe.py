"""The verbs ``onroll describe`` and ``onroll definitions``: who goes missing, before a model is trained."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from histories.calendar import HORIZON
from histories.errors import Fault, Usage
from histories.io.terminal import ISO_DATE, json_option, progress, result


@click.command()
@click.argument("histories", type=click.Path())
@click.option(
    "--as-of",
    "as_of",
    type=ISO_DATE,
    multiple=True,
    required=True,
    help="First days of outcome windows; outcomes must be known by now.",
)
@click.option(
    "--definition",
    default="commissioner_or_unknown",
    show_default=True,
    help="Name or TOML file of a definition of missing.",
)
@click.option(
    "--horizon", type=click.IntRange(7, 730), default=HORIZON, show_default=True, help="Days of the outcome window."
)
@click.option("--cohort", type=click.Path(path_type=Path), help="TOML file that says who is in the cohort.")
@click.option("--out", type=click.Path(path_type=Path), help="CSV file to write.")
@click.option("--plot", type=click.Path(path_type=Path), help="Picture to write (.png, .svg or .pdf).")
@json_option
def describe(
    *,
    histories: str,
    as_of: tuple[datetime, ...],
    definition: str,
    horizon: int,
    cohort: Path | None,
    out: Path | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Show who went missing in HISTORIES, group by group.

    Each group's rate against its peers, with intervals, safe to print.
    """
    from features import CohortRule, Definition
    from histories.cli.opening import open_histories
    from histories.io.pictures import picture_kind
    from training.description import commissioner_table
    from training.description.describing import describe as run

    if plot:
        picture_kind(plot)
    missing, rule = Definition.load(definition), CohortRule.load(cohort)
    with progress("describing"):
        opened = open_histories(histories)
        table = run(opened, sorted({d.date() for d in as_of}), missing, horizon, rule)
    if out:
        commissioner_table.save_csv(table, out)
    if plot:
        commissioner_table.save_plot(table, plot)
    result(table.to_dict(), as_json=as_json, text=commissioner_table.text(table))


@click.command()
@click.argument("histories", type=click.Path())
@click.option(
    "--as-of",
    "as_of",
    type=ISO_DATE,
    multiple=True,
    help="First days of outcome windows; default: the start of each term.",
)
@click.option(
    "--definition", "extra", multiple=True, help="TOML file of a definition to compare with the shipped ones."
)
@click.option(
    "--horizon", type=click.IntRange(7, 730), default=HORIZON, show_default=True, help="Days of the outcome window."
)
@click.option("--cohort", type=click.Path(path_type=Path), help="TOML file that says who is in the cohort.")
@click.option(
    "--capacity",
    type=click.FloatRange(0, min_open=True),
    default=0.01,
    show_default=True,
    help="Children on each list, or a share of it (below 1).",
)
@click.option("--seed", type=int, default=1, show_default=True)
@json_option
def definitions(
    *,
    histories: str,
    as_of: tuple[datetime, ...],
    extra: tuple[str, ...],
    horizon: int,
    cohort: Path | None,
    capacity: float,
    seed: int,
    as_json: bool,
) -> None:
    """Compare all definitions of missing on HISTORIES.

    Who counts, when it is known, and whom each definition's list names.
    """
    from features import CohortRule, Definition, load_own_features
    from histories.cli.opening import open_histories
    from histories.settings import settings
    from training.description.definitions import compare
    from training.description.definitions_table import text

    names = [*Definition.shipped(), *(e for e in extra if e not in Definition.shipped())]
    current = settings()
    load_own_features(current.features)
    compared, rule = [Definition.load(n) for n in names], CohortRule.load(cohort)
    if len({d.name for d in compared}) < len(compared):
        raise Usage(Fault("two definitions have the same name", "--definition", "Name each file differently."))
    with progress("definitions") as advance:
        opened = open_histories(histories)
        days = sorted({d.date() for d in as_of}) or None
        comparison = compare(opened, compared, days, horizon, rule=rule, capacity=capacity, seed=seed, advance=advance)
    result(comparison.to_dict(), as_json=as_json, text=text(comparison))


verbs = [describe, definitions]
