"""Tracking in MLflow: settings, figures and digests of each run, and never a pupil's row."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from histories.settings import Settings
from training.bundle import write_bundle
from training.card import card
from training.registry import client
from training.training import Trained

EXPERIMENT = "onroll"


def track(settings: Settings, trained: Trained) -> str:
    """Write a run with its parameters, figures and bundle; return its id.

    The experiment's artifacts lie under the working folder's ``mlruns/artifacts``.
    """
    api = client(settings)
    found = api.get_experiment_by_name(EXPERIMENT)
    settings.artifacts.mkdir(parents=True, exist_ok=True)
    experiment = (
        found.experiment_id
        if found
        else api.create_experiment(EXPERIMENT, artifact_location=settings.artifacts.as_uri())
    )
    m = trained.manifest
    run = api.create_run(
        experiment,
        tags={
            "data_digest": m.data_digest,
            "catalogue_digest": m.catalogue_digest,
            "code_version": m.code_version,
        },
    )
    run_id = run.info.run_id
    parameters = {
        **trained.settings,
        "definition": m.definition,
        "horizon_days": m.horizon_days,
        "until": m.until,
        "known": m.known,
        "seed": m.seed,
        "as_of_dates": len(m.trained_on),
    }
    for name, value in parameters.items():
        api.log_param(run_id, name, value)
    for name, value in _flat(m.metrics):
        api.log_metric(run_id, name, value)
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / "bundle"
        bundle.mkdir()
        write_bundle(bundle, trained.booster, m, card(m, trained.splits.text()))
        (Path(folder) / "splits.txt").write_text(trained.splits.text() + "\n", encoding="utf-8")
        api.log_artifacts(run_id, str(bundle), "bundle")
        api.log_artifact(run_id, str(Path(folder) / "splits.txt"))
    api.set_terminated(run_id)
    return run_id


def _flat(value: dict[str, Any], before: str = "") -> list[tuple[str, float]]:
    flat: list[tuple[str, float]] = []
    for key, inner in value.items():
        name = f"{before}{key}".replace("%", "pc")
        if isinstance(inner, dict):
            flat += _flat(inner, f"{name}.")
        elif isinstance(inner, list):
            flat += [(f"{name}.{side}", x) for side, x in zip(("low", "high"), inner, strict=True) if x is not None]
        elif inner is not None:
            flat.append((name, float(inner)))
    return flat
