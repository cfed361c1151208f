"""Adopt a model of another authority: its margins stay, its calibration is adapted, and it is judged on local days."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import date
from importlib.metadata import version as version_of
from typing import Any

import numpy as np
import polars as pl

from features.catalogue import catalogue
from features.counting.block_cache import BlockStore
from histories.errors import Fault, Faults
from histories.reading.histories import Histories
from training import bands
from training.adoption import recalibration
from training.bundle import Manifest
from training.explanation.scorer import scorer_of
from training.fitting.blas_threads import BLAS_THREADS, fixed_blas_threads
from training.fitting.candidates import boosted, grid
from training.fitting.rolling_origin import Predictions, judge_all, matrix_of, predict, weight_of
from training.fitting.splits import Origin, Splits, known_before
from training.measures import calibration
from training.measures.metrics import numbers
from training.pipeline import LIMITS, Trained, finite
from training.provenance import recipe, task_of, text_of
from training.task import ProgressCallback, Task, quiet

UNADAPTED = "unadapted"  # the same margins with the parent's calibration, in the figures
BASELINES = ("base_rate", "checklist")
LIMIT = "It was trained on another authority's records; only its calibration was adapted here. What is linked with going missing may differ here."
# What adopting replaces in a manifest; the parent's values are kept under ``parent``, so that adopting can be repeated.
REPLACED = (
    "version",
    "until",
    "known",
    "calibrator",
    "bands",
    "base_rate",
    "limits",
    "seed",
    "code_version",
    "data_digest",
)


@dataclass(frozen=True)
class Parent:
    """A released model of another authority.

    Attributes
    ----------
    booster : str
        As LightGBM's text; empty for a ridge regression alone.
    manifest : Manifest
    recipe : dict
    bundle : str
        Digest of its bundle.
    """

    booster: str
    manifest: Manifest
    recipe: dict[str, Any]
    bundle: str

    @classmethod
    def of_adopted(cls, booster: str, manifest: Manifest, recipe: dict[str, Any]) -> Parent:
        """Return the parent of an adopted model."""
        before = {name: manifest.parent["replaced"][name] for name in REPLACED}
        return cls(
            booster, replace(manifest, **before, metrics={}, leads={}, parent={}), recipe, manifest.parent["bundle"]
        )

    def task(self) -> Task:
        """Return the task of the model, on the other authority's days.

        Raises
        ------
        Faults
            If its recipe is incomplete.
        """
        try:
            return replace(task_of(self.recipe), as_of=(), until=None, known_on=None)
        except (KeyError, TypeError, ValueError) as error:
            do = "Export it again from an onroll that writes recipes."
            raise Faults(Fault("the model has no complete recipe", f"bundle {self.bundle[:16]}", do)) from error


@dataclass(kw_only=True)
class AdoptedPredictions(Predictions):
    """Predictions of a model that learned nothing here.

    Attributes
    ----------
    risks : dict of float array
        Risks as they would have been on each day, by candidate; other candidates are calibrated on earlier origins.
    """

    risks: dict[str, np.ndarray] = field(default_factory=dict)

    def risk(self, name: str) -> np.ndarray:
        """Return a candidate's risks on each day."""
        return self.risks[name] if name in self.risks else super().risk(name)


def adopt(
    parent: Parent,
    histories: Histories,
    task: Task | None = None,
    *,
    seed: int = 1,
    memory: str | None = None,
    kept: BlockStore | None = None,
    advance: ProgressCallback = quiet,
) -> Trained:
    """Recalibrate a model on an authority's known outcomes and judge it day by day, each with what was known before it.

    Parameters
    ----------
    task : Task, optional
        The parent's by default.

    Raises
    ------
    Faults
        If fewer than two days can be judged, or no child is known to have gone missing.
    """
    task = task or parent.task()
    with fixed_blas_threads(BLAS_THREADS):
        advance(description="labels")
        labels, helped = task.with_counts(histories, task.as_they_came().labels(histories))
        splits = local_splits(labels)
        frame = task.labelled(histories, labels, memory=memory, seed=seed, kept=kept, advance=advance)
        predictions = _predicted(parent, frame, splits, seed, advance)
        advance(description="judging")
        name, of_parent = parent.manifest.candidate, parent.manifest.calibrator
        figures, against = judge_all(predictions, name, seed)
        margins, label, weight = _margins(parent, frame), frame["label"].to_numpy(), weight_of(frame)
        a, b = recalibration.recalibrated(margins, label, weight, of_parent)
        pairs = recalibration.bootstrap(
            margins=margins,
            label=label,
            weight=weight,
            pupil=numbers(frame, "pupil_id"),
            calibrator=of_parent,
            seed=seed,
        )
        calibrator = {**of_parent, "a": a, "b": b, "bootstrap": pairs}
        intercept, slope = recalibration.change(of_parent, (a, b), margins)
        story = {
            "events": int(label.sum()),
            "snapshots": round(float(weight.sum())),
            "intercept": intercept,
            "slope": slope,
            "log_loss": {n: _log_loss(predictions, n) for n in (name, UNADAPTED)},
            "brier": {n: figures[n]["brier"] for n in (name, UNADAPTED)},
        }
        m = parent.manifest
        manifest = replace(
            m,
            version="0",
            until=text_of(task.until),
            known=text_of(task.known_on),
            calibrator=calibrator,
            bands=bands.limits_of(calibration.risk(margins, a, b), weight),
            base_rate=float(np.average(label, weights=weight)),
            limits=[*LIMITS, LIMIT],
            seed=seed,
            code_version=version_of("onroll"),
            data_digest=histories.digest(),
            metrics=finite(figures),
            leads=finite(against),
            parent=finite(
                {
                    "bundle": parent.bundle,
                    "name": m.name,
                    "version": m.version,
                    "recalibration": story,
                    "replaced": {field_name: asdict(m)[field_name] for field_name in REPLACED},
                }
            ),
        )
        return Trained(
            booster=parent.booster,
            manifest=manifest,
            frame=frame,
            splits=splits,
            predictions=predictions,
            story=finite({"chosen_by": "adopted", **story}),
            settings=parent.recipe.get("released", dict(boosted.DEFAULTS)),
            recipe={
                **recipe(
                    histories,
                    task,
                    config=parent.recipe.get("config", boosted.DEFAULTS),
                    released=parent.recipe.get("released", boosted.DEFAULTS),
                    seed=seed,
                    memory=memory,
                    trials=0,
                    blas_threads=BLAS_THREADS,
                    parts=bool(parent.recipe.get("parts")),
                    helped=helped.to_dict(),
                ),
                "catalogue": m.catalogue_digest,  # of the model, which may lack features added since
                "adopted": {"bundle": parent.bundle, "version": m.version},
            },
        )


def local_splits(labels: pl.DataFrame) -> Splits:
    """Return every labelled day before which an outcome was known as an origin; all but the first, on which baselines are calibrated, are judged.

    Raises
    ------
    Faults
        If fewer than two days can be judged, or no child is known to have gone missing.
    """
    dates = sorted(labels["as_of"].unique().to_list())
    usable = [(day, learned) for day in dates if (learned := _learned(labels, day))]
    origins = [Origin(day, learned, judged=n > 0) for n, (day, learned) in enumerate(usable)]
    judged, faults = [o.day for o in origins if o.judged], []
    do = "Score with the bundle as it is (onroll score --model BUNDLE), and adopt it when more outcomes are known."
    if len(judged) < 2:
        faults.append(Fault(f"only {len(judged)} as-of dates can be judged; two are needed", "models adopt", do))
    if not labels.filter(pl.col("as_of").is_in(judged))["label"].sum():
        faults.append(Fault("no child of these days is known to have gone missing", "models adopt", do))
    if faults:
        raise Faults(faults)
    return Splits(dates, origins)


def _learned(labels: pl.DataFrame, day: date) -> tuple[date, ...]:
    return tuple(sorted(known_before(labels, day)["as_of"].unique().to_list()))


def _margins(parent: Parent, frame: pl.DataFrame) -> np.ndarray:
    return scorer_of(parent.booster, parent.manifest).margins(matrix_of(frame, parent.manifest.features))


def _predicted(
    parent: Parent, frame: pl.DataFrame, splits: Splits, seed: int, advance: ProgressCallback
) -> AdoptedPredictions:
    """Return the predictions of the adopted model, of the model as it came, and of baselines."""
    baselines = [c for c in grid(boosted.DEFAULTS) if c.name in BASELINES]
    made = predict(
        frame=frame, names=catalogue().names, splits=splits, candidates=baselines, seed=seed, advance=advance
    )
    name, calibrator = parent.manifest.candidate, parent.manifest.calibrator
    margins = _margins(parent, made.frame)
    adapted = np.empty(len(margins))
    for n, origin in enumerate(splits.origins):
        past, now = known_before(frame, origin.day), made.origin == n
        pair = recalibration.recalibrated(_margins(parent, past), past["label"].to_numpy(), weight_of(past), calibrator)
        adapted[now] = calibration.risk(margins[now], *pair)
    unadapted = calibration.risk(margins, calibrator["a"], calibrator["b"])
    return AdoptedPredictions(
        frame=made.frame,
        origin=made.origin,
        judged=made.judged,
        seen=np.zeros(len(margins), bool),
        margins={**made.margins, UNADAPTED: margins, name: margins},
        risks={UNADAPTED: unadapted, name: adapted},
    )


def _log_loss(predictions: AdoptedPredictions, name: str) -> float:
    risk, label = np.clip(predictions.risks[name], 1e-9, 1 - 1e-9), predictions.label
    return float(np.average(-label * np.log(risk) - (1 - label) * np.log1p(-risk), weights=predictions.weight))
