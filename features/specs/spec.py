"""Specifications by example: tables as aligned text, as-of dates and the expected values.

Specs are data: the tests run all of them at once on every engine; ``docs/features.md`` and ``onroll features --explain`` print
them.
"""

from __future__ import annotations

import ast
import operator
import re
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import Any

import narwhals as nw
import polars as pl

from features.feature import Feature
from histories.calendar import day_number
from histories.reading.as_of import happened
from histories.reading.frames import collect
from histories.reading.histories import Histories
from histories.tables import TABLES

BORN, ROLL = "2014-05-01", "2018-09-04"  # by default a child in Year 6 in January 2025
KEY_COLUMNS = ("pupil_id", "urn", "destination_urn", "offered_urn", "authority", "household_id", "lsoa")
MANY = re.compile(r"([A-Z]+)(\d+)\.\.\1(\d+)")
BEFORE, ITSELF, LATE, CORRECTED = "the day before", "the day itself", "recorded late", "corrected"
ENDED, ANSWERED = "an end recorded on the day", "an answer on the day"


def aligned(text: str) -> tuple[list[str], list[list[str]]]:
    """Parse lines of cells separated by ``|``: the headings, then the rows."""
    lines = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    return lines[0], lines[1:]


def rows(table: str, text: str) -> list[dict[str, Any]]:
    """Parse rows of a histories table from aligned text.

    An empty cell is null; ``B1..B24`` as a pupil repeats the row for each pupil.
    """
    heads, lines = aligned(text)
    columns = TABLES[table].columns
    read = [{n: _cell(columns[n].kind, c) for n, c in zip(heads, line, strict=True)} for line in lines]
    return [{**row, "pupil_id": p} if "pupil_id" in row else row for row in read for p in _pupils(row.get("pupil_id"))]


def _cell(kind: str, cell: str) -> Any:
    if cell == "":
        return None
    if kind == "integer":
        return int(cell)
    return cell == "true" if kind == "boolean" else cell


def _pupils(cell: str | None) -> list[str | None]:
    many = MANY.fullmatch(cell or "")
    return [f"{many[1]}{n}" for n in range(int(many[2]), int(many[3]) + 1)] if many else [cell]


OPERATIONS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


def _number(cell: str) -> float | None:
    """Evaluate an arithmetic expression; None for an empty cell."""

    def value(node: ast.AST) -> Fraction:
        if isinstance(node, ast.BinOp):
            return OPERATIONS[type(node.op)](value(node.left), value(node.right))
        return -value(node.operand) if isinstance(node, ast.UnaryOp) else Fraction(str(ast.literal_eval(node)))

    return float(value(ast.parse(cell, mode="eval").body)) if cell else None


@dataclass(frozen=True)
class Spec:
    """An example of one feature or of a small family.

    Attributes
    ----------
    says : str
        What the example shows, in a sentence.
    tables : dict
        Aligned text by table. By default pupils are born on ``BORN`` and on the roll of school 1 since ``ROLL``.
    expect : str
        Aligned text: ``as_of``, ``pupil_id`` (default A), and a column for each feature. An empty cell is missing; an expression
        such as ``2/3`` or ``(24*1/26 + 200*2/27) / 224`` shows how a number is computed.
    """

    says: str
    tables: dict[str, str]
    expect: str

    @property
    def features(self) -> list[str]:
        """Return the names of the features in the example."""
        return [h for h in aligned(self.expect)[0] if h not in ("as_of", "pupil_id")]

    @property
    def days(self) -> list[date]:
        """Return the as-of days."""
        return sorted({day for day, *_ in self.expected()})

    def expected(self) -> list[tuple[date, str, str, float | None]]:
        """Return day, pupil, feature and value."""
        heads, lines = aligned(self.expect)
        values = []
        for line in lines:
            cells = dict(zip(heads, line, strict=True))
            day, pupil = date.fromisoformat(cells.pop("as_of")), cells.pop("pupil_id", "A")
            values += [(day, pupil, name, _number(v)) for name, v in cells.items()]
        return values

    def histories(self, prefix: str = "") -> dict[str, list[dict[str, Any]]]:
        """Return rows by table; the prefix keeps keys of pupils, schools, homes and authorities apart from other specs'."""
        given = {t: rows(t, text) for t, text in self.tables.items()}
        pupils = sorted(
            {p for _, p, *_ in self.expected()} | {r["pupil_id"] for t in given.values() for r in t if "pupil_id" in r}
        )
        declared = {r["pupil_id"] for r in given.get("pupils", [])}
        given["pupils"] = given.get("pupils", []) + [
            {"pupil_id": p, "date_of_birth": BORN} for p in pupils if p not in declared
        ]
        given.setdefault("enrolments", [{"pupil_id": p, "urn": "1", "entry_date": ROLL} for p in pupils])
        for row in given["pupils"]:
            row["authority"] = row.get("authority") or "801"
        return {
            t: [{c: prefix + v if c in KEY_COLUMNS and v is not None else v for c, v in r.items()} for r in table_rows]
            for t, table_rows in given.items()
        }

    @cached_property
    def edges(self) -> dict[str, set[str]]:
        """Return, by table, the edge cases in time that the rows and as-of dates cover."""
        histories = Histories.from_rows(self.histories())
        return {
            t: _edges(histories, t, [day_number(d) for d in self.days]) for t in self.tables if TABLES[t].known_from
        }


def _edges(histories: Histories, table: str, days: list[int]) -> set[str]:
    declared = TABLES[table]
    frame = collect(histories.frame(table).with_columns(happened(declared).alias("happened")))
    ends = collect(histories.frame(table).select(nw.col("end_known"))).to_series() if declared.end else pl.Series([0])
    written = frame.group_by(declared.key).agg(pl.col("known").n_unique().alias("times"), pl.col("known").max())
    answers = {d for s in declared.stages for d in frame[s.date].to_list()}
    covered = set()
    for day in days:
        recorded = frame["known"].to_list()
        covered |= {BEFORE} if day - 1 in recorded else set()
        covered |= {ITSELF} if day in recorded else set()
        covered |= {LATE} if frame.filter((pl.col("known") >= day) & (pl.col("happened") < day)).height else set()
        covered |= {CORRECTED} if written.filter((pl.col("times") > 1) & (pl.col("known") < day)).height else set()
        covered |= {ENDED} if day in ends.to_list() else set()
        covered |= {ANSWERED} if day in answers else set()
    return covered


def edges_needed(feature: Feature) -> dict[str, set[str]]:
    """Return, by table, the edge cases in time that a feature's specs must cover; reference data have none."""
    clocked = {t: TABLES[t] for t in feature.sources if t != "pupils" and TABLES[t].known_from}
    return {
        t: {BEFORE, ITSELF, LATE, CORRECTED} | ({ENDED} if d.end else set()) | ({ANSWERED} if d.stages else set())
        for t, d in clocked.items()
    }
