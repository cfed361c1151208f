"""Tracking in MLflow: settings, figures and digests of each run, never a pupil's row."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from histories.settings import Settings
from training.bundle import write_bundle
from training.papers import Material, files_of
from training.pipeline import Trained
from training.release.registry import client

EXPERIMENT = "onroll"
MAX = 1000  # MLflow's limit of metrics in one call


class Run:
    """An MLflow run of one training.

    The experiment's artifacts lie under the working folder's ``mlruns/artifacts``.
    """

    def __init__(self, settings: Settings) -> None:
        self.api = client(settings)
        experiment = self.api.get_experiment_by_name(EXPERIMENT)
        settings.artifacts.mkdir(parents=True, exist_ok=True)
        self.experiment = (
            experiment.experiment_id
            if experiment
            else self.api.create_experiment(EXPERIMENT, artifact_location=settings.artifacts.as_uri())
        )
        self.run_id: str = self.api.create_run(self.experiment).info.run_id

    def trial(self, number: int, settings: dict[str, Any], value: float | None, state: str) -> None:
        """Log one tuning trial as a nested run."""
        tags = {"mlflow.parentRunId": self.run_id, "mlflow.runName": f"trial {number}", "state": state}
        nested = self.api.create_run(self.experiment, tags=tags).info.run_id
        metrics = [] if value is None else [("average_precision_before_judging", value)]
        self._log(nested, settings, metrics)
        self.api.set_terminated(nested, "FINISHED" if state == "complete" else "KILLED")

    def finish(self, trained: Trained, material: Material, more: Mapping[str, str] | None = None) -> str:
        """Log parameters, figures and the bundle with its papers; return the run's id.

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
        self._log(self.run_id, parameters, _flat(m.metrics), tags)
        with tempfile.TemporaryDirectory() as folder:
            bundle = Path(folder) / "bundle"
            bundle.mkdir()
            write_bundle(bundle, trained.booster, m, files_of(material), trained.recipe)
            beside = {
                "splits.txt": trained.splits.text() + "\n",
                "chosen.json": json.dumps({"how": trained.story, "leads": trained.against}, indent=1) + "\n",
                **(more or {}),
            }
            for name, text in beside.items():
                (Path(folder) / name).write_text(text, encoding="utf-8")
            self.api.log_artifacts(self.run_id, folder)
        self.api.set_terminated(self.run_id)
        return self.run_id

    def _log(
        self,
        run_id: str,
        params: Mapping[str, Any],
        metrics: list[tuple[str, float]],
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Log parameters, tags and figures in as few calls as possible, since each call is a transaction."""
        from mlflow.entities import Metric, Param, RunTag

        now = time.time_ns() // 1_000_000
        parameters = [Param(name, str(value)) for name, value in params.items()]
        self.api.log_batch(
            run_id, params=parameters, tags=[RunTag(name, value) for name, value in (tags or {}).items()]
        )
        figures = [Metric(name, value, now, 0) for name, value in metrics]
        for begin in range(0, len(figures), MAX):
            self.api.log_batch(run_id, metrics=figures[begin : begin + MAX])

    def fail(self) -> None:
        """Close the run as failed."""
        self.api.set_terminated(self.run_id, "FAILED")


def _flat(value: dict[str, Any], before: str = "") -> list[tuple[str, float]]:
    """Return every number with a unique name; pairs are intervals, and longer lists are skipped."""
    flat: list[tuple[str, float]] = []
    for key, inner in value.items():
        name = f"{before}{key}".replace("%", "pc")
        if isinstance(inner, dict):
            flat += _flat(inner, f"{name}.")
        elif isinstance(inner, list):
            pair = inner if len(inner) == 2 and not isinstance(inner[0], dict) else []
            flat += [(f"{name}.{side}", x) for side, x in zip(("low", "high"), pair, strict=False) if x is not None]
        elif inner is not None:
            flat.append((name, float(inner)))
    return flat
