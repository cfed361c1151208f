"""Test that no feature sees the future: rewrite the future of a copy, and compare every feature.

Rows recorded on or after the as-of date are changed, deleted and added in every table of the copy, and the matrix of the day is
rebuilt. If a feature changes, further builds with one table and one kind of change find the cause.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from features.catalogue import catalogue
from features.leakage.future import KINDS, has_clock, other_future
from features.matrix import matrix
from histories.calendar import HORIZON, day_number
from histories.errors import Fault, Faults
from histories.reading.frames import collect
from histories.reading.histories import Histories
from histories.tables import TABLES

MEMBERSHIP = "(who is in the cohort)"
TOGETHER = "(several tables together)"
PUPILS = 2000
# As in training, the same run also computes a later day, which must not leak into the earlier one.
LATER = timedelta(days=HORIZON)


@dataclass(frozen=True)
class Leak:
    """A feature that changed although nothing known before the day did.

    Attributes
    ----------
    feature : str
        Its name, or ``MEMBERSHIP``.
    table, kind : str
        The cause: a table and a key of ``features.leakage.future.KINDS``.
    snapshots : int
        Number of children whose value changed.
    """

    feature: str
    table: str
    kind: str
    snapshots: int


@dataclass(kw_only=True)
class Proof:
    """The changes that were tried, and the leaks found.

    Attributes
    ----------
    snapshots, features : int
        Rows and columns compared.
    rows : dict
        ``{table: {kind: rows}}`` of the rewritten future.
    leaks : list of Leak
        Empty if the proof holds.
    """

    as_of: date
    pupils: int
    seed: int
    snapshots: int
    features: int
    rows: dict[str, dict[str, int]]
    leaks: list[Leak] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {**asdict(self), "as_of": str(self.as_of), "holds": not self.leaks, "kinds": KINDS}

    def text(self) -> str:
        """Return the outcome as text."""
        changes = sum(n for kinds in self.rows.values() for n in kinds.values())
        summary = f"{changes:,} rows of the future rewritten in {len(self.rows)} tables; {self.snapshots:,} snapshots with {self.features} features"
        if not self.leaks:
            return f"{summary}: nothing changed as of {self.as_of}"
        lines = [
            f"{x.feature:32} {x.snapshots:>7,} snapshots   {x.table}: {KINDS.get(x.kind, x.kind)}" for x in self.leaks
        ]
        return "\n".join([f"{summary}: data recorded on or after {self.as_of} changed", *lines])


def leaks(
    histories: Histories,
    as_of: date,
    *,
    pupils: int = PUPILS,
    seed: int = 1,
    engine: str = "duckdb",
    memory: str | None = None,
    advance: Callable[..., None] = lambda steps=1, description=None: None,
) -> Proof:
    """Rewrite the future of a copy and compare every feature and the cohort.

    Parameters
    ----------
    histories : Histories
        Never changed; a sample is copied into a temporary folder.
    as_of : date
        Everything recorded on or after this day is the future.
    pupils : int
        Approximate number of pupils; whole schools are sampled, since features of a school need all its children.
    seed : int
        Seed of the sample and the changes.
    engine : {"duckdb", "polars", "spark"}
        Engine of the features; Polars is faster on a small sample and writes nothing to disk.

    Raises
    ------
    Faults
        If the cohort of the day is empty.
    """
    day = day_number(as_of)
    advance(description="copying a sample")
    tables, chosen = _sample(histories, pupils, seed)
    with tempfile.TemporaryDirectory(prefix="onroll-leaks-") as scratch:
        base = _Copies(
            folder=Path(scratch),
            tables=tables,
            as_of=as_of,
            day=day,
            seed=seed,
            engine=engine,
            memory=memory,
            advance=advance,
        )
        before = base.build({})
        if before.is_empty():
            do = "Choose a day on which children of school age are on a roll."
            raise Faults(Fault("nobody is in the cohort on this day", "leaks --as-of", do))
        proof = Proof(
            as_of=as_of, pupils=chosen, seed=seed, snapshots=before.height, features=before.width - 2, rows={}
        )
        moved = _moved(before, base.build(dict.fromkeys(tables, tuple(KINDS)), proof.rows))
        proof.leaks += _causes_of(base, before, moved) if moved else []
    return proof


def _sample(histories: Histories, pupils: int, seed: int) -> tuple[dict[str, pl.DataFrame], int]:
    """Sample whole schools until there are enough pupils; return all their rows."""
    spells = collect(histories.frame("enrolments").select("pupil_id", "urn").unique()).sort("urn", "pupil_id")
    urns = np.random.default_rng(seed).permutation(spells["urn"].unique().sort().to_numpy())
    order = spells.join(pl.DataFrame({"urn": urns}, schema={"urn": pl.String}).with_row_index("at"), on="urn").sort(
        "at"
    )
    chosen = order["pupil_id"].unique(maintain_order=True)[:pupils]
    ids = histories.given(pa.table({"pupil_id": chosen.to_arrow().cast(pa.string())}))
    tables = {}
    for table in sorted(histories.present):
        rows = histories.frame(table)
        by_pupil = "pupil_id" in TABLES[table].columns
        sample = collect(rows.join(ids, on="pupil_id", how="semi") if by_pupil else rows)
        # Sorted, so that a seed gives the same changes whatever the engine's order of rows.
        tables[table] = sample.sort(sample.columns)
    return tables, len(chosen)


@dataclass(kw_only=True)
class _Copies:
    """The copied sample, and its matrices with the future of some tables rewritten."""

    folder: Path
    tables: dict[str, pl.DataFrame]
    as_of: date
    day: int
    seed: int
    engine: str
    memory: str | None
    advance: Callable[..., None]

    def build(self, kinds: dict[str, Iterable[str]], rows: dict[str, dict[str, int]] | None = None) -> pl.DataFrame:
        change = "unchanged" if not kinds else ", ".join(f"{t}: {', '.join(k)}" for t, k in kinds.items())
        self.advance(description=f"features {change if len(kinds) < 2 else 'with another future'}")
        frames = {}
        for table, frame in self.tables.items():
            frames[table], touched = other_future(table, frame, self.day, tuple(kinds.get(table, ())), self.seed)
            if rows is not None and touched:
                rows[table] = touched
        if self.engine == "polars":
            return self._matrix(Histories({t: f.lazy() for t, f in frames.items()}, [], "polars"))
        with tempfile.TemporaryDirectory(dir=self.folder) as scratch:
            for table, frame in frames.items():
                dates = [c.name for c in TABLES[table].columns.values() if c.kind == "date"]
                frame.with_columns(pl.col(c).cast(pl.Date) for c in dates).write_parquet(f"{scratch}/{table}.parquet")
            return self._matrix(Histories.open(scratch, engine=self.engine, memory=self.memory))

    def _matrix(self, opened: Histories) -> pl.DataFrame:
        built = pl.from_arrow(matrix(opened, [self.as_of, self.as_of + LATER]))
        return built.filter(pl.col("as_of") == self.as_of)  # type: ignore[union-attr, return-value, arg-type]


def _moved(before: pl.DataFrame, after: pl.DataFrame) -> dict[str, int]:
    """Count the snapshots for which each feature changed; ``MEMBERSHIP`` counts the cohort itself."""
    both = before.join(after, on=["pupil_id", "as_of"], how="inner", suffix=":after")
    names = [c for c in before.columns if c not in ("pupil_id", "as_of")]
    counts = both.select(pl.col(n).ne_missing(pl.col(f"{n}:after")).sum() for n in names).row(0)
    moved = {MEMBERSHIP: before.height + after.height - 2 * both.height, **dict(zip(names, counts, strict=True))}
    return {name: int(n) for name, n in moved.items() if n}


def _causes_of(base: _Copies, before: pl.DataFrame, moved: dict[str, int]) -> list[Leak]:
    """Find the table and kind of change behind each changed feature by bisection; try the features' sources first."""
    by_name = {f.name: f for f in catalogue().features}
    needed = {t for name in moved if name in by_name for t in by_name[name].sources}
    clocked = [t for t in base.tables if has_clock(t)]
    causes = _causes(base, before, [t for t in clocked if t in needed])
    causes += _causes(base, before, [t for t in clocked if t not in needed])
    explained = []
    for table in causes:
        for kind in KINDS:
            now = _moved(before, base.build({table: (kind,)}))
            explained += [Leak(name, table, kind, n) for name, n in now.items()]
    seen = {leak.feature for leak in explained}
    return explained + [Leak(name, TOGETHER, "", n) for name, n in moved.items() if name not in seen]


def _causes(base: _Copies, before: pl.DataFrame, tables: list[str]) -> list[str]:
    """Return the tables whose rewritten future changes a feature, by bisection."""
    if not tables or not _moved(before, base.build(dict.fromkeys(tables, tuple(KINDS)))):
        return []
    half = len(tables) // 2
    return _causes(base, before, tables[:half]) + _causes(base, before, tables[half:]) if half else tables
