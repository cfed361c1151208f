"""The verb ``onroll train``."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from histories.calendar import HORIZON
from histories.errors import Fault, Usage
from histories.io.terminal import ISO_DATE, json_option, known_option, progress, result, warn
from training.cli.helped_option import helped_option


def _date(value: datetime | None) -> date | None:
    return value.date() if value else None


@click.command()
@click.argument("histories", type=click.Path())
@click.option(
    "--definition",
    default="commissioner_or_unknown",
    show_default=True,
    help="Name or TOML file of a definition of missing.",
)
@click.option(
    "--horizon",
    type=click.IntRange(7, 730),
    default=HORIZON,
    show_default=True,
    help="Days of the outcome window.",
)
@click.option("--as-of", "as_of", type=ISO_DATE, multiple=True, help="As-of dates; default: the start of each term.")
@click.option("--monthly", is_flag=True, help="As-of dates: the first school Monday of each month with known outcomes.")
@click.option("--cohort", type=click.Path(path_type=Path), help="TOML file that says who is in the cohort.")
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="TOML file with the booster's settings.")
@helped_option()
@click.option("--until", type=ISO_DATE, help="Use nothing recorded on or after this day.")
@known_option
@click.option(
    "--tune",
    "trials",
    type=click.IntRange(0, 1000),
    default=0,
    show_default=True,
    help="Number of booster settings to try; an interrupted search resumes.",
)
@click.option(
    "--report",
    is_flag=True,
    help="Also evaluate by group, theme, authority and week, and write a report beside the model; takes several times as long.",
)
@click.option("--seed", type=int, default=1, show_default=True)
@json_option
def train(
    *,
    histories: str,
    definition: str,
    horizon: int,
    as_of: tuple[datetime, ...],
    monthly: bool,
    cohort: Path | None,
    config_file: Path | None,
    helped: str | None,
    until: datetime | None,
    known_on: datetime | None,
    trials: int,
    report: bool,
    seed: int,
    as_json: bool,
) -> dict[str, Any]:
    """Train a model on HISTORIES, evaluate it and register it."""
    from features import CohortRule, Definition, default_as_of, load_own_features
    from histories.cli.opening import open_histories
    from histories.settings import settings
    from training.fitting.booster_settings import load_config
    from training.fitting.helped import AS_THEY_CAME
    from training.papers.rendering import STEMS
    from training.papers.written import REPORT
    from training.readiness import monthly_task
    from training.rolls_end import warnings_of_ended_rolls
    from training.task import Task
    from training.workflow import train_and_register

    if as_of and monthly:
        raise Usage(Fault("--as-of and --monthly both choose the as-of dates", "train", "Give one of them."))
    current = settings()
    load_own_features(current.features)
    rule, config = CohortRule.load(cohort), load_config(config_file)
    task = Task(
        definition=Definition.load(definition),
        horizon=horizon,
        as_of=tuple(sorted(d.date() for d in as_of)),
        rule=rule,
        until=_date(until),
        known_on=_date(known_on),
        helped=helped or AS_THEY_CAME,
    )
    opened = open_histories(histories)
    if monthly:
        task = monthly_task(opened, task)
    days = task.as_of or default_as_of(opened, task.until)
    warn(warnings_of_ended_rolls(opened, task.definition, horizon, days, task.until))
    with progress("training") as advance:
        registration = train_and_register(
            current, opened, histories, task, config=config, seed=seed, trials=trials, extended=report, advance=advance
        )
    trained, manifest = registration.trained, registration.trained.manifest
    papers = sorted(f.name for f in registration.folder.iterdir() if f.name == REPORT or f.stem in STEMS.values())
    data = {
        "run_id": registration.run_id,
        "name": manifest.name,
        "version": registration.version,
        "folder": str(registration.folder),
        "candidate": manifest.candidate,
        "metrics": manifest.metrics,
        "leads": trained.against,
        "chosen": trained.story,
        "settings": trained.settings,
        "report": registration.report,
        "papers": papers,
    }
    lines = [_figures(manifest.metrics, trained.against, registration.version, trained.splits.text())]
    lines += [f"report: {registration.folder / REPORT}"] if report else []
    result(data, as_json=as_json, text="\n".join(lines))
    return registration.line  # the audit's room records it


def _figures(metrics: dict[str, Any], leads: dict[str, Any], version: int, splits: str) -> str:
    lines = [
        splits,
        f"{'candidate':14} {'average precision':>18} {'95% interval':>17} {'AUC':>6}  lead of the chosen one",
    ]
    for name, f in metrics.items():
        low, high = f["intervals"]["average_precision"]
        ahead = _lead(leads.get(name, {}).get("average_precision"))
        lines.append(
            f"{name:14} {f['average_precision']:18.4f} {low or 0:8.4f}-{high or 0:.4f} {f['auc']:7.3f}  {ahead}"
        )
    return "\n".join([*lines, f"registered as version {version}"])


def _lead(lead: dict[str, Any] | None) -> str:
    if lead is None:
        return "chosen"
    noise = ", within noise" if lead["within_noise"] else ""
    return f"{lead['lead']:+.4f}{noise}"


verbs = [train]
