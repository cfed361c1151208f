"""The verb ``onroll doctor``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from histories.calendar import HORIZON
from histories.errors import Fault, Usage
from histories.io.terminal import ISO_DATE, json_option, result, warn


@click.command()
@click.argument("histories", type=click.Path())
@click.option(
    "--definition",
    "names",
    multiple=True,
    help="Name or TOML file of a definition of missing; default: every shipped definition.",
)
@click.option("--horizon", type=click.IntRange(7, 730), default=HORIZON, show_default=True, help="Days of the window.")
@click.option("--as-of", "as_of", type=ISO_DATE, multiple=True, help="As-of dates; default: the start of each term.")
@click.option("--monthly", is_flag=True, help="As-of dates: the first school Monday of each month with known outcomes.")
@click.option("--cohort", type=click.Path(path_type=Path), help="TOML file that says who is in the cohort.")
@click.option("--until", type=ISO_DATE, help="Use nothing recorded on or after this day.")
@json_option
def doctor(
    *,
    histories: str,
    names: tuple[str, ...],
    horizon: int,
    as_of: tuple[datetime, ...],
    monthly: bool,
    cohort: Path | None,
    until: datetime | None,
    as_json: bool,
) -> None:
    """Check whether HISTORIES can train a model.

    Computes labels only: which definitions have outcomes, which as-of dates have labels, which tables are missing
    and their sources. Exit code 1 if no definition can train.
    """
    from features import CohortRule, Definition, default_as_of
    from histories.cli.opening import open_histories
    from training.readiness import monthly_task, readiness
    from training.rolls_end import warnings_of_ended_rolls
    from training.task import Task

    if as_of and monthly:
        raise Usage(Fault("--as-of and --monthly both choose the as-of dates", "doctor", "Give one of them."))
    definitions = [Definition.load(name) for name in names or Definition.shipped()]
    task = Task(
        definition=definitions[0],
        horizon=horizon,
        as_of=tuple(sorted(d.date() for d in as_of)),
        rule=CohortRule.load(cohort),
        until=until.date() if until else None,
    )
    opened = open_histories(histories)
    if monthly:
        task = monthly_task(opened, task)
    days = task.as_of or default_as_of(opened, task.until)
    told = (warnings_of_ended_rolls(opened, d, horizon, days, task.until) for d in definitions)
    warn(dict.fromkeys(warning for warnings in told for warning in warnings))
    # On a terminal the answer comes first, and what would help a little later.
    report = readiness(opened, task, definitions, None if as_json else lambda found: click.echo(found.summary()))
    result(report.to_dict(), as_json=as_json, text=report.reasons() or "\nEvery definition can train.")
    if not report.ready:
        raise SystemExit(1)


verbs = [doctor]
