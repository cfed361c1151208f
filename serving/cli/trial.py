"""The verb ``trial``: plan, start, look at, stop and analyse a trial inside the list; its checks are in ``checks.py``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from histories.io.quantities import quantity
from histories.io.terminal import json_option, progress, result
from serving.cli.checks import checks, cohort_option, definition_option, exact_option

if TYPE_CHECKING:
    from serving.trials.eligible import Eligible
    from serving.trials.plan import Plan
    from serving.trials.power import Power

plan_argument = click.argument("plan_file", metavar="PLAN", type=click.Path(path_type=Path))


@click.group()
def trial() -> None:
    """Find out whether help helps: a trial inside the list.

    PLAN is a TOML file; docs/trial.md has an example.
    """


def never_started_text(names: list[str]) -> str:
    """Return the warning that an authority has other plans that were registered and not started."""
    return (
        f"registered by this authority and never started: {', '.join(names)}. Each had another lot; the audit and the analysis name them. "
        "Whoever starts only the one that suits makes chance look like an effect."
    )


@trial.command()
@plan_argument
@click.option("--dry-run", is_flag=True, help="Measure the power only; register nothing.")
@definition_option
@cohort_option
@exact_option
@json_option
def plan(
    plan_file: Path, dry_run: bool, definitions: tuple[str, ...], cohort: Path | None, exact: bool, as_json: bool
) -> None:
    """Measure the power of PLAN on its stored list, and register it.

    Its hash goes into the audit, with those of the rules by which the outcome will be judged; from then on none of them can be changed. Exit code 1: the power is lower than the plan asks for, or the outcome
    cannot be measured: in the holidays, without marks, or before it is known.
    """
    from histories.settings import settings
    from serving.pages.settings import PageSettings
    from serving.store import Store
    from serving.store.caller import command_line
    from serving.trials.plan import Plan
    from serving.trials.rules import OutcomeRules
    from serving.trials.trial import plan_trial

    current, of = settings(), Plan.load(plan_file)
    pages = PageSettings.load(current.pages)
    rules = OutcomeRules.load(definitions, cohort, pages)
    with progress("simulating"):
        who, power, others = plan_trial(
            Store.of(current), command_line(), of, rules=rules, dry_run=dry_run, closed=pages.calendar.closed
        )
    data, lines = _planned(of, who, power, others, dry_run=dry_run, exact=exact)
    result({**data, **power.to_dict()}, as_json=as_json, text="\n".join(lines))


def _planned(
    of: Plan, who: Eligible, power: Power, others: list[str], *, dry_run: bool, exact: bool
) -> tuple[dict[str, Any], list[str]]:
    """Return what a plan takes in, as JSON and in lines."""
    from features.groups.disclosure import shown
    from serving.trials.figures import count_text

    deadlines = int(who.rows["deadline"].sum())
    with_deadline = deadlines if exact else shown(deadlines)
    data = {
        "name": of.of.name,
        "plan": of.digest,
        "registered": not dry_run,
        "children": len(who.rows),
        "units": who.units,
        "assessed": who.assessed,
        "with_deadline": with_deadline,
        "split_homes": who.split_homes,
        "share_a_home": who.share_a_home,
        "never_started": others,
    }
    lines = [
        f"{len(who.rows):,} of {quantity(who.assessed, 'child')} in {quantity(who.units, 'unit')}; {count_text(with_deadline)} with a deadline that runs",
        homes_text(who.share_a_home, len(who.rows)),
        f"power {power.power.value:.1%} ({power.power.low:.1%} to {power.power.high:.1%}); false findings {power.size.value:.1%} "
        f"({power.size.low:.1%} to {power.size.high:.1%}), over {power.worlds} simulated trials each",
        "not registered (--dry-run)" if dry_run else f"registered {of.of.name}: {of.digest}",
    ]
    if who.split_homes:
        what = f"{quantity(who.split_homes, 'home')} with children in several units, who can be in both arms"
        lines.insert(1, what)
    return data, [*lines, never_started_text(others)] if others else lines


def homes_text(sharing: int, children: int) -> str:
    """Return how many children are known to share an address: brothers and sisters without a known address cannot be kept together."""
    if sharing:
        return f"{sharing:,} of them are known to share an address with another child; the others live alone at their address, or it is not known"
    return f"none of the {quantity(children, 'child')} is known to share an address: without addresses brothers and sisters can be parted unseen"


@trial.command()
@plan_argument
@click.option("--out", type=click.Path(path_type=Path), required=True, help="CSV file for the team.")
@json_option
def start(plan_file: Path, out: Path, as_json: bool) -> None:
    """Allocate the children of PLAN by lot, and write whom to help now, in which order, or from when.

    Nobody chooses an arm: it follows from the plan's seed, the salt of its registration and the unit. Only you can read the file. If the file
    cannot be written, nobody is allocated. Exit code 1: the list is too old, the outcome could not be measured from today, the audit does not verify, or the plan was changed.
    """
    from histories.errors import Fault, Usage
    from histories.settings import settings
    from serving.pages.settings import PageSettings
    from serving.store import Store
    from serving.store.caller import command_line
    from serving.trials.plan import Plan
    from serving.trials.trial import start_trial

    current, of = settings(), Plan.load(plan_file)
    if out.exists():
        raise Usage(Fault("this file exists already", str(out), "Name a new file."))
    closed = PageSettings.load(current.pages).calendar.closed
    children = start_trial(Store.of(current), command_line(), of, out, closed=closed)
    what = {"help": "to help now", "order": "in their order", "wedge": "with the day on which help begins"}[of.of.arms]
    text = f"{of.of.name} has started; children {what}: {children:,}, in {out}"
    key = "help_now" if of.of.arms == "help" else "children"
    result({"name": of.of.name, key: children, "out": str(out)}, as_json=as_json, text=text)


@trial.command()
@plan_argument
@click.option(
    "--asked-by-social-worker",
    "asked",
    type=click.Path(path_type=Path),
    help="File with identifiers, one a line: children to help now whatever their arm.",
)
@exact_option
@json_option
def status(plan_file: Path, asked: Path | None, exact: bool, as_json: bool) -> None:
    """Show PLAN's arms, and record new safety exceptions.

    Children with a deadline that runs are recorded by themselves. No outcome is shown before the day of the analysis, and small numbers are hidden. Exit code 1: an
    identifier in the file is not in the trial, and the others are recorded; or the trial has ended, and none is.
    """
    from histories.calendar import london_day
    from histories.settings import settings
    from serving.store import Store
    from serving.store.caller import command_line
    from serving.store.records.pupil_file import read_pupils
    from serving.trials.figures import count_text, status_shown
    from serving.trials.plan import Plan
    from serving.trials.trial import status as count

    of = Plan.load(plan_file)
    pupils = read_pupils(asked) if asked else []
    data = status_shown(count(Store.of(settings()), command_line(), of, pupils), exact=exact)
    started_on = london_day(datetime.fromisoformat(data["started_at"]))
    ends = (
        f"stopped early on {data['stopped']['day']}: {data['stopped']['reason']}"
        if data["stopped"]
        else f"ends {data['ends']}"
    )
    lines = [f"{data['name']}: started {started_on}, {ends}; analysed from {data['analyse_on']}"]
    lines += [
        f"{arm.replace('_', ' ')}: {part['children']:,} children in {part['units']:,} units; exceptions {count_text(part['exceptions'])}"
        + (f"; help begins {part['begins_on']}" if "begins_on" in part else "")
        for arm, part in data["arms"].items()
    ]
    if data["never_started"]:
        lines.append(never_started_text(data["never_started"]))
    if data["not_in_trial"]:
        lines.append(
            f"identifiers in {asked} that are not in the trial: {data['not_in_trial']:,}; check them; the trial changes nothing for a child outside it"
        )
    too_late = bool(pupils) and data["ended"]
    if too_late:
        lines.append(f"nobody in {asked} was recorded: whoever is helped after the end is no exception of the trial")
    result(data, as_json=as_json, text="\n".join(lines))
    if data["not_in_trial"] or too_late:
        raise SystemExit(1)


@trial.command()
@plan_argument
@click.argument("histories", type=click.Path())
@exact_option
@definition_option
@cohort_option
@json_option
def analyse(
    plan_file: Path, histories: str, exact: bool, definitions: tuple[str, ...], cohort: Path | None, as_json: bool
) -> None:
    """Analyse PLAN with the outcomes in HISTORIES, once.

    By intention to treat, with an interval and CONSORT counts; small numbers are hidden. Exit code 1: the day has not come, or the plan, its
    rules, the allocation or the audit was changed.
    """
    from histories.cli.opening import open_histories
    from histories.settings import settings
    from serving.pages.settings import PageSettings
    from serving.store import Store
    from serving.store.caller import command_line
    from serving.trials.plan import Plan
    from serving.trials.rules import OutcomeRules
    from serving.trials.trial import analyse_trial

    current, of = settings(), Plan.load(plan_file)
    analysis = analyse_trial(
        Store.of(current),
        command_line(),
        of,
        open_histories(histories),
        rules=OutcomeRules.load(definitions, cohort, PageSettings.load(current.pages)),
    )
    result(analysis.to_dict(exact=exact), as_json=as_json, text=analysis.text(exact=exact))


@trial.command()
@click.argument("name")
@click.option("--reason", required=True, help="Why, in words that name no child; the audit and the analysis keep them.")
@json_option
def stop(name: str, reason: str, as_json: bool) -> None:
    """Stop the trial NAME before its end, for good.

    It is analysed as stopped early, from the day that its plan names; its children can be drawn for random checks again. Exit code 1: no trial
    of this name runs.
    """
    from histories.settings import settings
    from serving.store import Store
    from serving.store.caller import command_line
    from serving.trials.trial import stop_trial

    day = stop_trial(Store.of(settings()), command_line(), name, reason)
    text = f"{name} is stopped from {day}; 'onroll trial analyse' will say so, and why"
    result({"name": name, "stopped_on": str(day)}, as_json=as_json, text=text)


trial.add_command(checks)
verbs: list[Any] = [trial]
