"""The effect of late recording: compare features as known on the as-of dates with the same features in hindsight."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl
import pyarrow as pa

from features.catalogue import catalogue
from features.matrix import matrix
from features.outcome.cohort import CohortRule
from histories.calendar import day_of
from histories.errors import Fault, Faults, Usage
from histories.io.spreadsheet import write_csv
from histories.reading.histories import Histories
from histories.reading.usable import NEVER
from histories.tables import TABLES

KEYS = ["pupil_id", "as_of"]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How much hindsight changes a feature of the same snapshots.

    Attributes
    ----------
    differ : float
        Share of snapshots with another value, or with a value in only one of the two.
    moved : float or None
        Mean absolute difference in the feature's unit, over snapshots with both values.
    missing_then, missing_now : float
        Share of snapshots without a value.
    """

    feature: str
    theme: str
    unit: str
    differ: float
    moved: float | None
    missing_then: float
    missing_now: float


@dataclass(frozen=True, kw_only=True)
class Hindsight:
    """The comparison of features as known then and in hindsight.

    Attributes
    ----------
    snapshots : int
        Snapshots in both cohorts, which are compared.
    only_then, only_now : int
        Snapshots in the cohort only as known then, and only in hindsight.
    features : list of Difference
        The most changed features first.
    """

    as_of: list[date]
    known: date
    snapshots: int
    only_then: int
    only_now: int
    features: list[Difference]

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return asdict(self)

    def text(self) -> str:
        """Return the differing features as aligned text."""
        summary = f"{self.snapshots:,} snapshots as known then and on {self.known}; {self.only_then:,} in the cohort only then, {self.only_now:,} only now"
        changed = [d for d in self.features if d.differ > 0]
        if not changed:
            return f"{summary}\nno feature differs"
        head = f"{'feature':32} {'differ':>8} {'mean difference':>16} {'unit':12} {'missing then':>12} {'now':>7}"
        lines = [
            f"{d.feature:32} {d.differ:>8.2%} {'' if d.moved is None else f'{d.moved:.4g}':>16} {d.unit:12} {d.missing_then:>12.1%} {d.missing_now:>7.1%}"
            for d in changed
        ]
        return "\n".join([summary, head, *lines, f"{len(self.features) - len(changed)} other features do not differ"])

    def write(self, file: Path) -> None:
        """Write a CSV with one row for each feature."""
        columns = list(Difference.__dataclass_fields__)
        write_csv(file, columns, [[getattr(d, c) for c in columns] for d in self.features])


def hindsight(
    histories: Histories,
    as_of: list[date],
    known_on: date | None = None,
    *,
    rule: CohortRule | None = None,
    advance: Callable[..., None] = lambda steps=1, description=None: None,
) -> Hindsight:
    """Compare features as known on each as-of date with the same as known on a later day.

    Parameters
    ----------
    known_on : date, optional
        The day of hindsight; the day after the newest recording by default.

    Raises
    ------
    Usage
        If the day of hindsight is before an as-of date.
    Faults
        If the cohort is empty.
    """
    known_on = known_on or newest_recording(histories) + timedelta(days=1)
    if known_on < max(as_of):
        do = "Give a --compare-known that is no earlier than the last --as-of."
        raise Usage(Fault("the day of hindsight is before an as-of date", "features --compare-known", do))
    advance(description="features as known then")
    then = _frame(matrix(histories, as_of, rule=rule))
    advance(description=f"features as known on {known_on}")
    now = _frame(matrix(histories, as_of, rule=rule, known_on=known_on))
    both = then.join(now, on=KEYS, suffix=":now")
    if both.is_empty():
        do = "Choose days on which children of school age are on a roll."
        raise Faults(Fault("nobody is in the cohort both then and in hindsight", "features --as-of", do))
    differences = [(_difference(both, name), _spread(both, name)) for name in then.columns if name not in KEYS]
    differences.sort(
        key=lambda d: (-d[0].differ, -abs(d[0].missing_now - d[0].missing_then), -(d[0].moved or 0) / d[1])
    )
    return Hindsight(
        as_of=as_of,
        known=known_on,
        snapshots=both.height,
        only_then=then.height - both.height,
        only_now=now.height - both.height,
        features=[d for d, _ in differences],
    )


def newest_recording(histories: Histories) -> date:
    """Return the last day on which a row, or an end, was recorded in any table."""
    newest = [0]
    for table in histories.present:
        if TABLES[table].known_from and table != "pupils":
            for column in ("known", *(["end_known"] if TABLES[table].end else [])):
                rows = histories.frame(table).filter(nw.col(column) < NEVER)
                newest.append(rows.select(nw.col(column).max()).collect().item() or 0)
    return day_of(max(newest))


def _frame(table: pa.Table) -> pl.DataFrame:
    return pl.from_arrow(table)  # type: ignore[return-value]


def _difference(both: pl.DataFrame, name: str) -> Difference:
    then, now = both[name], both[f"{name}:now"]
    gap = (now - then).abs().mean()
    f, n = catalogue().by_name[name], both.height
    return Difference(
        feature=name,
        theme=f.theme,
        unit=f.unit,
        differ=int(then.ne_missing(now).sum()) / n,
        moved=None if gap is None else float(gap),  # type: ignore[arg-type]
        missing_then=then.null_count() / n,
        missing_now=now.null_count() / n,
    )


def _spread(both: pl.DataFrame, name: str) -> float:
    """Return the feature's standard deviation, which makes differences in different units comparable."""
    return float(both[f"{name}:now"].std() or 1.0)  # type: ignore[arg-type]
