"""Rolling-origin evaluation: train every candidate at each origin, calibrate it on earlier origins, evaluate all on the same resamples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from training.explanation.scorer import weighted_mean
from training.fitting.candidates import Candidate, Learning
from training.fitting.parallel import in_parallel
from training.fitting.partial_windows import learned_before
from training.fitting.splits import Splits
from training.measures import calibration
from training.measures.decision_value import decision_value
from training.measures.early import Onset, judge_early
from training.measures.evaluate import Judged, Resamples, interval, judge
from training.measures.metrics import numbers


@dataclass(kw_only=True)
class Predictions:
    """The candidates' predictions at the origins, from data recorded before the outcomes.

    Attributes
    ----------
    frame : polars.DataFrame
        The predicted snapshots by origin, with ``pupil_id, as_of, authority, label`` and other columns.
    origin : int array, shape (rows,)
        Index of each row's origin.
    judged : bool array, shape (rows,)
        Whether the row belongs to a judged origin.
    seen : bool array, shape (rows,)
        Whether the pupil was in the origin's training data.
    margins : dict of float array
        Margins of each candidate.
    """

    frame: pl.DataFrame
    origin: np.ndarray
    judged: np.ndarray
    seen: np.ndarray
    margins: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def label(self) -> np.ndarray:
        """Outcomes, shape (rows,)."""
        return self.frame["label"].to_numpy()

    @property
    def weight(self) -> np.ndarray:
        """Weights, shape (rows,)."""
        return weight_of(self.frame)

    @property
    def pupil(self) -> np.ndarray:
        """Index of each row's pupil."""
        return numbers(self.frame, "pupil_id")

    @property
    def list_of(self) -> np.ndarray:
        """Index of each row's list: one authority on one day."""
        return numbers(self.frame, "authority", "as_of")

    def risk(self, name: str) -> np.ndarray:
        """Return a candidate's probabilities, calibrated at each origin on the predictions of earlier origins.

        Rows of the first origin have none and are NaN.
        """
        risk = np.full(len(self.frame), np.nan)
        margins, label, weight, pair = self.margins[name], self.label, self.weight, None
        for n in range(1, int(self.origin.max()) + 1):
            past, now = self.origin < n, self.origin == n
            pair = calibration.fit(margins[past], label[past], weight[past], near=pair)
            risk[now] = calibration.risk(margins[now], *pair)
        return risk


def predict(
    frame: pl.DataFrame,
    names: list[str],
    splits: Splits,
    candidates: list[Candidate],
    seed: int,
    advance: Callable[..., None] = lambda steps=1, description=None, work=None: None,
) -> Predictions:
    """Train each candidate at each origin on the outcomes known before it, and predict the origin's day.

    Parameters
    ----------
    frame : polars.DataFrame
        Labelled snapshots: ``pupil_id, as_of, authority, label, known_on`` and the features.
    names : list of str
        The features.
    """
    parts, origin, judged, seen = [], [], [], []
    margins: dict[str, list[np.ndarray]] = {c.name: [] for c in candidates}
    for n, o in enumerate(splits.origins):
        ahead = frame.filter(pl.col("as_of") == o.day)
        learning, was_seen = _learned_before(frame, ahead, names, o.day, seed)
        of_day = _predict(candidates, learning, matrix_of(ahead, names), partial(_say, advance, o.day, len(learning.y)))
        del learning  # the next origin's is built without it
        for name, of_candidate in of_day.items():
            margins[name].append(of_candidate)
        parts.append(ahead)
        origin.append(np.full(len(ahead), n))
        judged.append(np.full(len(ahead), o.judged))
        seen.append(was_seen)
    whole = {name: np.concatenate(m) for name, m in margins.items()}
    return Predictions(
        frame=pl.concat(parts),
        origin=np.concatenate(origin),
        judged=np.concatenate(judged),
        seen=np.concatenate(seen),
        margins=whole,
    )


def _learned_before(
    frame: pl.DataFrame, ahead: pl.DataFrame, names: list[str], day: date, seed: int
) -> tuple[Learning, np.ndarray]:
    """Return the training data of an origin, and whether each pupil ahead is in it; the rows that both are read from are freed."""
    past = learned_before(frame, day)
    return learn_from(past, names, seed), ahead["pupil_id"].is_in(past["pupil_id"].unique().implode()).to_numpy()


def _predict(
    candidates: list[Candidate], learning: Learning, x: np.ndarray, say: Callable[[str, list[Candidate]], None]
) -> dict[str, np.ndarray]:
    """Return the margins of each candidate."""
    margins: dict[str, np.ndarray] = {}
    for kind, of in together(candidates):
        say(kind, of)
        jobs = [partial(_margins_of, c, learning, x) for c in of]
        made = in_parallel(jobs, len(learning.y)) if of[0].side_by_side else (job() for job in jobs)
        margins |= zip((c.name for c in of), made, strict=True)
    for c in candidates:
        if c.name not in margins:
            margins[c.name] = weighted_mean([margins[name] for name in c.mean_of], list(c.mean_of.values()))
    return {c.name: margins[c.name] for c in candidates}


def together(candidates: list[Candidate]) -> list[tuple[str, list[Candidate]]]:
    """Return which candidates learn at the same time, by their names: first those side by side, then one after another; means of these need no learning."""
    names = {c.name for c in candidates}
    learning = [c for c in candidates if not (c.mean_of and names.issuperset(c.mean_of))]
    groups = [[c for c in learning if c.side_by_side], *([c] for c in learning if not c.side_by_side)]
    return [(", ".join(c.name for c in of), of) for of in groups if of]


def _say(advance: Callable[..., None], day: date, rows: int, kind: str, of: list[Candidate]) -> None:
    advance(description=f"predicting {day}: {', '.join(c.title for c in of)}", work=(kind, rows))


def _margins_of(candidate: Candidate, learning: Learning, x: np.ndarray) -> np.ndarray:
    return candidate.learn(learning)(x)


def learn_from(frame: pl.DataFrame, names: list[str], seed: int) -> Learning:
    """Return labelled snapshots as training data."""
    known_on = frame["known_on"].to_numpy() if "known_on" in frame.columns else None
    return Learning(
        x=matrix_of(frame, names),
        y=frame["label"].to_numpy(),
        weight=weight_of(frame),
        names=names,
        seed=seed,
        as_of=frame["as_of"].to_numpy() if "as_of" in frame.columns else None,
        known_on=known_on,
    )


def weight_of(frame: pl.DataFrame) -> np.ndarray:
    """Return the weights of snapshots: 1 unless they were sampled."""
    return frame["weight"].to_numpy().copy() if "weight" in frame.columns else np.ones(len(frame))


def matrix_of(frame: pl.DataFrame, names: list[str]) -> np.ndarray:
    """Return features as float64, shape (rows, features); those of a whole ``Task.labelled`` are read where they are, not copied."""
    return frame.select(names).to_numpy().astype(np.float64, copy=False)


def judge_all(predictions: Predictions, chosen: str, seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Evaluate every candidate on the judged origins, and compare the chosen one with each other.

    Returns
    -------
    figures, against : dict
        Figures by candidate; and, by other candidate, the chosen one's lead in average precision and in precision at capacity, each with
        its interval and whether it is within noise (the interval contains zero).
    """
    rows = np.flatnonzero(predictions.judged)
    frame = predictions.frame[rows]
    pupil, lists, label = numbers(frame, "pupil_id"), numbers(frame, "authority", "as_of"), frame["label"].to_numpy()
    resamples = Resamples(pupil, seed)
    figures, draws, onset = {}, {}, onset_of(frame)
    for name, margins in predictions.margins.items():
        risk = predictions.risk(name)[rows] if name != "base_rate" else None
        judged = Judged(score=margins[rows], label=label, pupil=pupil, list_of=lists, weight=weight_of(frame))
        figures[name], draws[name] = judge(judged, risk, resamples)
        if onset is not None:
            figures[name] |= judge_early(judged, onset, resamples)
            days, absent = frame["as_of"].to_physical().to_numpy(), frame["trailing_absent_sessions"].to_numpy()
            figures[name]["decision"] = decision_value(judged, days, onset.stopping, absent, resamples)
    against = {
        name: {
            "average_precision": lead_of(
                figures[chosen]["average_precision"] - figures[name]["average_precision"],
                draws[chosen]["average_precision"] - draws[name]["average_precision"],
            ),
            "precision_top_25_a_list": lead_of(
                precision_of(figures[chosen]) - precision_of(figures[name]),
                draws[chosen]["top_25_a_list.precision"] - draws[name]["top_25_a_list.precision"],
            ),
        }
        for name in figures
        if name != chosen
    }
    return figures, against


def onset_of(frame: pl.DataFrame) -> Onset | None:
    """Return which children had already stopped coming and when outcomes began; None if the snapshots lack these columns."""
    if not {"already_stopping", "happened_on", "trailing_absent_sessions"} <= set(frame.columns):
        return None
    days = (pl.col("happened_on") - pl.col("as_of")).dt.total_days().cast(pl.Float64).fill_null(float("nan"))
    return Onset(stopping=frame["already_stopping"].to_numpy(), days=frame.select(days).to_series().to_numpy())


def precision_of(figures: dict[str, Any]) -> float:
    """Return the precision at capacity that candidates are compared by."""
    return float(figures["at_capacity"]["top_25_a_list"]["precision"])


def lead_of(lead: float, draws: np.ndarray) -> dict[str, Any]:
    """Return a lead with its interval over paired resamples, and whether that contains zero."""
    low, high = interval(draws)
    return {"lead": lead, "interval": [low, high], "within_noise": low is None or high is None or low <= 0 <= high}
