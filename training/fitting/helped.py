"""Outcomes after help: a list that leads to help changes the outcomes from which the next model learns.

A child who was helped and stayed would be learnt as one who needed no help. Two ways of handling it make the model's risk that *without help*:

``leave-out``
    A snapshot is left out if help came in its window before the outcome, or in the ``STILL_DAYS`` days before its day. Simple, and too high where help
    comes late in windows: who had gone missing before the help stays, who had not is left out.
``untreated``
    The window ends with the first help in it. A child who had not gone missing by then counts with the exposure as weight: the share of outcomes that
    begin so early, as for windows known in part (``partial_windows``). Snapshots with help in the ``STILL_DAYS`` days before their day are left out.

Both assume that help is given by what the features tell, and that help ``STILL_DAYS`` before a day has ceased to work. Outcomes after help are used by neither.

``nobody`` handles nothing: it states that a list led to no help, where there is no record to tell. Gate G014 holds the statement against what is recorded.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, timedelta

import narwhals as nw
import numpy as np
import polars as pl

from histories.calendar import day_number, day_of
from histories.errors import Fault, Usage
from histories.reading.frames import collect
from histories.reading.histories import Histories
from training.fitting.partial_windows import FROM_HORIZON, share_begun

AS_THEY_CAME, LEAVE_OUT, UNTREATED, NOBODY = "as-they-came", "leave-out", "untreated", "nobody"
WAYS = (LEAVE_OUT, UNTREATED)
ASKED = (*WAYS, NOBODY)  # what can be named
NEVER = "never"
STILL_DAYS = 120  # assumption: so long help before a day still works on it
OUTCOME = "helped"  # the outcome of a window that ended with help
WORDS = {
    AS_THEY_CAME: "Outcomes were learnt as they came, also those of children who were helped: a child who was helped and stayed is learnt as one who needed no help.",
    LEAVE_OUT: f"Children are left out where help came in the window, or in the {STILL_DAYS} days before: the risks are those without help, and too high where help comes late.",
    NOBODY: "It was stated that no list led to any help, so outcomes were learnt as they came.",
    UNTREATED: f"Windows end with the first help in them, and the part before it is learned from; children helped in the {STILL_DAYS} days before are left out. The risks are those without help.",
}


def carried(way: str) -> str:
    """Return the way that the next training takes over: that nobody was helped is stated anew each time."""
    return AS_THEY_CAME if way == NOBODY else way


def check_way(way: str, horizon: int) -> None:
    """Raise ``Usage`` if there is no such way, or outcomes of the window cannot be handled in it."""
    if way not in WORDS:
        raise Usage(Fault("there is no such way of handling help", "--helped", f"Use {' or '.join(ASKED)}."))
    if way in WAYS and horizon >= FROM_HORIZON:
        # The known part of a window teaches there, and help that came after the part would have to be forgotten at each past date.
        do = f"Use a window below {FROM_HORIZON} days."
        raise Usage(Fault("help cannot be handled in windows that teach in part", "--helped", do))


def help_given(histories: Histories, until: date | None) -> pl.DataFrame:
    """Return ``pupil_id, helped_on`` of all interventions that were recorded before a day."""
    rows = histories.frame("interventions")
    if until is not None:
        rows = rows.filter(nw.col("known") < day_number(until))
    helped = collect(rows.select("pupil_id", "date")).with_columns(pl.col("date").cast(pl.Date).alias("helped_on"))
    return helped.select("pupil_id", "helped_on").unique().sort("helped_on", "pupil_id")


def days_without_help(labels: pl.DataFrame, given: pl.DataFrame, horizon: int) -> pl.DataFrame:
    """Add ``untreated_days``: the days of the window until the first help in it, that day included; 0 after earlier help; null without help.

    Help after the outcome is none. An outcome on the day of the help came before it. Where only a part of a window is known, help after it is none either.
    """
    window = pl.col("window_days") if "window_days" in labels.columns else pl.lit(horizon)
    after = (pl.col("helped_on") - pl.col("as_of")).dt.total_days()
    onset = (pl.col("happened_on") - pl.col("as_of")).dt.total_days()
    both = labels.select("pupil_id", "as_of", "happened_on", window.alias("window")).join(given, on="pupil_id")
    both = both.filter(after.is_between(-STILL_DAYS, pl.col("window") - 1) & (onset.is_null() | (after < onset)))
    first = both.group_by("pupil_id", "as_of").agg(
        pl.max_horizontal(after.min() + 1, 0).cast(pl.Int64).alias("untreated_days")
    )
    return labels.join(first, on=["pupil_id", "as_of"], how="left", maintain_order="left")


def handled(labels: pl.DataFrame, way: str) -> pl.DataFrame:
    """Return labels with ``untreated_days`` as a way teaches them: without those it leaves out, and outcomes after help taken away."""
    if way not in WAYS or "untreated_days" not in labels.columns:
        return labels
    days = pl.col("untreated_days")
    if way == LEAVE_OUT:
        return labels.filter(days.is_null())
    kept, ended = labels.filter(days.is_null() | (days > 0)), days.is_not_null()
    nothing = [pl.when(~ended).then(c).alias(c) for c in ("happened_on", "recorded_on") if c in labels.columns]
    return kept.with_columns(
        pl.when(ended).then(0.0).otherwise("label").alias("label"),
        pl.when(ended).then(pl.lit(OUTCOME)).otherwise("outcome").alias("outcome"),
        *nothing,
    )


def weighted(frame: pl.DataFrame, window: int) -> pl.DataFrame:
    """Multiply the weight of windows that ended with help by their exposure.

    Parameters
    ----------
    frame : polars.DataFrame
        Snapshots with ``untreated_days`` after ``handled``, ``already_stopping`` and ``weight``.
    """
    if "untreated_days" not in frame.columns:
        return frame
    exposure = np.ones(len(frame))
    days, label, weight = (frame[c].to_numpy() for c in ("untreated_days", "label", "weight"))
    onset = frame.select((pl.col("happened_on") - pl.col("as_of")).dt.total_days().cast(pl.Float64)).to_series()
    stopping = frame["already_stopping"].to_numpy()
    ended = ~frame["untreated_days"].is_null().to_numpy()
    for group in (False, True):
        rows = stopping == group
        seen, stands_for = seen_outcomes(
            np.where(ended[rows], days[rows], np.where(label[rows] == 1, onset.to_numpy()[rows], window)),
            ended[rows],
            label[rows] == 1,
            weight[rows],
        )
        for part in np.unique(days[rows & ended]):
            exposure[rows & ended & (days == part)] = share_begun(seen, stands_for, part, window)
    return frame.with_columns(pl.col("weight") * exposure)


def seen_outcomes(
    days: np.ndarray, ended: np.ndarray, went: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return when outcomes began, and how many each stands for: itself, and those that help in the days before it hid or prevented.

    That is one over the share of children whom help had not reached by then (Kaplan and Meier's estimate of it).

    Examples
    --------
    >>> days, ended = np.array([10.0, 20.0, 20.0, 50.0]), np.array([True, False, False, False])
    >>> seen_outcomes(days, ended, np.array([False, True, False, False]), np.ones(4))
    (array([20.]), array([1.33333333]))
    """
    unreached, at = np.ones(went.sum()), days[went]
    for day in np.unique(days[ended]):
        reached = weight[ended & (days == day)].sum()
        there = reached + weight[(days > day) | (~ended & (days == day))].sum()
        unreached[at >= day] *= 1 - reached / there
    return at, weight[went] / unreached


@dataclass(frozen=True, kw_only=True)
class HelpCounts:
    """What outcomes have seen of help, before it was handled.

    Attributes
    ----------
    snapshots : int
    helped : int
        Those with help before the outcome or within ``STILL_DAYS`` before their day.
    left_out : int
        Those of them that the way of handling leaves out.
    ended : int
        Those whose window ends with the help.
    until : str
        The last day of the windows.
    recorded_until : str
        The newest day on which help was recorded; ``NEVER`` if none was, or the histories have no table of it.
    """

    snapshots: int
    helped: int
    left_out: int
    ended: int
    until: str
    recorded_until: str

    def to_dict(self) -> dict[str, int | str]:
        """Return JSON-ready data."""
        return asdict(self)


def counted(labels: pl.DataFrame, way: str, window: int, recorded: date | None) -> HelpCounts:
    """Count the helped snapshots of labels as they came.

    Parameters
    ----------
    labels : polars.DataFrame
        Of ``Task.labels_as_they_came``.
    way : str
        How they are handled.
    window : int
        Days of the outcome window.
    recorded : date or None
        See ``help_recorded_until``.
    """
    kept = handled(labels, way)
    is_helped = "untreated_days" in labels.columns
    helped, left = (int(t["untreated_days"].is_not_null().sum()) if is_helped else 0 for t in (labels, kept))
    days = pl.col("window_days") if "window_days" in labels.columns else pl.lit(window)
    last = labels.select((pl.col("as_of") + pl.duration(days=days)).max()).item() - timedelta(days=1)
    return HelpCounts(
        snapshots=len(labels),
        helped=helped,
        left_out=len(labels) - len(kept),
        ended=left if way == UNTREATED else 0,
        until=str(last),
        recorded_until=str(recorded) if recorded else NEVER,
    )


def help_recorded_until(histories: Histories, until: date | None) -> date | None:
    """Return the newest day before a day on which help was recorded; None without any, or without the table."""
    if "interventions" not in histories.present:
        return None
    rows = histories.frame("interventions").select("known")
    if until is not None:
        rows = rows.filter(nw.col("known") < day_number(until))
    newest = collect(rows.select(nw.col("known").max())).item()
    return None if newest is None else day_of(int(newest))
