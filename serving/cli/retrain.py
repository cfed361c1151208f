"""The verb ``retrain``: one term's retraining, up to the decision of a person."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from histories.io.terminal import ISO_DATE, json_option, progress, result, warn
from training.cli.helped_option import helped_option


@click.command()
@click.argument("histories", type=click.Path())
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    help="TOML file with the booster's settings; by default the champion's settings.",
)
@click.option("--monthly", is_flag=True, help="As-of dates: the first school Monday of each month with known outcomes.")
@helped_option("as for the champion")
@click.option("--silence", type=click.Path(path_type=Path), help="TOML file of rules to silence, each with a reason.")
@click.option(
    "--limits", "limits_file", type=click.Path(path_type=Path), help="TOML file that overrides limits of alarms."
)
@click.option("--as-of", "day", type=ISO_DATE, help="Day as of which alarms look at the records, taken as today.")
@click.option("--capacity", type=click.IntRange(1), help="Children on each list; by default the pages' per_week.")
@click.option("--seed", type=int, help="By default the champion's.")
@click.option("--report", type=click.Path(path_type=Path), help="Page to write; by default beside the releases.")
@json_option
def retrain(
    *,
    histories: str,
    config_file: Path | None,
    monthly: bool,
    helped: str | None,
    silence: Path | None,
    limits_file: Path | None,
    day: datetime | None,
    capacity: int | None,
    seed: int | None,
    report: Path | None,
    as_json: bool,
) -> None:
    """Retrain on HISTORIES up to the decision of a person.

    Checks the records and the alarms, and refuses on errors of the check or an alarm that nobody has acknowledged. Then trains
    by the champion's definition, window, cohort and settings, writes the papers, judges by every gate, makes the version the
    challenger, and writes a page of what would change. It never promotes. Exit code 1: refused, or a gate fails.
    """
    from features import load_own_features
    from histories.checks.check import load_silences
    from histories.cli.opening import open_histories
    from histories.settings import settings
    from serving.monitoring.alarms import load_limits
    from serving.pages.settings import PageSettings
    from serving.retraining.page import write_page
    from serving.retraining.retrain import Options
    from serving.retraining.retrain import retrain as run
    from serving.store import Store
    from serving.store.caller import command_line
    from training.bundle import read_bundle
    from training.fitting.booster_settings import load_config
    from training.release.registry import folder_of
    from training.workflow import MODEL

    current = settings()
    load_own_features(current.features)
    options = Options(
        config=load_config(config_file) if config_file else None,
        monthly=monthly,
        helped=helped,
        seed=seed,
        capacity=capacity or PageSettings.load(current.pages).per_week,
        limits=load_limits(limits_file),
        silences=load_silences(silence),
        day=day.date() if day else None,
    )
    opened = open_histories(histories)
    with progress("retraining") as advance:
        retrained = run(current, opened, histories, Store.of(current), command_line(), options, advance=advance)
    changes = retrained.changes
    _, before = read_bundle(folder_of(current, MODEL, changes.champion))
    page = report or current.releases.parent / "retraining" / f"v{changes.challenger}.html"
    write_page(retrained, before, page)
    warn([f"{a.code} is up: {a.title}" for a in retrained.alarms])
    warn(retrained.set_aside)
    text = f"{changes.text()}\npage: {page}"
    result({**retrained.to_dict(), "page": str(page)}, as_json=as_json, text=text)
    if changes.failed:
        raise SystemExit(1)


verbs: list[Any] = [retrain]
