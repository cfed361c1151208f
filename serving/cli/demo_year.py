"""What the demo has behind it when its service starts: lists of two terms, what came of them, the alarms, and a trial's plan."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count
from pathlib import Path

from features import default_as_of
from features.counting.block_cache import kept_blocks
from histories.calendar import school_days
from histories.io.terminal import progress
from histories.reading.histories import Histories
from histories.settings import Settings
from serving.monitoring.alarms import load_limits
from serving.monitoring.judge import Terms
from serving.monitoring.monitor import MonitorReport, monitor
from serving.monitoring.stored import keep
from serving.pages.settings import PageSettings
from serving.store import Store
from serving.store.caller import command_line
from serving.store.trials.trials import plans
from serving.trials.plan import Plan
from serving.trials.rules import OutcomeRules
from serving.trials.trial import plan_trial
from training.risk_model import RiskModel
from training.task import Task

SCHOOL_DAYS = 10  # of the trial's weeks, also of a demo that is run in the summer
BETWEEN = timedelta(weeks=1)  # from a term's first list to its second
PLAN = """# Registered by 'onroll demo'; docs/trial.md explains each key. Nobody is allocated before 'onroll trial start'.
name = "demo-{day}"
question = "Does a call within two days raise attendance over {weeks} weeks?"
authority = "{authority}"
as_of = {day}
first = 400
list = "help_early"
unit = "family"
outcome = "attendance"
weeks = {weeks}
analyse_on = {analyse_on}
seed = 7
control = 0.80
treated = 0.88
"""


def serving_since(today: date) -> date:
    """Return the first of September of the school year before the present one, from which the demo's model serves.

    Examples
    --------
    >>> [serving_since(date(2026, month, 1)).isoformat() for month in (8, 9)]
    ['2024-09-01', '2025-09-01']
    """
    return date(today.year - (1 if today.month >= 9 else 2), 9, 1)


def earlier_lists(histories: Histories, task: Task) -> list[date]:
    """Return the days of two lists in each of the two newest terms whose outcomes are known, on days that the model has not learnt from."""
    newest = Task(definition=task.definition, horizon=task.horizon).newest_labelled(histories)
    terms = [d for d in default_as_of(histories) if task.until and task.until <= d and d + BETWEEN <= newest]
    return [d + weeks for d in terms[-2:] for weeks in (timedelta(0), BETWEEN)]


def store_earlier_lists(
    histories: Histories, model: RiskModel, days: list[date], store: Store, *, per_week: int
) -> None:
    """Store the lists that the model would have made on earlier days, each from what was known then, for teams of a capacity."""
    with progress("scoring earlier lists") as advance:
        for day in days:
            store.save(model.score(histories, day, advance=advance), per_week=per_week)


def evaluate_lists(current: Settings, histories: Histories, store: Store) -> MonitorReport:
    """Hold the stored lists beside what came, and keep for ``/monitor`` what may be shown."""
    capacity = PageSettings.load(current.pages).per_week
    with progress("monitoring") as advance:
        report = monitor(
            histories,
            store,
            command_line(),
            Terms(definitions={}, capacities={}, capacity=capacity),
            releases=current.releases,
            limits=load_limits(None),
            kept=kept_blocks(current),
            advance=advance,
        )
    with store.view(command_line()) as view:
        keep(view, report)
        view.record("monitor.kept")
    return report


def weeks_from(day: date) -> int:
    """Return for how many weeks the demo's trial measures attendance: six, or more where holidays leave too few school days.

    Examples
    --------
    >>> [weeks_from(date(2026, 9, 7)), weeks_from(date(2026, 7, 27))]
    [6, 8]
    """
    return next(n for n in count(6) if len(school_days(day, day + timedelta(weeks=n, days=-1))) >= SCHOOL_DAYS)


def plan_of(day: date, authority: str, folder: Path, store: Store) -> Plan:
    """Write and register the plan of a trial on a stored list, unless it is registered already."""
    file = folder / "trial.toml"
    weeks = weeks_from(day)
    analyse_on = day + timedelta(weeks=weeks + 3)
    file.write_text(PLAN.format(day=day, authority=authority, analyse_on=analyse_on, weeks=weeks), encoding="utf-8")
    plan = Plan.load(file)
    with store.view(command_line()) as view:
        known = plan.of.name in {p["name"] for p in plans(view)}
        view.record("trials.seen")
    if not known:
        plan_trial(store, command_line(), plan, rules=OutcomeRules())  # marks need none
    return plan


def summary_lines(report: MonitorReport) -> Iterator[str]:
    """Yield what the look found, a line each."""
    for term in report.judgement.terms:
        whole = term.whole
        yield f"{term.term}: {whole.expected:.0f} expected to go missing, {whole.observed:,} did"
    yield from (f"alarm {alarm.code} is up: {alarm.title}" for alarm in report.up)
