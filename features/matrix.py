"""The feature matrix: one row a snapshot, one column a feature, nothing that was recorded on or after its day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import narwhals as nw
import polars as pl
import pyarrow as pa

from features.catalogue import CATALOGUE, TALLIES
from features.cohort import CohortRule, cohort, collect
from features.context import add_context
from features.feature import Tally
from features.marks import mark_tallies, recent_tallies
from features.visible import visible
from histories.opening import Histories, day_number

KEYS = ["pupil_id", "as_of"]


def matrix(
    histories: Histories,
    as_of: list[date],
    *,
    rule: CohortRule | None = None,
    known: date | None = None,
    advance: Callable[..., None] = lambda steps=1, description=None: None,
) -> pa.Table:
    """Build the features of the cohort as of some days.

    Parameters
    ----------
    histories : Histories
    as_of : list of date
        The days on which the question is asked.
    rule : CohortRule, optional
        Who is in the cohort.
    known : date, optional
        The day of knowledge: earlier as-of dates are asked as it was known on that day, with what came late and with
        corrections, but with nothing that happened from the as-of date on. By default each as-of date is its own.

    Returns
    -------
    pyarrow.Table
        ``pupil_id, as_of`` and one float64 column a feature, in the catalogue's order, sorted by day and pupil. Missing is NaN.
    """
    values = tallied(histories, as_of, rule=rule, known=known, advance=advance)
    return values.select(*KEYS, *(f.name for f in CATALOGUE)).to_arrow().cast(_schema())


def tallied(
    histories: Histories,
    as_of: list[date],
    *,
    rule: CohortRule | None = None,
    known: date | None = None,
    advance: Callable[..., None] = lambda steps=1, description=None: None,
) -> pl.DataFrame:
    """Return tallies and features together, for sentences that name both; see ``matrix``."""
    frame = counted(histories, as_of, rule=rule, known=known, advance=advance)
    features = nw.from_native(frame).select(
        *(nw.col(k) for k in KEYS),
        *(_feature(f.expression(), f.sources, histories).alias(f"feature:{f.name}") for f in CATALOGUE),
    )
    named = features.to_native().rename({f"feature:{f.name}": f.name for f in CATALOGUE})
    rest = frame.drop([f.name for f in CATALOGUE], strict=False)
    return rest.join(named, on=KEYS).sort("as_of", "pupil_id").with_columns(pl.col("as_of").cast(pl.Date))


def counted(
    histories: Histories,
    as_of: list[date],
    *,
    rule: CohortRule | None = None,
    known: date | None = None,
    tallies: dict[str, Tally] = TALLIES,
    advance: Callable[..., None] = lambda steps=1, description=None: None,
) -> pl.DataFrame:
    """Return the snapshots with their tallies and their context, which is what features are computed from; see ``matrix``."""
    snapshots = pl.from_arrow(cohort(histories, as_of, rule, known)).with_columns(pl.col("as_of").cast(pl.Int32))  # type: ignore[union-attr]
    advance(description="features: marks")
    frame = _with_marks(histories, snapshots, known)
    for table in sorted({t.table for t in tallies.values()}):
        advance(description=f"features: {table}")
        frame = frame.join(_tallies(histories, table, tallies, snapshots, known), on=KEYS, how="left")
    frame = add_context(histories, frame, known)
    return _fill(histories, frame, tallies)


def _feature(expression: nw.Expr, sources: tuple[str, ...], histories: Histories) -> nw.Expr:
    if any(s not in histories.present for s in sources):
        return nw.lit(None).cast(nw.Float64)
    return expression


def _with_marks(histories: Histories, snapshots: pl.DataFrame, known: date | None) -> pl.DataFrame:
    if snapshots.is_empty() or "attendance" not in histories.present:
        # An empty frame of the right columns keeps every expression valid.
        empty = snapshots.clear().select(KEYS)
        from features.marks import MEASURES, WINDOWS

        names = [f"{m}_{w}" for m in MEASURES for w in (*WINDOWS, "year")]
        names += [
            "trailing_absent",
            "weeks_missed",
            "weeks_mostly_missed",
            "weeks_open",
            "last_week_absent",
            "last_week_possible",
            "last_mark_days",
            "last_present_days",
        ]
        marks = empty.with_columns(*(pl.lit(None, pl.Int64).alias(n) for n in names))
        return snapshots.join(marks, on=KEYS, how="left")
    frame = snapshots.join(mark_tallies(histories, snapshots, known), on=KEYS, how="left")
    return frame.join(recent_tallies(histories, snapshots, known), on=KEYS, how="left")


def _tallies(
    histories: Histories, table: str, tallies: dict[str, Tally], snapshots: pl.DataFrame, known: date | None
) -> pl.DataFrame:
    """Count every tally of one table in one pass."""
    own = {n: t for n, t in tallies.items() if t.table == table}
    rows = rows_of(histories, table, snapshots, known)
    return collect(rows.group_by(*KEYS).agg(*(aggregate(t).alias(n) for n, t in own.items())))


def rows_of(histories: Histories, table: str, snapshots: pl.DataFrame, known: date | None = None) -> nw.LazyFrame:
    """Return what tallies of a table are counted from: its visible rows, and columns that only whole tables can give."""
    lazy = nw.from_native(histories.native_of(snapshots.select(KEYS).to_arrow())).lazy()
    rows = visible(histories, table, lazy, known)
    if table == "enrolments":
        # Entry days are turned into a day of the school year: outside the weeks around 1 September it is a move in the year.
        day = (nw.col("entry_date") - nw.lit(day_number(date(2000, 9, 1)))) * 100
        of_year = day - (day // 36525) * 36525
        rows = rows.with_columns(
            nw.when((of_year > 2500) & (of_year < 34500)).then(1).otherwise(0).alias("in_year_entry")
        )
    if table == "admissions":
        days = sorted(snapshots["as_of"].unique().to_list())
        years = pa.table(
            {
                "as_of": pa.array(days, pa.int32()),
                "next_september": pa.array([_next_september(d) for d in days], pa.int64()),
            }
        )
        rows = rows.join(nw.from_native(histories.native_of(years)).lazy(), on="as_of", how="left")
    if table == "addresses":
        areas = (
            histories.frame("areas")
            .select("lsoa", "idaci_decile")
            .unique(subset=["lsoa"], keep="first", order_by=["idaci_decile"])
        )
        rows = rows.join(areas, on="lsoa", how="left")
    return rows


def aggregate(tally: Tally) -> nw.Expr:
    """Return the aggregation of a tally over the rows of a snapshot."""
    value = tally.value() if tally.value else nw.lit(1)
    condition = tally.where() if tally.where else ~nw.col("pupil_id").is_null()
    if tally.days is not None:
        condition = condition & (nw.col("age") >= 1) & (nw.col("age") <= tally.days)
    if tally.how == "sum":
        return nw.when(condition).then(value).otherwise(nw.lit(0)).sum().cast(nw.Int64)
    chosen = nw.when(condition).then(value)
    return (chosen.max() if tally.how == "max" else chosen.min()).cast(nw.Int64)


def _fill(histories: Histories, frame: pl.DataFrame, tallies: dict[str, Tally]) -> pl.DataFrame:
    """Sums over no rows of a table that is there are zero; extremes of nothing stay missing."""
    from features.marks import MEASURES, WINDOWS

    zero = [n for n, t in tallies.items() if t.how == "sum" and t.table in histories.present]
    if "attendance" in histories.present:
        zero += [f"{m}_{w}" for m in MEASURES for w in (*WINDOWS, "year")]
    return frame.with_columns(*(pl.col(n).fill_null(0) for n in zero))


def _next_september(day: int) -> int:
    from histories.opening import day_of

    d = day_of(day)
    return d.year if d.month < 9 else d.year + 1


def _schema() -> pa.Schema:
    return pa.schema([("pupil_id", pa.string()), ("as_of", pa.date32()), *((f.name, pa.float64()) for f in CATALOGUE)])
