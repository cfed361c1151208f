"""Labels: the outcome in the window and the day it was known; a window that is not fully known, or lies beyond the record of who left, has no label."""

from __future__ import annotations

from datetime import date

import polars as pl
import pyarrow as pa

from features.outcome.cohort import CohortRule, cohort
from features.outcome.definition import Definition
from features.outcome.known_until import ALL
from features.outcome.leavings import Leavings
from histories.calendar import HORIZON, day_number
from histories.reading.histories import Histories


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
    snapshots = members.lazy().with_columns(pl.col("as_of").cast(pl.Int32))
    exits = _exits(snapshots, _counted(leavings, definition), horizon)
    frame = snapshots.select("pupil_id", "as_of", "nc_year", "authority", "urn")
    frame = frame.join(exits, on=["pupil_id", "as_of"], how="left", maintain_order="left")
    if definition.cases:
        cases = _cases(snapshots, leavings.cases.lazy(), horizon)
        frame = frame.join(cases, on=["pupil_id", "as_of"], how="left", maintain_order="left")
    else:
        frame = frame.with_columns(pl.lit(None, pl.Int32).alias(c) for c in ("case_known", "case_from", "from_known"))
    frame = _decide(_with_limit(frame, leavings, definition, horizon), definition, horizon)
    columns = ("label", "outcome", "known_on", "happened_on", "recorded_on", "authority", "urn")
    return frame.select("pupil_id", pl.col("as_of").cast(pl.Date), *columns)


def _counted(leavings: Leavings, definition: Definition) -> pl.LazyFrame:
    """Return spells with ``counts``, ``counts_known`` and ``destination``: whether and when each leaving counts as going missing."""
    counts = pl.col("destination").is_in(list(definition.destinations)) | pl.col("leaving_ground").is_in(
        list(definition.grounds)
    )
    frame = leavings.spells.lazy().with_columns(
        counts.fill_null(False).alias("counts"), pl.col("end_known").alias("counts_known")
    )
    if definition.unknown_school_days is None:
        return frame
    twenty = leavings.after_school_days(definition.unknown_school_days)
    unknown = pl.col("leaving_date").is_not_null() & (
        pl.col("destination").is_null() | (pl.col("destination") == "unknown")
    )
    away = pl.col("next_entry").is_null() | (pl.col("next_entry") > pl.col("twenty"))
    return frame.with_columns(twenty.alias("twenty")).with_columns(
        pl.when(unknown).then(away).otherwise("counts").alias("counts"),
        pl.when(unknown & away)
        .then(pl.max_horizontal("end_known", "twenty"))
        .otherwise("counts_known")
        .alias("counts_known"),
        pl.when(unknown).then(pl.lit("unknown")).otherwise("destination").alias("destination"),
    )


def _exits(snapshots: pl.LazyFrame, spells: pl.LazyFrame, horizon: int) -> pl.LazyFrame:
    ended = spells.filter(pl.col("leaving_date").is_not_null())
    both = snapshots.select("pupil_id", "as_of", "entry_date").join(ended, on="pupil_id", suffix="_spell")
    inside = pl.col("leaving_date").is_between(pl.col("as_of"), pl.col("as_of") + horizon - 1)
    before = (pl.col("entry_date") == pl.col("entry_date_spell")) & (pl.col("leaving_date") < pl.col("as_of"))
    rank = pl.when(pl.col("counts")).then(0).otherwise(1)
    window = both.filter(inside & (pl.col("entry_date_spell") >= pl.col("entry_date"))).with_columns(rank.alias("rank"))
    # A known exit from state schools ends the window; a move between state schools does not.
    window = window.filter(pl.col("counts") | (pl.col("destination") != "state_school"))
    # Two leavings on one day: the one recorded first decides, so that the order of rows never does.
    window = window.sort("rank", "leaving_date", "counts_known", "destination").unique(
        ["pupil_id", "as_of"], keep="first", maintain_order=True
    )
    window = window.select(
        "pupil_id", "as_of", "counts", "destination", "counts_known", pl.col("leaving_date").alias("left_on")
    )
    gone = (
        both.filter(before).select("pupil_id", "as_of", pl.lit(True).alias("left_before")).unique(["pupil_id", "as_of"])
    )
    return window.join(gone, on=["pupil_id", "as_of"], how="full", coalesce=True)


def _cases(snapshots: pl.LazyFrame, cases: pl.LazyFrame, horizon: int) -> pl.LazyFrame:
    both = snapshots.select("pupil_id", "as_of").join(cases, on="pupil_id")
    both = both.filter(pl.col("missing_from").is_between(pl.col("as_of"), pl.col("as_of") + horizon - 1))
    return both.group_by("pupil_id", "as_of").agg(
        pl.col("known").min().alias("case_known"),
        pl.col("missing_from").min().alias("case_from"),
        # When the case that dates the outcome was recorded: another, later case may have been recorded before it.
        pl.col("known").sort_by("missing_from", "known").first().alias("from_known"),
    )


def _with_limit(frame: pl.LazyFrame, leavings: Leavings, definition: Definition, horizon: int) -> pl.LazyFrame:
    """Add ``limit``, the day number from which on nobody recorded whether the child had left: of its authority, or of the school that it went to last."""
    known_until, end = leavings.known_until, pl.col("as_of") + horizon - 1
    limits = known_until.limits(cases=definition.cases).lazy()
    # An authority whose records have no day has not stopped, as far as anybody can tell.
    otherwise = day_number(known_until.days(cases=definition.cases)[ALL]) + 1
    frame = frame.join(limits, on="authority", how="left", maintain_order="left")
    # Who left it too: those who went missing are known sooner than those who did not.
    stopped = leavings.spells.join(known_until.stopped(), on="urn")
    both = frame.select("pupil_id", "as_of").join(stopped.lazy(), on="pupil_id")
    last = (pl.col("entry_date") <= end) & (pl.col("next_entry").is_null() | (pl.col("next_entry") > end))
    there = both.filter(last).group_by("pupil_id", "as_of").agg(pl.col("stopped").min())
    frame = frame.join(there, on=["pupil_id", "as_of"], how="left", maintain_order="left")
    return frame.with_columns(pl.min_horizontal(pl.col("limit").fill_null(otherwise), "stopped").alias("limit"))


def _decide(frame: pl.LazyFrame, definition: Definition, horizon: int) -> pl.LazyFrame:
    case = pl.col("case_known").is_not_null()
    positive = case | pl.col("counts").fill_null(False)
    other = pl.col("counts").is_not_null() & ~positive
    matured = pl.col("as_of") + horizon + definition.known_after_days
    known_on = (
        pl.when(case)
        .then("case_known")
        .when(positive)
        .then("counts_known")
        .when(other)
        .then("counts_known")
        .otherwise(matured)
    )
    # Positives are known sooner than negatives; counting them earlier would overstate the rate of a window.
    frame = frame.with_columns(pl.max_horizontal(known_on, matured).cast(pl.Int32).alias("known"))
    ready = pl.col("known") < pl.col("limit")
    age = (pl.col("nc_year") + 4).is_between(definition.min_age, definition.max_age)
    left = pl.col("left_before").fill_null(False)
    left_on = pl.when(pl.col("counts").fill_null(False)).then("left_on")
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
        .when(case & ~pl.col("counts").fill_null(False))
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
