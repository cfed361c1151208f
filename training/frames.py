"""Features, labels and models for notebooks: rows as pandas frames, models without a registry."""

from __future__ import annotations

import warnings
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features import HORIZON, CohortRule, Definition, default_as_of, label, matrix
from histories.errors import Fault, Faults
from histories.reading.histories import Histories
from histories.reading.recency import warnings_of_late_days
from training.arguments import Days, as_cohort, as_day, as_days, as_definition, as_horizon, as_opened
from training.risk_model import RiskModel

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

KEYS = ["pupil_id", "as_of"]
MLFLOW = "models:/"  # before a model's name in MLflow's addresses


def open_histories(location: Path | str, *, engine: str = "duckdb", memory: str | None = None) -> Histories:
    """Open a folder of histories; see ``Histories.open``.

    What was ignored or treated as missing is in ``warnings`` of the result.
    """
    return Histories.open(location, engine=engine, memory=memory)


def features(histories: Histories, as_of: Days, *, cohort: CohortRule | Path | str | None = None) -> pd.DataFrame:
    """Return the features of the cohort as of one or several days.

    Parameters
    ----------
    as_of : date, str or a sequence of them
        Days such as ``"2024-09-02"``; nothing recorded on or after a day is used for it.
    cohort : CohortRule, or the path of one, optional

    Returns
    -------
    pandas.DataFrame, shape (snapshots, features)
        One column per feature, in the catalogue's order; missing is NaN. The index is ``pupil_id`` and ``as_of``.

    Raises
    ------
    Faults
        If these are no opened histories, or something is no day.

    Warns
    -----
    UserWarning
        If a day lies long after the newest records.
    """
    opened, days = as_opened(histories), as_days(as_of)
    for warning in warnings_of_late_days(opened, days):
        warnings.warn(warning, stacklevel=2)
    return _frame(matrix(opened, days, rule=as_cohort(cohort)))


def labels(
    histories: Histories,
    as_of: Days,
    *,
    definition: str | Path | Definition = "commissioner_or_unknown",
    horizon: int = HORIZON,
    cohort: CohortRule | Path | str | None = None,
) -> pd.DataFrame:
    """Return the outcomes of the cohort as of one or several days.

    Parameters
    ----------
    as_of : date, str or a sequence of them
    definition : str, Path or Definition
        A shipped definition of missing, or the path of one.
    horizon : int
        Days of the outcome window, which begins on the as-of date.

    Returns
    -------
    pandas.DataFrame
        ``label``: 1, 0, or NA where the window is not fully known, ``outcome``, ``known_on`` and ``happened_on``; see
        ``features.label``. The index is that of ``features``.
    """
    rule, days, who = as_definition(definition), as_days(as_of), as_cohort(cohort)
    frame = _frame(label(as_opened(histories), days, rule, as_horizon(horizon), rule=who))
    return frame.astype({"label": "Int8"})


def train(
    histories: Histories,
    *,
    definition: str | Path | Definition = "commissioner_or_unknown",
    horizon: int = HORIZON,
    as_of: Days = (),
    until: date | str | None = None,
    helped: str | None = None,
    config: dict[str, Any] | None = None,
    seed: int = 1,
) -> RiskModel:
    """Train and judge a model without registering it; ``onroll train`` registers.

    Parameters
    ----------
    as_of : date, str or a sequence of them
        By default the start of every term.
    until : date or str, optional
        Use nothing recorded on or after this day.
    helped : {"leave-out", "untreated"}, optional
        How outcomes that help changed are handled (docs/retraining.md); by default they are learnt as they came.
    config : dict, optional
        Settings of the booster; those not given keep their defaults. See ``training.fitting.booster_settings``.

    Returns
    -------
    RiskModel
        Its figures on later days are in ``manifest.figures``.

    Raises
    ------
    Faults
        If there are too few known outcomes, or a setting is unknown or out of range.

    Warns
    -----
    UserWarning
        If the rolls of an authority or a school end before its other records, so that outcomes are not known.
    """
    from training.fitting.booster_settings import completed
    from training.fitting.helped import AS_THEY_CAME
    from training.pipeline import train as train_model
    from training.rolls_end import warnings_of_ended_rolls
    from training.task import Task

    task = Task(
        definition=as_definition(definition),
        horizon=as_horizon(horizon),
        as_of=() if isinstance(as_of, tuple) and not as_of else tuple(as_days(as_of)),
        until=None if until is None else as_day(until, "until"),
        helped=helped or AS_THEY_CAME,
    )
    settings = completed(config or {}, Path("config"), "Correct the setting.")
    opened = as_opened(histories)
    days = task.as_of or default_as_of(opened, task.until)
    for warning in warnings_of_ended_rolls(opened, task.definition, task.horizon, days, task.until):
        warnings.warn(warning, stacklevel=2)
    trained = train_model(opened, task, config=settings, seed=seed)
    return RiskModel(trained.booster, trained.manifest)


def load(model: str | Path = "onroll@champion") -> RiskModel:
    """Load a released model, after checking it against its promotion log, or the folder of one.

    Parameters
    ----------
    model : str or Path
        ``name@alias``, found among the releases of the project's folder (``mlruns/releases``), or a folder.

    Raises
    ------
    Faults
        If there is no such model, or it does not agree with its log.
    """
    from histories.settings import settings
    from training.release.resolve import find_release

    name, current = str(model), settings()
    if name.startswith(MLFLOW):
        do = f"Write {name.removeprefix(MLFLOW)}; mlflow.pyfunc.load_model takes the address."
        raise Faults(Fault("this is the address of a model in MLflow", name, do))
    release = find_release(name, current.releases, current.verify_keys)
    return RiskModel.load(release.folder, release.bundle)


def _frame(table: pa.Table) -> pd.DataFrame:
    return table.to_pandas().set_index(KEYS)
