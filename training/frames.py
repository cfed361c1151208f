"""Features, labels and models for notebooks: rows as pandas frames, models without a registry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features import HORIZON, CohortRule, Definition, label, matrix
from histories.reading.histories import Histories
from training.risk_model import RiskModel

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Days = date | str | Sequence[date | str]
KEYS = ["pupil_id", "as_of"]


def open_histories(location: Path | str, *, engine: str = "duckdb", memory: str | None = None) -> Histories:
    """Open a folder of histories; see ``Histories.open``.

    What was ignored or treated as missing is in ``warnings`` of the result.
    """
    return Histories.open(location, engine=engine, memory=memory)


def features(histories: Histories, as_of: Days, *, cohort: CohortRule | None = None) -> pd.DataFrame:
    """Return the features of the cohort as of one or several days.

    Parameters
    ----------
    as_of : date, str or a sequence of them
        Days such as ``"2024-09-02"``; nothing recorded on or after a day is used for it.
    cohort : CohortRule, optional

    Returns
    -------
    pandas.DataFrame, shape (snapshots, features)
        One column per feature, in the catalogue's order; missing is NaN. The index is ``pupil_id`` and ``as_of``.
    """
    return _frame(matrix(histories, _days(as_of), rule=cohort))


def labels(
    histories: Histories,
    as_of: Days,
    *,
    definition: str | Definition = "commissioner_or_unknown",
    horizon: int = HORIZON,
    cohort: CohortRule | None = None,
) -> pd.DataFrame:
    """Return the outcomes of the cohort as of one or several days.

    Parameters
    ----------
    as_of : date, str or a sequence of them
    definition : str or Definition
        A shipped definition of missing, or the path of one.
    horizon : int
        Days of the outcome window, which begins on the as-of date.

    Returns
    -------
    pandas.DataFrame
        ``label``: 1, 0, or NA where the window is not fully known, ``outcome``, ``known_on`` and ``happened_on``; see
        ``features.label``. The index is that of ``features``.
    """
    rule = Definition.load(definition) if isinstance(definition, str) else definition
    frame = _frame(label(histories, _days(as_of), rule, horizon, rule=cohort))
    return frame.astype({"label": "Int8"})


def train(
    histories: Histories,
    *,
    definition: str | Definition = "commissioner_or_unknown",
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
    """
    from training.fitting.booster_settings import completed
    from training.fitting.helped import AS_THEY_CAME
    from training.pipeline import train as train_model
    from training.task import Task

    task = Task(
        definition=Definition.load(definition) if isinstance(definition, str) else definition,
        horizon=horizon,
        as_of=tuple(_days(as_of)),
        until=_day(until) if until else None,
        helped=helped or AS_THEY_CAME,
    )
    settings = completed(config or {}, Path("config"), "Correct the setting.")
    trained = train_model(histories, task, config=settings, seed=seed)
    return RiskModel(trained.booster, trained.manifest)


def load(model: str = "onroll@champion") -> RiskModel:
    """Load a released model, after checking it against its promotion log, or the folder of one.

    Parameters
    ----------
    model : str
        ``name@alias``, found among the releases of the project's folder (``mlruns/releases``), or a folder.

    Raises
    ------
    Faults
        If there is no such model, or it does not agree with its log.
    """
    from histories.settings import settings
    from training.release.resolve import find_release

    current = settings()
    release = find_release(model, current.releases, current.verify_keys)
    return RiskModel.load(release.folder, release.bundle)


def _day(day: date | str) -> date:
    return date.fromisoformat(day) if isinstance(day, str) else day


def _days(days: Days) -> list[date]:
    return [_day(days)] if isinstance(days, date | str) else [_day(day) for day in days]


def _frame(table: pa.Table) -> pd.DataFrame:
    return table.to_pandas().set_index(KEYS)
