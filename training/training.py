"""Train, judge and track: from histories to a model bundle whose figures say how far it can be trusted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from features import CohortRule, Definition, default_as_of, label, matrix
from features.block_store import BlockStore
from features.catalogue import CATALOGUE, THEMES, catalogue_digest, declarations
from features.cohort import cohort
from histories.faults import Fault, Faults, Usage
from histories.opening import Histories
from histories.toml import read_toml
from training import calibration
from training.bundle import Manifest
from training.candidates import baselines, boosted
from training.judging import Judged, judge
from training.splits import Splits, split

NAMES = [f.name for f in CATALOGUE]
# Shares of the cohort from the top, which fix the bands' limits; made up, and meant to be set to a team's capacity.
BANDS = (("very high", 0.002), ("high", 0.01), ("raised", 0.05))
LIMITS = [
    "A score is not a finding: it orders a list for people to look at, and decides nothing.",
    "A low score does not mean that a child is safe; most children are not listed, and some who go missing are missed.",
    "It says what is linked with going missing, never what causes it.",
    "Ethnicity, sex, language, religion and free school meals are not used; other features may still stand in for them.",
    "Children without records here (new arrivals, independent schools) are not scored, or are scored on little.",
]


@dataclass
class Trained:
    """What a training run made."""

    booster: str
    manifest: Manifest
    judged: dict[str, Any]
    splits: Splits
    settings: dict[str, Any]


def load_config(file: Path | None) -> dict[str, Any]:
    """Read settings of the booster from TOML; what it does not say stays as by default.

    Raises
    ------
    Faults
        For bad TOML, unknown keys and wrong values.
    """
    if file is None:
        return dict(boosted.DEFAULTS)
    read = read_toml(file)
    faults = []
    for key, value in read.items():
        like = boosted.DEFAULTS.get(key)
        if like is None:
            faults.append(Fault("no such key", f"{file}, {key}", f"Use one of {', '.join(boosted.DEFAULTS)}."))
        elif (
            isinstance(like, bool) != isinstance(value, bool)
            or not isinstance(value, (int, float))
            or not 0 <= value <= 1e6
        ):
            faults.append(
                Fault(
                    "the value has another type or is out of range",
                    f"{file}, {key}",
                    f"Write it like {like!r}.",
                )
            )
    if faults:
        raise Faults(faults)
    return {**boosted.DEFAULTS, **read}


def labelled_matrix(
    histories: Histories, as_of: list[date], definition: Definition, horizon: int, rule: CohortRule | None, until: date | None,
    advance: Callable[..., None], known: date | None = None, kept: BlockStore | None = None,
) -> pl.DataFrame:  # fmt: skip
    """Return features beside labels and what lists are made of, for snapshots whose outcome is known.

    Returns
    -------
    polars.DataFrame
        ``pupil_id, as_of``, the features, ``label, known_on, authority``.
    """
    x = pl.from_arrow(matrix(histories, as_of, rule=rule, known=known, kept=kept, advance=advance))
    advance(description="labels")
    y = pl.from_arrow(label(histories, as_of, definition, horizon, rule=rule, until=until, known=known))
    who = pl.from_arrow(cohort(histories, as_of, rule, known)).select("pupil_id", "as_of", "authority")  # type: ignore[union-attr]
    frame = x.join(y, on=["pupil_id", "as_of"]).join(who, on=["pupil_id", "as_of"])  # type: ignore[union-attr, arg-type]
    return frame.filter(pl.col("label").is_not_null()).sort("as_of", "pupil_id")


def train(
    histories: Histories,
    *,
    definition: Definition | None = None,
    horizon: int = 120,
    as_of: list[date] | None = None,
    rule: CohortRule | None = None,
    config: dict[str, Any] | None = None,
    until: date | None = None,
    known: date | None = None,
    kept: BlockStore | None = None,
    seed: int = 1,
    advance: Callable[..., None] = lambda steps=1, description=None: None,
) -> Trained:
    """Train a model and judge it against what it has to beat.

    Parameters
    ----------
    until : date, optional
        Use nothing recorded on or after this day.
    known : date, optional
        The day of knowledge of the features; see ``features.visible.seen``.
    kept : BlockStore, optional
        Keeps what was counted of blocks of children for the next run.

    Raises
    ------
    Faults
        When too little is known to learn from, or the day of knowledge lies after ``until``.
    """
    if known and until and known > until:
        do = "Give a --known that is no later than --until, which promises to use nothing recorded from then on."
        raise Usage(Fault("the day of knowledge lies after --until", "train --known", do))
    definition, config = definition or Definition.load(), config or dict(boosted.DEFAULTS)
    dates = [d for d in (as_of or default_as_of(histories, until)) if until is None or d < until]
    if not dates:
        raise Faults(
            Fault(
                "there is no as-of date to train on",
                "train",
                "Give more years of histories, a later --until, or --as-of.",
            )
        )
    frame = labelled_matrix(histories, dates, definition, horizon, rule, until, advance, known, kept)
    if frame.is_empty():
        raise Faults(
            Fault(
                "no window is fully known yet",
                "train",
                "Give more years of histories, a shorter --horizon, or earlier --as-of.",
            )
        )
    splits = split(frame)
    judged, pooled = _judge_candidates(frame, splits, config, seed, advance)
    advance(description="the final model")
    booster = _fit(frame, config, seed)
    a, b = calibration.fit(*pooled[:2])
    pairs = calibration.bootstrap(pooled[0], pooled[1], pooled[2], seed)
    manifest = _manifest(
        frame, histories, definition, horizon, until, known, seed, (a, b), pairs, judged, splits, pooled[0]
    )
    return Trained(booster.model_to_string(num_iteration=-1), manifest, judged, splits, config)


def _fit(frame: pl.DataFrame, config: dict[str, Any], seed: int) -> Any:
    return boosted.train(_x(frame), frame["label"].to_numpy(), NAMES, config, seed)


def _x(frame: pl.DataFrame) -> np.ndarray:
    return frame.select(NAMES).to_numpy().astype(np.float64)


def _judge_candidates(
    frame: pl.DataFrame, splits: Splits, config: dict[str, Any], seed: int, advance: Callable[..., None]
):  # type: ignore[no-untyped-def]
    """Judge every candidate on the test dates; return the figures and the pooled forward margins for the calibrator."""
    parts: dict[str, tuple[Any, ...]] = {}
    for name, dates in (("calibrate", splits.calibrate), ("test", splits.test)):
        past = splits.known_before(frame, dates[0])
        ahead = frame.filter(pl.col("as_of").is_in(dates))
        advance(description=f"judging: model known before {dates[0]}")
        x, y, xa = _x(past), past["label"].to_numpy(), _x(ahead)
        booster = boosted.train(x, y, NAMES, config, seed)
        line = baselines.logistic(x, y)
        parts[name] = (
            ahead,
            booster.predict(xa, raw_score=True),
            line.decision_function(xa),
            baselines.checklist(xa, NAMES),
        )
    calibrate, test = parts["calibrate"], parts["test"]
    y_calibrate, ahead = calibrate[0]["label"].to_numpy(), test[0]
    advance(description="judging: intervals")
    frame_of = {"lightgbm": 1, "logistic": 2, "checklist": 3}
    judged: dict[str, Any] = {}
    lists = ahead.select(pl.struct("authority", "as_of").rank("dense")).to_series().to_numpy()
    pupils = ahead["pupil_id"].rank("dense").to_numpy().astype(int) - 1
    for name, at in frame_of.items():
        a, b = calibration.fit(calibrate[at], y_calibrate)
        risk = 1 / (1 + np.exp(-np.clip(a * test[at] + b, -30, 30)))
        judged[name] = judge(Judged(test[at], ahead["label"].to_numpy(), pupils, lists), risk, seed)
    nothing = np.zeros(len(ahead))
    judged["base_rate"] = judge(Judged(nothing, ahead["label"].to_numpy(), pupils, lists), None, seed)
    both = pl.concat([calibrate[0], test[0]])
    margins = np.r_[calibrate[1], test[1]]
    return judged, (
        margins,
        both["label"].to_numpy(),
        both["pupil_id"].rank("dense").to_numpy().astype(int) - 1,
    )


def _manifest(
    frame, histories, definition, horizon, until, known, seed, pair, pairs, judged, splits, margins
) -> Manifest:  # type: ignore[no-untyped-def]
    risks = 1 / (1 + np.exp(-(pair[0] * margins + pair[1])))
    bands = [{"name": n, "at_least": float(np.quantile(risks, 1 - s))} for n, s in BANDS] + [
        {"name": "usual", "at_least": 0.0}
    ]
    seen = {}
    for name in NAMES:
        column = frame[name].fill_nan(None)
        seen[name] = [column.min(), column.max(), float(column.null_count() / len(column))]
    return Manifest(
        name="onroll", version="0", trained_on=[str(d) for d in splits.dates], until=str(until) if until else None, known=str(known) if known else None,
        definition=definition.name, horizon_days=horizon, features=NAMES, catalogue=declarations(), catalogue_digest=catalogue_digest(),
        calibrator={"a": pair[0], "b": pair[1], "bootstrap": pairs}, bands=bands, base_rate=float(frame["label"].mean()), themes=THEMES,
        metrics=_finite(judged), limits=LIMITS, seen=seen, seed=seed, code_version=version_of("onroll"), data_digest=histories.digest(),
    )  # fmt: skip


def _finite(value: Any) -> Any:
    """Turn numbers that JSON cannot hold into null."""
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value.item() if isinstance(value, np.generic) else value
