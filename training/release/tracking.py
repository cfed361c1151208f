"""Tracking in MLflow: settings, figures, digests and the model of each run, never a pupil's row."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from histories.settings import Settings
from training.bundle import Manifest, write_bundle
from training.evaluation.extended import CAPACITY
from training.measures.evaluate import list_key
from training.papers import Material, files_of
from training.pipeline import Trained
from training.release.mlflow_model import log_model
from training.release.registry import client

EXPERIMENT = "onroll"
AT = list_key(CAPACITY)  # where precision and recall "at capacity" are read
EARLY = "at_least_28_days"  # lead time of the early figures


@dataclass(frozen=True, kw_only=True)
class Tracked:
    """A finished run.

    Attributes
    ----------
    run_id : str
    model_id : str
        The model that MLflow loads; see ``training.release.mlflow_model``.
    """

    run_id: str
    model_id: str


class Run:
    """An MLflow run of one training.

    The experiment's artifacts lie under the working folder's ``mlruns/artifacts``, or with the tracking server if there is one.
    """

    def __init__(self, settings: Settings) -> None:
        self.api = client(settings)
        experiment = self.api.get_experiment_by_name(EXPERIMENT)
        self.experiment = (
            experiment.experiment_id
            if experiment
            else self.api.create_experiment(EXPERIMENT, artifact_location=_artifacts(settings))
        )
        self.run_id: str = self.api.create_run(self.experiment).info.run_id

    def trial(self, number: int, settings: dict[str, Any], value: float | None, state: str) -> None:
        """Log one tuning trial as a nested run."""
        tags = {"mlflow.parentRunId": self.run_id, "mlflow.runName": f"trial {number}", "state": state}
        nested = self.api.create_run(self.experiment, tags=tags).info.run_id
        self._log_settings(nested, settings)
        if value is not None:
            self._log_metrics(nested, {"average_precision_before_judging": value})
        self.api.set_terminated(nested, "FINISHED" if state == "complete" else "KILLED")

    def finish(self, trained: Trained, material: Material, more: Mapping[str, str] | None = None) -> Tracked:
        """Log parameters, figures, and the bundle with its papers as a model that MLflow loads.

        Parameters
        ----------
        material : Material
            The input of the papers.
        more : mapping, optional
            Additional texts by file name, such as the report.
        """
        m = trained.manifest
        parameters = {
            **trained.settings,
            "definition": m.definition,
            "horizon_days": m.horizon_days,
            "until": m.until,
            "known": m.known,
            "seed": m.seed,
            "as_of_dates": len(m.trained_on),
            "candidate": m.candidate,
        }
        tags = {name: getattr(m, name) for name in ("data_digest", "catalogue_digest", "code_version")}
        tags |= {name: trained.recipe[name] or "" for name in ("trained_by", "code", "lock")}
        self._log_settings(self.run_id, parameters, tags)
        with tempfile.TemporaryDirectory() as folder:
            bundle = Path(folder) / m.name
            bundle.mkdir()
            write_bundle(bundle, trained.booster, m, files_of(material), trained.recipe)
            model_id = log_model(bundle, m, self.run_id)
        self._log_headline(m, model_id)
        with tempfile.TemporaryDirectory() as folder:
            texts = {
                "figures.csv": figures_table(m.metrics),
                "splits.txt": trained.splits.text() + "\n",
                "chosen.json": json.dumps({"how": trained.story, "leads": trained.against}, indent=1) + "\n",
                **(more or {}),
            }
            for name, text in texts.items():
                (Path(folder) / name).write_text(text, encoding="utf-8")
            self.api.log_artifacts(self.run_id, folder)
        self.api.set_terminated(self.run_id)
        return Tracked(run_id=self.run_id, model_id=model_id)

    def _log_headline(self, manifest: Manifest, model_id: str) -> None:
        """Log the released candidate's own figures under plain names, tied to the model and to the histories' digest."""
        from mlflow.entities import Dataset, DatasetInput

        digest = manifest.data_digest[:32]  # MLflow keeps 36 characters
        data = Dataset("histories", digest, "code", json.dumps({"sha256": manifest.data_digest}))
        self.api.log_inputs(self.run_id, [DatasetInput(data, [])])
        tied = {"model_id": model_id, "dataset_name": "histories", "dataset_digest": digest}
        self._log_metrics(self.run_id, headline(manifest.figures), **tied)

    def _log_settings(self, run_id: str, params: Mapping[str, Any], tags: Mapping[str, str] | None = None) -> None:
        """Log parameters and tags in one call, since each call is a transaction."""
        from mlflow.entities import Param, RunTag

        self.api.log_batch(
            run_id,
            params=[Param(name, str(value)) for name, value in params.items()],
            tags=[RunTag(name, value) for name, value in (tags or {}).items()],
        )

    def _log_metrics(self, run_id: str, values: Mapping[str, float], **tied: str) -> None:
        """Log metrics in one call, tied to a model and a dataset where named."""
        from mlflow.entities import Metric

        now = time.time_ns() // 1_000_000
        self.api.log_batch(run_id, metrics=[Metric(name, value, now, 0, **tied) for name, value in values.items()])

    def fail(self) -> None:
        """Close the run as failed."""
        self.api.set_terminated(self.run_id, "FAILED")


def _artifacts(settings: Settings) -> str | None:
    """Return where a new experiment keeps its artifacts; None lets the tracking server decide, which everybody else reads them from."""
    if settings.tracking_uri.startswith(("http://", "https://")):
        return None
    settings.artifacts.mkdir(parents=True, exist_ok=True)
    return settings.artifacts.as_uri()


def headline(figures: Mapping[str, Any]) -> dict[str, float]:
    """Return the figures by which runs are compared, by the names that MLflow's users look for; those not known are left out."""
    early = figures.get("early", {}).get(EARLY, {}).get(f"top_{CAPACITY}", {})
    values = {
        **{name: figures[name] for name in ("average_precision", "auc", "brier", "calibration_slope")},
        **{f"{name}_at_capacity": figures["at_capacity"][AT][name] for name in ("precision", "recall")},
        **{name: early.get(name) for name in ("early_precision", "early_recall")},
    }
    return {name: float(value) for name, value in values.items() if value is not None}


def figures_table(metrics: Mapping[str, Any]) -> str:
    """Return every figure of every candidate as CSV; MLflow's pages show it as a table."""
    return "figure,value\n" + "".join(f"{name},{value!r}\n" for name, value in _flat(dict(metrics)))


def _flat(value: dict[str, Any], before: str = "") -> list[tuple[str, float]]:
    """Return every number with a unique name; pairs are intervals, and longer lists are skipped."""
    flat: list[tuple[str, float]] = []
    for key, inner in value.items():
        name = f"{before}{key}"
        if isinstance(inner, dict):
            flat += _flat(inner, f"{name}.")
        elif isinstance(inner, list):
            pair = inner if len(inner) == 2 and not isinstance(inner[0], dict) else []
            flat += [(f"{name}.{side}", x) for side, x in zip(("low", "high"), pair, strict=False) if x is not None]
        elif inner is not None:
            flat.append((name, float(inner)))
    return flat
