"""Write explained scores as a Parquet file whose columns follow the declared fields of ``Score``."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq

from histories.io.atomic_write import new_file
from training.explanation.score import Score

FIRST = (
    "pupil_id",
    "as_of",
    "risk",
    "risk_low",
    "risk_high",
    "rank",
    "band",
    "reasons",
    "missing_tables",
    "model",
    "model_version",
    "definition",
    "horizon_days",
    "list",
)  # the columns of the contract, in its order; the other declared fields follow
LEFT_OUT = ("direction",)  # of a reason: its contribution has the sign
SIMPLE: dict[Any, pa.DataType] = {str: pa.string(), int: pa.int64(), float: pa.float64(), date: pa.date32()}


def arrow_type(declared: Any) -> pa.DataType:
    """Return the Arrow type of a declared field: text, number, date, list, or a record of such fields."""
    if declared in SIMPLE:
        return SIMPLE[declared]
    if get_origin(declared) is Literal:
        return pa.string()
    if get_origin(declared) is list:
        return pa.list_(arrow_type(get_args(declared)[0]))
    if get_origin(declared) in (UnionType, Union):
        return arrow_type(next(t for t in get_args(declared) if t is not type(None)))
    hints = get_type_hints(declared)
    return pa.struct([(name, arrow_type(hint)) for name, hint in hints.items() if name not in LEFT_OUT])


def schema_of(record: type) -> pa.Schema:
    """Return the file's schema: the contract's columns first, then every other field that the record declares."""
    hints = get_type_hints(record)
    names = [*FIRST, *(name for name in hints if name not in FIRST)]
    return pa.schema([(name, arrow_type(hints[name])) for name in names])


SCHEMA = schema_of(Score)


def rows_of(scores: list[Score]) -> list[dict[str, Any]]:
    """Return the scores as rows of the file."""
    return [{**s.to_dict(), **{n: v for n, v in vars(s).items() if isinstance(v, date)}} for s in scores]


def write_scores(scores: list[Score], out: Path) -> None:
    """Write scores to a Parquet file atomically."""
    with new_file(out) as temporary:
        pq.write_table(pa.Table.from_pylist(rows_of(scores), schema=SCHEMA), temporary, compression="zstd")
