"""Labels: the outcome in the window and the day it was known; a window that is not fully known, or lies beyond the record of who left, has no label."""

from __future__ import annotations

from datetime import date

import polars as pl
import pyarrow as pa

from features.outcome.cohort import CohortRule, cohort, with_school_age
from features.outcome.definition import Definition
from features.outcome.exits import exits_of, first_exits
from features.outcome.known_until import ALL
from features.outcome.leavings import OWN, Leavings
from histories.calendar import HORIZON, day_number
from histories.reading.histories import Histories
from histories.reading.rolls import NOT_ENDED


def label(
    histories: Histories,
    as_of: list[date],
    definition: Definition,
    horizon: int = HORIZON,
    *,
    rule: CohortRule | None = None,
    until: date | None = None,
    known_on: date | None = None,
    members: pa.Table | None = None,
) -> pa.Table:
    """Label the cohort's snapshots.

    Parameters
    ----------
    definition : Definition
        What counts as going missing.
    horizon : int
        Days of the outcome window, which starts on the as-of date.
    until : date, optional
        Ignore everything recorded on or after this day.
    known_on : date, optional
        The day of knowledge of the cohort; see ``histories.reading.as_of.seen``.
    members : pyarrow.Table, optional
        The cohort of these days, if it has been computed already.

    Returns
    -------
    pyarrow.Table
        ``pupil_id, as_of, label (1, 0, or null), outcome, known_on (date), happened_on (date, of a child who went missing)``. ``outcome`` names
        the exit, ``stayed``, ``left_before`` or ``not_known``; known exits of another kind end the window without being the outcome.
    """
    members = cohort(histories, as_of, rule, known_on) if members is None else members
    labelled = outcomes(pl.DataFrame(members), Leavings.read(histories, until), definition, horizon)
    columns = ("pupil_id", "as_of", "label", "outcome", "known_on", "happened_on")
    return labelled.select(columns).sort("as_of", "pupil_id").collect().to_arrow()


def outcomes(members: pl.DataFrame, leavings: Leavings, definition: Definition, horizon: int) -> pl.LazyFrame:
    """Label a cohort as ``label`` does, lazily.

    Returns
    -------
    polars.LazyFrame
        The columns of ``label``; ``recorded_on`` (date), when the outcome of a child who went missing was recorded; and the ``authority``
        and ``urn`` of the cohort. The rows keep their order.
    """
    of_school_age = definition.compulsory_school_age
    snapshots = (with_school_age(members) if of_school_age else members).lazy()
    snapshots = snapshots.with_columns(pl.col("as_of").cast(pl.Int32))
    exits = first_exits(snapshots, exits_of(leavings, definition), horizon, of_school_age=of_school_age)
    frame = snapshots.select("pupil_id", "as_of", "nc_year", "authority", "urn")
    for more in (exits, _left_before(snapshots, leavings)):
        frame = frame.join(more, on=["pupil_id", "as_of"], how="left", maintain_order="left")
    if definition.cases:
        cases = _cases(snapshots, leavings.cases.lazy(), horizon, of_school_age=of_school_age)
        frame = frame.join(cases, on=["pupil_id", "as_of"], how="left", maintain_order="left")
    else:
        frame = frame.with_columns(pl.lit(None, pl.Int32).alias(c) for c in ("case_known", "case_from", "from_known"))
    frame = _decide(_with_limit(frame, leavings, definition, horizon), definition, horizon)
    columns = ("label", "outcome", "known_on", "happened_on", "recorded_on", "authority", "urn")
    return frame.select("pupil_id", pl.col("as_of").cast(pl.Date), *columns)


def _left_before(snapshots: pl.LazyFrame, leavings: Leavings) -> pl.LazyFrame:
    """Return the snapshots of children who had left the roll by the day, which was recorded only later."""
    ended = leavings.spells.lazy().select("pupil_id", "urn", "entry_date", "leaving_date")
    both = snapshots.select("pupil_id", "as_of", "urn", "entry_date").join(ended, on=["pupil_id", "urn", "entry_date"])
    gone = both.filter(pl.col("leaving_date") < pl.col("as_of"))
    return gone.select("pupil_id", "as_of", pl.lit(True).alias("left_before")).unique(["pupil_id", "as_of"])


def _cases(snapshots: pl.LazyFrame, cases: pl.LazyFrame, horizon: int, *, of_school_age: bool) -> pl.LazyFrame:
    """Return the cases that begin in the windows, whatever exit was recorded before: who is on the register is missing."""
    both = snapshots.join(cases, on="pupil_id")
    both = both.filter(pl.col("missing_from").is_between(pl.col("as_of"), pl.col("as_of") + horizon - 1))
    if of_school_age:
        both = both.filter((pl.col("missing_from") <= pl.col("age_ends")).fill_null(True))
    return both.group_by("pupil_id", "as_of").agg(
        pl.col("known").min().alias("case_known"),
        pl.col("missing_from").min().alias("case_from"),
        # When the case that dates the outcome was recorded: another, later case may have been recorded before it.
        pl.col("known").sort_by("missing_from", "known").first().alias("from_known"),
    )


def _with_limit(frame: pl.LazyFrame, leavings: Leavings, definition: Definition, horizon: int) -> pl.LazyFrame:
    """Add ``limit``, the day number from which on nobody recorded whether the child had left: of its authority, or of the school that it went to last."""
    known_until = leavings.known_until
    limits = known_until.limits(definition).lazy()
    # An authority whose records have no day has not stopped, as far as anybody can tell.
    otherwise = day_number(known_until.days(definition)[ALL]) + 1
    frame = frame.join(limits, on="authority", how="left", maintain_order="left")
    there = _last_school(frame.select("pupil_id", "as_of"), leavings, known_until.stopped(), horizon)
    frame = frame.join(there, on=["pupil_id", "as_of"], how="left", maintain_order="left")
    return frame.with_columns(pl.min_horizontal(pl.col("limit").fill_null(otherwise), "stopped").alias("limit"))


def _last_school(snapshots: pl.LazyFrame, leavings: Leavings, stopped: pl.DataFrame, horizon: int) -> pl.LazyFrame:
    """Return ``stopped`` of the schools whose rolls have stopped and that were a child's own at the end of the window.

    Who left it too: those who went missing are known sooner than those who did not.
    """
    spells, end = leavings.spells, pl.col("as_of") + horizon - 1
    there = spells.filter(pl.col("urn").is_in(stopped["urn"].to_list()))["pupil_id"].unique()
    of_these = spells.filter(pl.col("pupil_id").is_in(there.to_list())).lazy()
    both = snapshots.join(of_these, on="pupil_id").filter(pl.col("entry_date") <= end)
    left = pl.when(pl.col("leaving_date") < end).then("leaving_date").otherwise(NOT_ENDED)
    order = [left.alias("left"), *(pl.col(c) for c in OWN)]
    own = both.sort(order).unique(["pupil_id", "as_of"], keep="last", maintain_order=True)
    return own.join(stopped.lazy(), on="urn").select("pupil_id", "as_of", "stopped")


def _decide(frame: pl.LazyFrame, definition: Definition, horizon: int) -> pl.LazyFrame:
    case, counts = pl.col("case_known").is_not_null(), pl.col("counts").fill_null(False)
    positive, other = case | counts, pl.col("counts").is_not_null() & ~case & ~counts
    matured = pl.col("as_of") + horizon + definition.known_after_days
    # By a case, or by a leaving that counts: whichever was recorded first says it.
    known = pl.min_horizontal("case_known", pl.when(~case | counts).then("counts_known"))
    known_on = pl.when(positive | other).then(known).otherwise(matured)
    # Positives are known sooner than negatives; counting them earlier would overstate the rate of a window.
    frame = frame.with_columns(pl.max_horizontal(known_on, matured).cast(pl.Int32).alias("known"))
    ready = pl.col("known") < pl.col("limit")
    age = (pl.col("nc_year") + 4).is_between(definition.min_age, definition.max_age)
    left = pl.col("left_before").fill_null(False)
    left_on = pl.when(counts).then("left_on")
    happened = pl.min_horizontal("case_from", left_on)
    # The record that says when it happened, not only that it did: another may come earlier or later.
    recorded = pl.min_horizontal(
        pl.when(pl.col("case_from") == happened).then("from_known"), pl.when(left_on == happened).then("counts_known")
    )
    went = ready & ~left & age & positive
    return frame.with_columns(
        pl.when(left | ~ready | ~age).then(None).otherwise(positive.cast(pl.Float64)).alias("label"),
        pl.when(left)
        .then(pl.lit("left_before"))
        .when(~ready)
        .then(pl.lit("not_known"))
        .when(case & ~counts)
        .then(pl.lit("case"))
        .when(positive | other)
        .then("destination")
        .otherwise(pl.lit("stayed"))
        .alias("outcome"),
        pl.when(ready & ~left).then("known").cast(pl.Date).alias("known_on"),
        pl.when(went).then(happened).cast(pl.Date).alias("happened_on"),
        pl.when(went).then(recorded).cast(pl.Date).alias("recorded_on"),
    )


__all__ = ["HORIZON", "label", "outcomes"]
