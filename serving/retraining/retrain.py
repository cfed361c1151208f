"""One term's retraining as a whole: check, monitor, train, gates, papers, challenger. It stops there: a person promotes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from features.counting.block_cache import kept_blocks
from histories.checks.check import check
from histories.errors import Fault, Faults
from histories.reading.histories import Histories
from histories.settings import Settings
from serving.access.configuration import Configuration
from serving.monitoring.alarms import AlarmResult, Limits
from serving.monitoring.judge import Terms
from serving.monitoring.monitor import monitor
from serving.retraining.changes import Changes, changes_of
from serving.retraining.refusals import refusals, set_aside
from serving.store import Store
from serving.store.audit.model_log import check_where_audited, record
from serving.store.caller import Caller
from serving.store.scores.complete_lists import weekly_capacities
from training.bundle import read_bundle, read_recipe
from training.fitting.helped import carried
from training.provenance import task_of
from training.readiness import monthly_task
from training.release.comparing import compare_lists
from training.release.promotion import current_evidence, gates
from training.release.registry import champion, check_log, folder_of
from training.risk_model import RiskModel
from training.task import ProgressCallback, Task, quiet
from training.workflow import MODEL, Registration, train_and_register


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to retrain.

    Attributes
    ----------
    config : mapping or None
        Settings of the booster; by default those of the champion.
    monthly : bool
        As-of dates: monthly instead of the start of each term.
    helped : str or None
        How outcomes that help changed are handled (``training.fitting.helped``); by default as for the champion.
    seed : int or None
        By default that of the champion.
    capacity : int
        Children on each list, for the comparison and for authorities that have set no capacity.
    limits : dict
        Of the alarms.
    silences : mapping
        Reasons of the rules of the check that the authority silences.
    day : date or None
        The day as of which alarms look at the records, taken as today; see ``serving.monitoring.monitor``.
    """

    config: Mapping[str, Any] | None = None
    monthly: bool = False
    helped: str | None = None
    seed: int | None = None
    capacity: int
    limits: dict[str, Limits]
    silences: Mapping[str, str]
    day: date | None = None


@dataclass(frozen=True, kw_only=True)
class Retrained:
    """The outcome of a retraining that was not refused.

    Attributes
    ----------
    registration : Registration
        The new version, which is the challenger.
    changes : Changes
        Against the champion.
    alarms : list of AlarmResult
        The alarms that are up: acknowledged, or remedied by retraining.
    set_aside : list of str
        What else kept a rule from refusing: changed limits, a day named as today, silenced rules, alarms that could not be judged.
    """

    registration: Registration
    changes: Changes
    alarms: list[AlarmResult]
    set_aside: list[str]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data, without any child."""
        manifest = self.registration.trained.manifest
        return {
            "version": self.registration.version,
            "folder": str(self.registration.folder),
            "run_id": self.registration.run_id,
            "candidate": manifest.candidate,
            "trained_on": manifest.trained_on,
            "alarms": [a.to_dict() for a in self.alarms],
            "set_aside": self.set_aside,
            "changes": self.changes.to_dict(),
        }


def retrain(
    settings: Settings,
    histories: Histories,
    location: Path | str,
    store: Store,
    caller: Caller,
    options: Options,
    *,
    advance: ProgressCallback = quiet,
) -> Retrained:
    """Train and register a challenger by the champion's task on newer histories, and compare it with the champion.

    Parameters
    ----------
    histories : Histories
    location : Path or str
        Location of the histories, remembered so that the version can be reproduced.

    Raises
    ------
    Faults
        If there is no champion, the check finds errors, an alarm is open (``serving.retraining.refusals``), or training fails. A refusal
        is in the audit, and nothing is trained.
    """
    serving = champion(settings, MODEL)
    if not serving:
        raise Faults(Fault("there is no champion to retrain", MODEL, "Train the first version with 'onroll train'."))
    check_log(settings, MODEL)
    check_where_audited(settings, MODEL)
    folder = folder_of(settings, MODEL, serving)
    _, manifest = read_bundle(folder)
    recipe = read_recipe(folder)
    task = _task(recipe, folder)
    task = replace(task, helped=carried(task.helped) if options.helped is None else options.helped)
    alarms, passed_over = _checked(settings, histories, store, caller, options, task=task, advance=advance)
    if options.monthly:
        task = monthly_task(histories, task)
    registration = train_and_register(
        settings,
        histories,
        location,
        task,
        config=options.config or recipe["config"],
        seed=manifest.seed if options.seed is None else options.seed,
        advance=advance,
    )
    record(settings, MODEL, registration.line)  # the service then takes the challenger
    version = registration.version
    compared = compare_lists(
        histories,
        RiskModel.load(folder),
        RiskModel.load(registration.folder),
        histories.last_known() + timedelta(days=1),
        options.capacity,
        rule=task.rule,
        kept=kept_blocks(settings),
        advance=advance,
    )
    evidence = current_evidence(settings, MODEL, version)
    verdicts = gates(settings, MODEL, version)
    changes = changes_of(serving, version, evidence, compared, verdicts)
    store.note(
        caller,
        "model.retrained",
        version=version,
        champion=serving,
        failed=[v.code for v in changes.failed],
        alarms=[a.code for a in alarms],
        set_aside=passed_over,
    )
    return Retrained(registration=registration, changes=changes, alarms=alarms, set_aside=passed_over)


def _task(recipe: Mapping[str, Any], folder: Path) -> Task:
    """Return the champion's definition, window and cohort, to be asked of every term there is now."""
    try:
        return replace(task_of(recipe), as_of=(), until=None, known_on=None)
    except (KeyError, TypeError, ValueError) as error:
        do = "Train with 'onroll train', which writes recipes, and promote that version first."
        raise Faults(Fault("the champion has no complete recipe", str(folder), do)) from error


def _checked(
    settings: Settings,
    histories: Histories,
    store: Store,
    caller: Caller,
    options: Options,
    *,
    task: Task,
    advance: ProgressCallback,
) -> tuple[list[AlarmResult], list[str]]:
    """Check the records and the alarms, and return the alarms that are up and stop nothing, and what was set aside; raise ``Faults`` with all that stop it."""
    advance(description="checking")
    checked = check(histories, dict(options.silences))
    with store.view(caller) as view:
        capacities = weekly_capacities(view)
        view.record("capacities.seen", count=len(capacities))
    terms = Terms(
        definitions={task.definition.name: task.definition},
        capacities=capacities,
        capacity=options.capacity,
        rule=task.rule,
        schools=Configuration.load(settings.access).localities,
    )
    monitored = monitor(
        histories,
        store,
        caller,
        terms,
        releases=settings.releases,
        limits=options.limits,
        day=options.day,
        kept=kept_blocks(settings),
        advance=advance,
    )
    faults = refusals(checked, monitored.alarms)
    passed_over = set_aside(monitored.alarms, options.limits, options.silences, options.day)
    if faults:
        store.note(caller, "retraining.refused", rules=sorted({f.code for f in faults}), set_aside=passed_over)
        raise Faults(faults)
    return monitored.up, passed_over
