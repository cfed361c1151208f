"""Training: from histories to a calibrated model with its figures."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from features.catalogue import catalogue
from features.counting.block_cache import BlockStore
from histories.reading.histories import Histories
from training import bands
from training.bundle import BOOSTER_ALONE, PARTS, Manifest
from training.explanation.scorer import weighted_mean
from training.fitting import uncertainty
from training.fitting.blas_threads import BLAS_THREADS, fixed_blas_threads
from training.fitting.candidates import Learn, Learning, boosted, grid, learner, releasable, ridge
from training.fitting.helped import AS_THEY_CAME
from training.fitting.pace import Pace, work_of_the_model, work_of_training
from training.fitting.partial_windows import with_exposure, with_parts
from training.fitting.rolling_origin import Predictions, judge_all, learn_from, matrix_of, predict, weight_of
from training.fitting.selection import choose
from training.fitting.splits import Splits
from training.fitting.timing import expected_and_came, followed, timing
from training.fitting.tuning import OnTrial, tune
from training.labeller import Labeller
from training.measures import calibration
from training.measures.metrics import numbers
from training.provenance import recipe, text_of
from training.readiness import checked_split
from training.task import ProgressCallback, Task, quiet

LIMITS = [
    "A score is not a finding: it orders a list for people to look at, and decides nothing.",
    "A low score does not mean that a child is safe; most children are not listed, and some who go missing are missed.",
    "It says what is linked with going missing, never what causes it.",
    "Ethnicity, sex, language, religion and free school meals are not used; other features may still stand in for them.",
    "Children without records here (new arrivals, independent schools) are not scored, or are scored on little.",
]


@dataclass(kw_only=True)
class Trained:
    """The result of a training run.

    Attributes
    ----------
    booster : str
        The booster as LightGBM's text; empty for a ridge regression alone.
    manifest : Manifest
    frame : polars.DataFrame
        The labelled snapshots whose windows are fully known; kept in memory for the report and never written.
    predictions : Predictions
        Every candidate's predictions at the origins.
    story : dict
        How the candidate was chosen.
    settings : dict
        Settings of the chosen candidate.
    recipe : dict
        See ``provenance.recipe``.
    """

    booster: str
    manifest: Manifest
    frame: pl.DataFrame
    splits: Splits
    predictions: Predictions
    story: dict[str, Any]
    settings: dict[str, Any]
    recipe: dict[str, Any]

    @property
    def learn(self) -> Learn:
        """How the chosen candidate learns from other rows."""
        return learner(self.manifest.candidate, self.settings)

    @property
    def judged(self) -> dict[str, Any]:
        """Figures by candidate."""
        return self.manifest.metrics

    @property
    def against(self) -> dict[str, Any]:
        """The chosen candidate's leads over each other, with intervals."""
        return self.manifest.leads


def train(
    histories: Histories,
    task: Task | None = None,
    *,
    config: dict[str, Any] | None = None,
    seed: int = 1,
    memory: str | None = None,
    kept: BlockStore | None = None,
    trials: int = 0,
    storage: Path | None = None,
    on_trial: OnTrial = lambda number, settings, value, state: None,
    blas_threads: int | None = BLAS_THREADS,
    advance: ProgressCallback = quiet,
) -> Trained:
    """Train every candidate, evaluate them over time and choose one by regret.

    Parameters
    ----------
    task : Task, optional
        By default, the default definition at the start of every term.
    config : dict, optional
        Settings of the booster; see ``booster_settings.load_config``.
    memory, kept : str, BlockStore, optional
        See ``Task.labelled``.
    trials : int
        Number of booster settings to try (see ``tuning``); 0 keeps ``config``.
    storage : Path, optional
        File of the tuning study, so that an interrupted search resumes.
    on_trial : callable
        Called after each trial.
    blas_threads : int, optional
        Threads of linear algebra; None takes what the environment sets, as models were trained before it was recorded.

    Raises
    ------
    Faults
        If there are too few known outcomes.
    """
    with fixed_blas_threads(blas_threads):
        task, settings, pace = task or Task(), config or dict(boosted.DEFAULTS), Pace(advance)
        pace(description="labels")
        labeller = Labeller(histories, task)
        came = labeller.labels(task.as_they_came())
        labels, helped = task.with_counts(histories, came)
        splits = checked_split(histories, task, labels)  # raises before any feature is built
        parts = task.partly_known(histories, labeller.leavings)
        if parts is None:
            # Origins then learn without parts too, as the released model does.
            asked = labels.drop("matured_on", strict=False)
        else:
            asked, splits = pl.concat([labels, parts]), with_parts(splits, labels, parts)
            _, helped = task.with_counts(histories, came, parts)
        if not trials:  # nobody knows how long a search takes
            pace.expect(work_of_training(asked, splits, grid(settings)))
        pace(description="features", work=("features", len(asked)))
        frame = learned = task.labelled(histories, asked, memory=memory, seed=seed, kept=kept, advance=pace)
        if parts is not None:
            is_whole = pl.col("window_days") == task.horizon
            frame, rest = learned.filter(is_whole), learned.filter(~is_whole)
            learned = with_exposure(frame, rest)
        pace.end()
        pace.expect([])
        digest = histories.digest()
        if trials:
            study = _study(digest, task, splits, settings, seed)
            settings = tune(
                frame,
                catalogue().names,
                splits,
                trials=trials,
                start=settings,
                seed=seed,
                study=study,
                storage=storage,
                on_trial=on_trial,
                advance=pace,
            )
        candidates = grid(settings)
        pace.expect(work_of_training(learned, splits, candidates))
        predictions = predict(
            frame=frame, names=catalogue().names, splits=splits, candidates=candidates, seed=seed, advance=pace
        )
        pace(description="judging", work=("judging", len(predictions.frame)))
        chosen, story = choose(predictions, releasable(candidates, settings), seed)
        figures, against = judge_all(predictions, chosen, seed)
        onsets = followed(task, histories, frame, labeller)
        figures[chosen]["within"] = expected_and_came(predictions, chosen, onsets, task.horizon)
        released = next(c.settings for c in candidates if c.name == chosen) or settings
        pace.expect(work_of_the_model(chosen, len(learned)))
        pace(description="the final model", work=(chosen, len(learned)))
        learning = learn_from(learned, catalogue().names, seed)
        made_of = PARTS.get(chosen, BOOSTER_ALONE)
        booster = boosted.train(learning, released) if "booster" in made_of else None
        terms = ridge.fit(learning, released["monotone"]) if "ridge" in made_of else None
        newest = matrix_of(frame.filter(pl.col("as_of") == frame["as_of"].max()), catalogue().names)
        margins = [terms.margins(newest)] if terms else []
        margins += [boosted.margins(booster, newest)] if booster else []  # in the order of PARTS
        calibrator = fit_calibrator(
            predictions=predictions,
            chosen=chosen,
            learning=learning,
            frame=learned,
            newest=Newest(x=newest, margins=weighted_mean(margins, list(made_of.values()))),
            learn=learner(chosen, released),
            seed=seed,
            advance=pace,
        )
        pace.end()
        manifest = Manifest(
            name="onroll",
            version="0",
            trained_on=[str(d) for d in learned["as_of"].unique().sort().to_list()],
            until=text_of(task.until),
            known=text_of(task.known_on),
            newest_labelled=str(frame["as_of"].max()),
            definition=task.definition.name,
            horizon_days=task.horizon,
            features=catalogue().names,
            catalogue=catalogue().declarations(),
            catalogue_digest=catalogue().digest,
            feature_digests=catalogue().feature_digests(catalogue().names),
            calibrator=calibrator,
            bands=bands.limits_of(
                calibration.risk(predictions.margins[chosen], calibrator["a"], calibrator["b"]), predictions.weight
            ),
            base_rate=float(np.average(frame["label"].to_numpy(), weights=weight_of(frame))),
            themes=catalogue().themes,  # type: ignore[arg-type]
            metrics=finite(figures),
            candidate=chosen,
            limits=LIMITS,
            seen=_seen(frame),
            seed=seed,
            code_version=version_of("onroll"),
            data_digest=digest,
            leads=finite(against),
            ridge=terms.stored() if terms else {},
            timing=timing(onsets, task.horizon),
        )
        provenance = recipe(
            histories,
            task,
            config=settings,
            released=released,
            seed=seed,
            memory=memory,
            trials=trials,
            blas_threads=blas_threads,
            parts=parts is not None,
            helped=helped.to_dict(),
        )
        return Trained(
            booster=booster.model_to_string(num_iteration=-1) if booster else "",
            manifest=manifest,
            frame=frame,
            splits=splits,
            predictions=predictions,
            story=finite(story),
            settings=released,
            recipe=provenance,
        )


@dataclass(frozen=True, kw_only=True)
class Newest:
    """The snapshots of the newest day, on which a model's uncertainty is measured.

    Attributes
    ----------
    x : float array, shape (rows, features)
    margins : float array, shape (rows,)
        The model's margins of them.
    """

    x: np.ndarray
    margins: np.ndarray


def fit_calibrator(
    *,
    predictions: Predictions,
    chosen: str,
    learning: Learning,
    frame: pl.DataFrame,
    newest: Newest,
    learn: Learn,
    seed: int,
    advance: ProgressCallback = quiet,
) -> dict[str, Any]:
    """Fit the calibrator to the predictions at all origins and measure its uncertainty.

    Parameters
    ----------
    frame : polars.DataFrame
        The rows of ``learning``, with their ``pupil_id``.
    learn : callable
        Trains the model on other rows.
    """
    margins, label = predictions.margins[chosen], predictions.label
    a, b = calibration.fit(margins, label, predictions.weight)
    spread = uncertainty.spread(
        learning=learning,
        pupil=numbers(frame, "pupil_id"),
        x=newest.x,
        margins=newest.margins,
        learn=learn,
        advance=advance,
        kind=chosen,
    )
    return {
        "a": a,
        "b": b,
        "bootstrap": calibration.bootstrap(margins, label, predictions.pupil, seed, weights=predictions.weight),
        "spread": spread,
        "between": uncertainty.between(margins, label, predictions.weight, predictions.origin, (a, b)),
    }


def _study(digest: str, task: Task, splits: Splits, settings: dict[str, Any], seed: int) -> str:
    task_key = [
        repr(task.definition),
        task.horizon,
        repr(task.rule),
        text_of(task.until),
        text_of(task.known_on),
        *([] if task.helped == AS_THEY_CAME else [task.helped]),
    ]
    days = [str(d) for d in (*splits.dates, *splits.later)]
    search_key = [digest, catalogue().digest, task_key, days, settings, seed]
    return hashlib.sha256(json.dumps(search_key, sort_keys=True).encode()).hexdigest()[:16]


def _seen(frame: pl.DataFrame) -> dict[str, list[float | None]]:
    seen, weight = {}, weight_of(frame)
    for name in catalogue().names:
        column = frame[name].fill_nan(None)
        seen[name] = [column.min(), column.max(), float(weight[column.is_null().to_numpy()].sum() / weight.sum())]
    return seen  # type: ignore[return-value]


def finite(value: Any) -> Any:
    """Turn numbers that JSON cannot hold into null."""
    if isinstance(value, dict):
        return {k: finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(v) for v in value]
    if isinstance(value, (float, np.floating)) and not np.isfinite(value):
        return None
    return value.item() if isinstance(value, np.generic) else value
