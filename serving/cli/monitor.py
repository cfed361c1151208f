"""The verb ``monitor``: what stored lists promised beside what came, and the alarms."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from histories.io.terminal import ISO_DATE, json_option, progress, result, warn
from serving.cli.kept_words import refuse_names_of_children


@click.command()
@click.argument("histories", type=click.Path())
@click.option(
    "--as-of",
    "day",
    type=ISO_DATE,
    help="Day as of which to look at the records, taken as today; by default the day after the last known one.",
)
@click.option(
    "--definition",
    "definitions",
    multiple=True,
    help="File of your own definition of missing that lists were scored by; repeat it for several.",
)
@click.option(
    "--cohort", type=click.Path(path_type=Path), help="TOML file of the cohort that the lists were scored of."
)
@click.option(
    "--capacity",
    type=click.IntRange(1),
    help="Children a team reviews a week; by default the capacity that each list was made with.",
)
@click.option(
    "--limits",
    "limits_file",
    type=click.Path(path_type=Path),
    help="TOML file that overrides limits of alarms (serving/monitoring/alarms/limits.toml).",
)
@click.option("--report", type=click.Path(path_type=Path), help="Also write an HTML report with charts.")
@click.option("--acknowledge", metavar="CODE", help="Record that you have seen the alarms of a code; they stay up.")
@click.option("--reason", default="", help="With --acknowledge: what you make of it; nothing about a child.")
@json_option
def monitor(
    *,
    histories: str,
    day: datetime | None,
    definitions: tuple[str, ...],
    cohort: Path | None,
    capacity: int | None,
    limits_file: Path | None,
    report: Path | None,
    acknowledge: str | None,
    reason: str,
    as_json: bool,
) -> None:
    """Compare stored lists with what came; exit 1 on an alarm.

    Lists of the score store whose outcomes are known in HISTORIES by now are compared with them: for each list, model version and term the expected
    and the observed number of children who went missing, at the team's capacity, and by group with small numbers hidden. Lists whose windows are
    open have no outcome. An alarm says what, where and what to do.
    """
    from dataclasses import replace

    from features import CohortRule, Definition, load_own_features
    from features.counting.block_cache import kept_blocks
    from histories.cli.opening import open_histories
    from histories.errors import Fault, Usage
    from histories.settings import settings
    from serving.access.configuration import Configuration
    from serving.monitoring.acknowledgements import acknowledge as record
    from serving.monitoring.acknowledgements import with_acknowledgements
    from serving.monitoring.alarms import load_limits
    from serving.monitoring.judge import Terms
    from serving.monitoring.monitor import monitor as look
    from serving.monitoring.report import write_report
    from serving.monitoring.stored import keep
    from serving.monitoring.text import text_of
    from serving.pages.settings import PageSettings
    from serving.store import Store
    from serving.store.caller import command_line
    from serving.store.scores.complete_lists import weekly_capacities

    if reason and not acknowledge:
        raise Usage(Fault("a reason belongs to an acknowledgement", "monitor --reason", "Add --acknowledge CODE."))
    current = settings()
    refuse_names_of_children(current, {"--reason": reason})
    load_own_features(current.features)
    limits, own = load_limits(limits_file), [Definition.load(name) for name in definitions]
    rule, default = CohortRule.load(cohort), PageSettings.load(current.pages).per_week
    store, opened = Store.of(current), open_histories(histories)
    with store.view(command_line()) as view:
        capacities = {} if capacity else weekly_capacities(view)
        view.record("capacities.seen", count=len(capacities))
    own_by_name = {d.name: d for d in own}
    terms = Terms(
        definitions=own_by_name,
        capacities=capacities,
        capacity=default,
        asked=capacity,
        rule=rule,
        schools=Configuration.load(current.access).localities,
    )
    with progress("monitoring") as advance:
        monitored = look(
            opened,
            store,
            command_line(),
            terms,
            releases=current.releases,
            limits=limits,
            day=day.date() if day else None,
            kept=kept_blocks(current),
            advance=advance,
        )
    if acknowledge:
        with store.change(command_line()) as change:
            record(change, monitored.alarms, acknowledge, reason)
        with store.view(command_line()) as view:
            monitored = replace(monitored, alarms=with_acknowledgements(view, monitored.alarms))
            monitored.record(view)
    if not (capacity or cohort or definitions):  # the page shows what everybody would find
        with store.view(command_line()) as view:
            keep(view, monitored)
            view.record("monitor.kept")
    if report:
        write_report(monitored, report)
    warn(monitored.judgement.warnings)
    result(monitored.to_dict(), as_json=as_json, text=text_of(monitored))
    if monitored.up:
        raise SystemExit(1)


verbs: list[Any] = [monitor]
