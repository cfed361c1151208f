"""Marks to tallies: one pass maps every date to the block between two window edges, and each window is a sum of blocks.

A mark is seen as of D if it was recorded before D and no correction of it was. Both are put into the group as the number of
the first and last as-of date that sees it, so late and corrected marks are exact without a pass for each date.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from datetime import date

import narwhals as nw
import polars as pl
import pyarrow as pa

from features.cohort import collect
from histories.codes import attendance_class, attendance_codes
from histories.opening import Histories, day_number, day_of

WINDOWS = (14, 28, 56, 84, 90, 180, 365)
RECENT = 60  # days in which the newest sessions are looked at one by one
ABSENT = attendance_class("authorised", "unauthorised")
POSSIBLE = tuple(c for c, a in attendance_codes().items() if a.counts_as != "not_possible")
MEASURES: dict[str, tuple[str, ...]] = {
    "possible": POSSIBLE,
    "absent": ABSENT,
    "unauthorised": attendance_class("unauthorised"),
    "no_reason": ("O", "N"),
    "holiday": ("G",),
    "ill": ("I", "M"),
    "late": ("L", "U"),
    "suspended_marks": ("E",),
    "part_time": ("C2",),
}
LAST = 10_000  # the number of an as-of date that never comes


def mark_tallies(histories: Histories, snapshots: pl.DataFrame, known: date | None = None) -> pl.DataFrame:
    """Count marks of each kind in each window for each snapshot.

    Parameters
    ----------
    snapshots : polars.DataFrame
        ``pupil_id`` and ``as_of`` (day number).
    known : date, optional
        The day of knowledge; see ``features.visible.seen``.

    Returns
    -------
    polars.DataFrame
        ``pupil_id, as_of`` and one column ``<measure>_<days>`` each, also ``_year`` for the school year to date.
    """
    days = sorted(snapshots["as_of"].unique().to_list())
    marks = _seen(histories, days, known)
    edges = sorted({d - w for d in days for w in (0, *WINDOWS)} | {_september(d) for d in days})
    low, high = edges[0], edges[-1]
    calendar = pa.table({
        "date": pa.array(range(low, high), pa.int32()),
        "block": pa.array([bisect.bisect_right(edges, x) for x in range(low, high)], pa.int32()),
    })  # fmt: skip
    blocks = (
        marks.join(nw.from_native(histories.native_of(calendar)).lazy(), on="date", how="inner")
        .group_by("pupil_id", "block", "seen_from", "seen_until")
        .agg(*(_count(codes).alias(name) for name, codes in MEASURES.items()))
    )
    lists = [
        (d, n, b, *_inside(d, edges[b - 1]))
        for n, d in enumerate(days)
        for b in range(1, len(edges))
        if edges[b - 1] < d
    ]
    names = ["as_of", "number", "block", *(f"w{w}" for w in WINDOWS), "wyear"]
    windows = pa.table({n: pa.array(list(v), pa.int32()) for n, v in zip(names, zip(*lists, strict=True), strict=True)})
    sums = [
        (nw.col(m) * nw.col(f"w{w}")).sum().cast(nw.Int64).alias(f"{m}_{w}")
        for m in MEASURES
        for w in (*WINDOWS, "year")
    ]
    joined = blocks.join(nw.from_native(histories.native_of(windows)).lazy(), on="block", how="inner").filter(
        (nw.col("seen_from") <= nw.col("number")) & (nw.col("seen_until") > nw.col("number"))
    )
    keys = nw.from_native(histories.native_of(snapshots.select("pupil_id", "as_of").to_arrow())).lazy()
    return collect(joined.join(keys, on=["pupil_id", "as_of"], how="semi").group_by("pupil_id", "as_of").agg(*sums))


def recent_tallies(histories: Histories, snapshots: pl.DataFrame, known: date | None = None) -> pl.DataFrame:
    """Look at the newest sessions one by one: the run of absence that reaches to the day, and whole weeks missed.

    Returns
    -------
    polars.DataFrame
        ``last_mark_days, last_present_days, trailing_absent, longest_gap_weeks`` and more, by snapshot; counts are whole numbers.
    """
    days = sorted(snapshots["as_of"].unique().to_list())
    pairs = [(d - n, d, i) for i, d in enumerate(days) for n in range(1, RECENT + 1)]
    near = pa.table(
        {
            n: pa.array(list(v), pa.int32())
            for n, v in zip(("date", "as_of", "number"), zip(*pairs, strict=True), strict=True)
        }
    )
    keys = nw.from_native(histories.native_of(snapshots.select("pupil_id", "as_of").to_arrow())).lazy()
    marks = (
        _seen(histories, days, known)
        .filter(nw.col("date") >= min(days) - RECENT)
        .join(nw.from_native(histories.native_of(near)).lazy(), on="date", how="inner")
        .filter((nw.col("seen_from") <= nw.col("number")) & (nw.col("seen_until") > nw.col("number")))
        .join(keys, on=["pupil_id", "as_of"], how="semi")
        .with_columns(
            (nw.col("date") * 2 + nw.when(nw.col("session") == "PM").then(1).otherwise(0)).alias("slot"),
            ((nw.col("as_of") - 1 - nw.col("date")) // 7).cast(nw.Int32).alias("week"),
            _flag(POSSIBLE).alias("possible"),
            _flag(ABSENT).alias("absent"),
        )
        .filter(nw.col("possible") == 1)
        .with_columns(nw.when(nw.col("absent") == 0).then(nw.col("slot")).alias("present_slot"))
        .with_columns(nw.col("present_slot").max().over("pupil_id", "as_of").alias("last_present"))
    )
    trailing = (
        nw.when(nw.col("last_present").is_null() | (nw.col("slot") > nw.col("last_present"))).then(1).otherwise(0)
    )
    weeks = collect(
        marks.group_by("pupil_id", "as_of", "week").agg(
            nw.col("possible").sum().cast(nw.Int64).alias("possible"),
            nw.col("absent").sum().cast(nw.Int64).alias("absent"),
            trailing.sum().cast(nw.Int64).alias("trailing"),
            nw.col("slot").max().alias("slot"),
            nw.col("last_present").max().alias("last_present"),
        )
    )
    whole = (pl.col("absent") == pl.col("possible")).cast(pl.Int64)
    most = (2 * pl.col("absent") >= pl.col("possible")).cast(pl.Int64)
    return weeks.group_by("pupil_id", "as_of").agg(
        pl.col("trailing").sum().alias("trailing_absent"),
        whole.sum().alias("weeks_missed"),
        most.sum().alias("weeks_mostly_missed"),
        pl.len().cast(pl.Int64).alias("weeks_open"),
        pl.col("slot").max().alias("last_slot"),
        pl.col("last_present").max().alias("present_slot"),
        pl.when(pl.col("week") == pl.col("week").min()).then("absent").sum().cast(pl.Int64).alias("last_week_absent"),
        pl.when(pl.col("week") == pl.col("week").min()).then("possible").sum().cast(pl.Int64).alias("last_week_possible"),
    ).with_columns(
        (pl.col("as_of") - pl.col("last_slot") // 2).cast(pl.Int64).alias("last_mark_days"),
        (pl.col("as_of") - pl.col("present_slot") // 2).cast(pl.Int64).alias("last_present_days"),
    ).drop("last_slot", "present_slot")  # fmt: skip


def _seen(histories: Histories, days: Sequence[int], known: date | None) -> nw.LazyFrame:
    """Return marks with the numbers of the first as-of date that sees them and of the first that no longer does."""
    marks = histories.frame("attendance").filter(nw.col("date") < days[-1])
    if known is not None:
        # Windows hold only days before the as-of date, so with a day of knowledge all dates see the same marks.
        days = [day_number(known)]
    marks = marks.filter(nw.col("known") < days[-1])
    key = ["pupil_id", "date", "session"]
    # A correction is recorded after its day, so only keys with such a row can have more than one.
    late = marks.filter(nw.col("known") > nw.col("date")).select(*key).unique()
    once = marks.join(late, on=key, how="anti").with_columns(nw.lit(LAST).cast(nw.Int32).alias("seen_until"))
    again = (
        marks.join(late, on=key, how="semi")
        .unique(subset=[*key, "known"], keep="last", order_by=["code"])
        .with_columns(nw.col("known").shift(-1).over(*key, order_by="known").alias("next_known"))
    )
    again = again.with_columns(
        nw.when(nw.col("next_known").is_null())
        .then(nw.lit(LAST))
        .otherwise(_number("next_known", days))
        .cast(nw.Int32)
        .alias("seen_until")
    )
    both = nw.concat(
        [once.select(*key, "code", "known", "seen_until"), again.select(*key, "code", "known", "seen_until")]
    )
    both = both.with_columns(_number("known", days).cast(nw.Int32).alias("seen_from"))
    return both.filter(nw.col("seen_from") < nw.col("seen_until"))


def _number(column: str, days: Sequence[int]) -> nw.Expr:
    """Return how many as-of dates are no later than a day: the number of the first date that lies after it."""
    return nw.sum_horizontal(*(nw.when(nw.col(column) >= d).then(1).otherwise(0) for d in days))


def _count(codes: tuple[str, ...]) -> nw.Expr:
    return _flag(codes).sum().cast(nw.Int64)


def _flag(codes: tuple[str, ...]) -> nw.Expr:
    return nw.when(nw.col("code").is_in(list(codes))).then(1).otherwise(0)


def _september(day: int) -> int:
    as_of = day_of(day)
    return day_number(as_of.replace(year=as_of.year if as_of.month >= 9 else as_of.year - 1, month=9, day=1))


def _inside(day: int, begins: int) -> list[int]:
    """Return for each window whether a block that begins on a day lies in it."""
    return [int(day - w <= begins < day) for w in WINDOWS] + [int(_september(day) <= begins < day)]
