"""The whole training workflow: train or adopt, gather the gates' evidence, track the run in MLflow and register the version."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from features.counting.block_cache import kept_blocks
from histories import location_cache
from histories.reading.histories import Histories
from histories.settings import Settings
from training.adoption.adopting import Parent, adopt
from training.bundle import bundle_digest, read_bundle, read_recipe
from training.catalogue_match import check_features
from training.evaluation.extended import extended_report
from training.fitting.helped import carried
from training.papers import Authority, Material
from training.pipeline import Trained, train
from training.release.gate_evidence import evidence_of_training
from training.release.registry import check_log, register, serving_folder
from training.release.tracking import Run
from training.task import ProgressCallback, Task, quiet

MODEL = "onroll"


@dataclass(frozen=True, kw_only=True)
class Registration:
    """A registered version.

    Attributes
    ----------
    trained : Trained
    run_id : str
        The run in MLflow.
    version : int
    folder : Path
        The released bundle.
    first : bool
        Whether it is the first version, which serves without approval.
    report : dict
        The extended report; empty unless requested.
    line : dict
        The line of the promotion log, to be recorded in the audit.
    """

    trained: Trained
    run_id: str
    version: int
    folder: Path
    first: bool
    report: dict[str, Any] = field(default_factory=dict)
    line: dict[str, Any] = field(default_factory=dict)


def train_and_register(
    settings: Settings,
    histories: Histories,
    location: Path | str,
    task: Task | None = None,
    *,
    config: Mapping[str, Any] | None = None,
    seed: int = 1,
    trials: int = 0,
    extended: bool = False,
    advance: ProgressCallback = quiet,
) -> Registration:
    """Train a model on histories and register it; if a step fails, the MLflow run is closed as failed.

    Parameters
    ----------
    location : Path or str
        Location of the histories, remembered so that the model can be reproduced.
    config : mapping, optional
        Settings of the booster; see ``booster_settings.load_config``.
    trials : int
        Number of booster settings to try.
    extended : bool
        Also evaluate by group, theme, authority and week (``training.evaluation.extended``).

    Raises
    ------
    Faults
        If the model's log does not verify, the authority's facts cannot be read, or there are too few known outcomes.
    """
    task = task or Task()
    task.days(histories)

    def make(run: Run) -> Trained:
        return train(
            histories,
            task,
            config=dict(config) if config else None,
            seed=seed,
            memory=settings.memory,
            kept=kept_blocks(settings),
            trials=trials,
            storage=settings.studies,
            on_trial=run.trial,
            advance=advance,
        )

    return track_and_register(settings, histories, location, task, make, seed=seed, extended=extended, advance=advance)


def adopt_and_register(
    settings: Settings,
    histories: Histories,
    location: Path | str,
    bundle: Path,
    *,
    seed: int = 1,
    helped: str | None = None,
    advance: ProgressCallback = quiet,
) -> Registration:
    """Adopt a model of another authority (``training.adoption``) and register it like a trained one.

    Parameters
    ----------
    bundle : Path
        The folder of the model, as written by ``onroll models export``.
    helped : str, optional
        How outcomes here that help changed are handled (``fitting.helped``); by default as in the other authority.

    Raises
    ------
    Faults
        As ``train_and_register``, and if the bundle is damaged or its features are no longer computed as they were.
    """
    digest = bundle_digest(bundle)
    booster, manifest = read_bundle(bundle, digest or None)
    check_features(manifest, str(bundle))
    parent = Parent(booster, manifest, read_recipe(bundle), digest)
    task = parent.task()
    task = replace(task, helped=carried(task.helped) if helped is None else helped)
    task.days(histories)

    def make(run: Run) -> Trained:
        return adopt(
            parent,
            histories,
            task,
            seed=seed,
            memory=settings.memory,
            kept=kept_blocks(settings),
            advance=advance,
        )

    return track_and_register(settings, histories, location, task, make, seed=seed, advance=advance)


def track_and_register(
    settings: Settings,
    histories: Histories,
    location: Path | str,
    task: Task,
    make: Callable[[Run], Trained],
    *,
    seed: int,
    extended: bool = False,
    advance: ProgressCallback = quiet,
) -> Registration:
    """Make a model in a tracked run, gather its evidence and papers, and register it; parameters as for ``train_and_register``.

    Parameters
    ----------
    make : callable
        Makes the model, given the run.
    """
    facts = Authority.load(settings.authority_facts)
    check_log(settings, MODEL)
    run = Run(settings)
    try:
        trained = make(run)
        report = extended_report(histories, task, trained, seed, advance) if extended else {}
        champion = serving_folder(settings, MODEL)
        # The first model has no champion to beat; 'models judge' gathers its evidence.
        evidence = None
        if champion:
            evidence = evidence_of_training(
                histories=histories, task=task, trained=trained, champion=champion, seed=seed, advance=advance
            )
        advance(description="tracking")
        material = Material.of(histories, task, trained, facts=facts, run_id=run.run_id, report=report)
        documents = {"report.json": report, "evidence.json": evidence}
        tracked = run.finish(
            trained, material, {name: json.dumps(value, indent=1) for name, value in documents.items() if value}
        )
    except BaseException:
        run.fail()
        raise
    version, folder, line = register(
        settings, trained, run_id=tracked.run_id, model_id=tracked.model_id, material=material, evidence=evidence
    )
    location_cache.remember(settings.whereabouts, trained.manifest.data_digest, location)
    return Registration(
        trained=trained,
        run_id=tracked.run_id,
        version=version,
        folder=folder,
        first=champion is None,
        report=report,
        line=line,
    )
