"""The summer, before it: lists in June of the children who leave their school, judged by who is missing in September.

The board of Year 6 moves to secondary school. That of Year 11 counts only where the definition's ages include it. Children who are about to start
Reception are on no roll in June, so no model scores them: 'Moving up' and 'On no roll' have those with a place.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from features.catalogue import catalogue
from features.counting.block_cache import BlockStore
from features.outcome.cohort import CohortRule
from histories.errors import Faults
from histories.reading.histories import Histories
from training.fitting.candidates import baselines
from training.fitting.partial_windows import learned_before
from training.fitting.rolling_origin import Predictions, lead_of, learn_from, matrix_of, onset_of, weight_of
from training.fitting.splits import MIN_POSITIVES, known_before
from training.measures import calibration
from training.measures.early import judge_early
from training.measures.evaluate import Judged, Resamples, judge
from training.measures.metrics import numbers
from training.pipeline import Trained
from training.task import ProgressCallback, Task, quiet

BOARDS = {"year_6": (10, 10), "year_11": (15, 15)}  # and the children's ages on the 31 August before
SEPTEMBER = (9, 15)  # a window that ends before this day does not see who arrives
FEWEST = 3  # outcomes without which a board is not judged
# The present practice: children without a place first, then those whose offer was declined or not answered.
WITHOUT_PLACE = {"no_application": 3.0, "offer_declined": 2.0, "offer_not_answered": 1.0}


def second_monday_of_june(year: int) -> date:
    """Return the day of a summer board.

    Examples
    --------
    >>> second_monday_of_june(2025)
    datetime.date(2025, 6, 9)
    """
    first = date(year, 6, 1)
    return first + timedelta(days=(7 - first.weekday()) % 7 + 7)


def summer_boards(
    histories: Histories,
    task: Task,
    trained: Trained,
    seed: int,
    *,
    memory: str | None = None,
    kept: BlockStore | None = None,
    advance: ProgressCallback = quiet,
) -> dict[str, Any]:
    """Judge the released kind of model on each June whose September is known, trained on what was known before that June.

    Returns
    -------
    dict
        ``days`` that were judged; ``boards``: for each, its figures by candidate (``released``, ``without_place``: the present practice, and
        ``checklist``) and the released model's lead over the others, or ``why`` it was not judged.
    """
    known = trained.frame.select("as_of", "label", "known_on")
    days = [day for day in _junes(histories, task) if _can_learn(known, day)]
    if not days:
        return {
            "days": [],
            "boards": {name: {"why": "no June has outcomes before it and a known September"} for name in BOARDS},
        }
    boards = {}
    for name, (youngest, oldest) in BOARDS.items():
        advance(description=f"the summer board of {name.replace('_', ' ')}")
        rule = replace(task.rule or CohortRule(), min_age=youngest, max_age=oldest)
        board = replace(task, as_of=tuple(days), rule=rule)
        try:
            frame = board.labelled(histories, memory=memory, seed=seed, kept=kept, advance=advance)
        except Faults as faults:
            boards[name] = {"why": faults.faults[0].what}
            continue
        positives = int(frame["label"].sum())
        if positives < FEWEST:
            boards[name] = {"why": f"{positives} of {len(frame):,} children went missing; {FEWEST} are needed"}
        else:
            boards[name] = _judged(trained, frame, seed)
    return {"days": [str(d) for d in days], "boards": boards}


def _junes(histories: Histories, task: Task) -> list[date]:
    """Return the Junes whose window sees September and whose outcomes can be known by now."""
    first, last = min(task.days(histories)), task.newest_labelled(histories)
    junes = [second_monday_of_june(year) for year in range(first.year, last.year + 1)]
    return [
        day for day in junes if first < day <= last and day + timedelta(days=task.horizon) > date(day.year, *SEPTEMBER)
    ]


def _can_learn(known: pl.DataFrame, day: date) -> bool:
    return (known_before(known, day)["label"].sum() or 0) >= MIN_POSITIVES


def _judged(trained: Trained, frame: pl.DataFrame, seed: int) -> dict[str, Any]:
    """Return the figures of a board."""
    names, candidate = catalogue().names, trained.manifest.candidate
    x, days = matrix_of(frame, names), frame["as_of"].to_numpy()
    margins, risk = np.zeros(len(frame)), np.zeros(len(frame))
    for day in frame["as_of"].unique().sort().to_list():
        rows = days == np.datetime64(day)
        margins[rows] = trained.learn(learn_from(learned_before(trained.frame, day), names, seed))(x[rows])
        risk[rows] = calibration.risk(margins[rows], *_calibrator(trained.predictions, candidate, day))
    practice = sum(points * np.nan_to_num(x[:, names.index(name)]) for name, points in WITHOUT_PLACE.items())
    orders = {
        "released": margins,
        "without_place": np.asarray(practice),
        "checklist": baselines.checklist(learn_from(frame, names, seed))(x),
    }
    pupil, lists = numbers(frame, "pupil_id"), numbers(frame, "authority", "as_of")
    resamples, onset, figures, draws = Resamples(pupil, seed), onset_of(frame), {}, {}
    for name, score in orders.items():
        judged = Judged(
            score=score, label=frame["label"].to_numpy(), pupil=pupil, list_of=lists, weight=weight_of(frame)
        )
        known = risk if name == "released" and np.isfinite(risk).all() else None
        figures[name], draws[name] = judge(judged, known, resamples)
        if onset is not None:
            figures[name] |= judge_early(judged, onset, resamples)
    ap = "average_precision"
    leads = {
        name: lead_of(figures["released"][ap] - figures[name][ap], draws["released"][ap] - draws[name][ap])
        for name in orders
        if name != "released"
    }
    return {"candidate": candidate, "figures": figures, "leads": leads}


def _calibrator(predictions: Predictions, name: str, day: date) -> tuple[float, float]:
    """Fit a calibrator on what earlier origins predicted and was known by a day; NaN if nothing was."""
    known = (predictions.frame["known_on"] < day).to_numpy() & (predictions.frame["as_of"] < day).to_numpy()
    if not known.any():
        return float("nan"), float("nan")
    return calibration.fit(predictions.margins[name][known], predictions.label[known], predictions.weight[known])
