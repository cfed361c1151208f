"""Exits from rolls: which leaving takes a child off all rolls, which counts as going missing, and which ends a window without counting.

- A written destination is believed where the roll that ends is the child's own (``histories.reading.rolls.one_roll``): a placement beside the main roll may
  end while the child stays on that.
- Where nobody wrote a destination, a child is off the rolls only if no other roll goes on, and on none again for so many school days.
- A known exit of another kind ends the window: what comes after it is another story. A leaving to nowhere known that does not count ends nothing.
"""

from __future__ import annotations

import polars as pl

from features.outcome.definition import Definition
from features.outcome.leavings import Leavings, told
from histories.codes import code_set

MOVING = 20  # school days on no roll between two schools, for definitions that give none
NOT_LEFT = ("state_school",)  # a move between state schools is no exit
NOWHERE = ("missing_education", "unknown")  # say where nobody has found the child
ENDING = tuple(code for code in code_set("destination") if code not in (*NOT_LEFT, *NOWHERE))
COUNTED, OTHER, OPEN = 0, 1, 2  # goes missing, ends the window, ends nothing


def exits_of(leavings: Leavings, definition: Definition) -> pl.LazyFrame:
    """Return the leavings that take a child off all rolls.

    Returns
    -------
    polars.LazyFrame
        ``pupil_id, leaving_date, destination`` (``unknown`` where none is written), ``exit`` (one of ``COUNTED``, ``OTHER``, ``OPEN``) and
        ``counts_known``, the day on which it is known.
    """
    days = MOVING if definition.unknown_school_days is None else definition.unknown_school_days
    nowhere, own = ~told(pl.col("destination")), ~pl.col("beside_own_roll")
    back_late = pl.col("back_on").is_null() | (pl.col("back_on") > pl.col("enough"))
    away = nowhere & ~pl.col("on_other_roll") & back_late
    written = pl.col("destination").is_in(list(definition.destinations))
    written |= pl.col("leaving_ground").is_in(list(definition.grounds))
    written = written.fill_null(False) & own
    waited = away & pl.lit(definition.unknown_school_days is not None)
    kind = (
        pl.when(written | waited)
        .then(COUNTED)
        .when(own & pl.col("destination").is_in(ENDING))
        .then(OTHER)
        .when(away | (own & (pl.col("destination") == "missing_education")))
        .then(OPEN)
    )
    known = pl.when(waited & ~written).then(pl.max_horizontal("end_known", "enough")).otherwise("end_known")
    ended = leavings.spells.lazy().with_columns(leavings.after_school_days(days).alias("enough"))
    return (
        ended.filter(pl.col("leaving_date").is_not_null())
        .select(
            "pupil_id",
            "leaving_date",
            pl.when(nowhere).then(pl.lit("unknown")).otherwise("destination").alias("destination"),
            kind.alias("exit"),
            known.alias("counts_known"),
        )
        .filter(pl.col("exit").is_not_null())
    )


def first_exits(snapshots: pl.LazyFrame, exits: pl.LazyFrame, horizon: int, *, of_school_age: bool) -> pl.LazyFrame:
    """Return the exit that decides each window that has one.

    Parameters
    ----------
    snapshots : polars.LazyFrame
        ``pupil_id, as_of`` and, for ``of_school_age``, ``age_ends``, the last day of compulsory school age.
    exits : polars.LazyFrame
        The result of ``exits_of``.
    of_school_age : bool
        Whether a child who leaves when compulsory school age ends, or later, is over age and not missing.

    Returns
    -------
    polars.LazyFrame
        ``pupil_id, as_of, counts`` (whether it counts as going missing), ``destination, counts_known, left_on``.
    """
    both = snapshots.join(exits, on="pupil_id")
    both = both.filter(pl.col("leaving_date").is_between(pl.col("as_of"), pl.col("as_of") + horizon - 1))
    if of_school_age:
        over = (pl.col("exit") != OTHER) & (pl.col("leaving_date") >= pl.col("age_ends")).fill_null(False)
        both = both.with_columns(
            pl.when(over).then(OTHER).otherwise("exit").alias("exit"),
            pl.when(over).then(pl.lit("over_age")).otherwise("destination").alias("destination"),
        )
    end = pl.col("leaving_date").filter(pl.col("exit") == OTHER).min().over("pupil_id", "as_of")
    window = both.filter(end.is_null() | (pl.col("leaving_date") <= end))
    # Two leavings on one day: the one recorded first decides, so that the order of rows never does.
    window = window.sort("exit", "leaving_date", "counts_known", "destination").unique(
        ["pupil_id", "as_of"], keep="first", maintain_order=True
    )
    counts = (pl.col("exit") == COUNTED).alias("counts")
    return window.select(
        "pupil_id", "as_of", counts, "destination", "counts_known", pl.col("leaving_date").alias("left_on")
    )
