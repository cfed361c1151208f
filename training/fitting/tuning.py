"""Tune LightGBM with Optuna on origins whose outcomes were known before the first test date."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from histories.errors import Fault, Faults
from training.fitting.candidates import boosted
from training.fitting.partial_windows import learned_before
from training.fitting.rolling_origin import learn_from, matrix_of, weight_of
from training.fitting.splits import Splits, known_before, origins
from training.measures.metrics import average_precision

ORIGINS = 4  # newest origins before the test dates
# Called after each trial with its number, settings, value (None if pruned) and state.
OnTrial = Callable[[int, dict[str, Any], float | None, str], None]


def tune(
    frame: pl.DataFrame,
    names: list[str],
    splits: Splits,
    *,
    trials: int,
    start: dict[str, Any],
    seed: int,
    study: str,
    storage: Path | None = None,
    on_trial: OnTrial = lambda number, settings, value, state: None,
    advance: Callable[..., None] = lambda steps=1, description=None: None,
) -> dict[str, Any]:
    """Return the best settings of several trials; the initial settings are the first trial.

    A trial is trained and evaluated at one origin after another, and pruned when it falls behind the median of the others. With ``storage``
    an interrupted study resumes.

    Parameters
    ----------
    study : str
        Name of the study; it must change with the data, definition and catalogue.
    storage : Path, optional
        SQLite file of the study.

    Raises
    ------
    Faults
        If too few outcomes were known before the first test date.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    past = known_before(frame, splits.test[0])
    earlier = origins(past, ORIGINS)
    if not earlier:
        do = "Give more years of histories, or train without --tune."
        raise Faults(Fault("too few outcomes were known before the test dates to tune on", "train --tune", do))
    prepared = [(learned_before(past, o.day), past.filter(pl.col("as_of") == o.day)) for o in earlier]
    ready = [
        (learn_from(before, names, seed), matrix_of(ahead, names), ahead["label"].to_numpy(), weight_of(ahead))
        for before, ahead in prepared
    ]

    def value(trial: Any) -> float:
        settings = {**start, **_suggest(trial)}
        precisions: list[float] = []
        for step, (learning, x, label, weight) in enumerate(ready):
            margins = boosted.margins(boosted.train(learning, settings), x)
            precisions.append(float(np.nan_to_num(average_precision(margins, label, weight))))
            trial.report(float(np.mean(precisions)), step)
            if trial.should_prune():
                raise optuna.TrialPruned
        return float(np.mean(precisions))

    def finished(whole: Any, trial: Any) -> None:
        on_trial(trial.number, trial.params, trial.value, trial.state.name.lower())
        advance(description=f"tuning: trial {trial.number + 1} of {trials}, best {whole.best_value:.4f}")

    if storage is not None:
        storage.parent.mkdir(parents=True, exist_ok=True)
    whole = optuna.create_study(
        study_name=study,
        storage=f"sqlite:///{storage}" if storage else None,
        load_if_exists=True,
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=1),
    )
    if not whole.trials:
        whole.enqueue_trial({k: start[k] for k in SPACE})
    done = sum(t.state.is_finished() for t in whole.trials)
    if done < trials:
        with warnings.catch_warnings():
            # The initial settings may lie outside the search space.
            warnings.filterwarnings("ignore", "Fixed parameter")
            whole.optimize(value, n_trials=trials - done, callbacks=[finished])
    return {**start, **whole.best_params}


SPACE: dict[str, tuple[float, float, bool]] = {
    "rounds": (150, 800, False),
    "learning_rate": (0.008, 0.05, True),
    "num_leaves": (4, 31, True),
    "max_depth": (2, 6, False),
    "min_data_in_leaf": (20, 400, True),
    "feature_fraction": (0.15, 0.8, False),
    "lambda_l2": (0.1, 100.0, True),
    "negative_share": (0.1, 1.0, False),
}


def _suggest(trial: Any) -> dict[str, Any]:
    return {
        name: trial.suggest_float(name, low, high, log=log)
        if isinstance(boosted.DEFAULTS[name], float)
        else trial.suggest_int(name, int(low), int(high), log=log)
        for name, (low, high, log) in SPACE.items()
    }
