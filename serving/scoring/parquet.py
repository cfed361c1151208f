"""Write explained scores as a Parquet file whose columns follow the declared fields of ``Score``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from histories.io.atomic_write import new_file
from serving.scoring.horizons import schema_with, with_risks
from training.explanation.reason_columns import KINDS, ReasonColumns
from training.explanation.score import Score
from training.explanation.score_columns import ROWS, ScoreColumns
from training.risk_model import RiskModel

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


def table_of(scores: Iterable[Score]) -> pa.Table:
    """Return scores as a table of ``SCHEMA``."""
    if isinstance(scores, ScoreColumns):
        return pa.concat_tables(tables_of(scores)) if len(scores) else SCHEMA.empty_table()
    return pa.Table.from_pylist(rows_of(scores), schema=SCHEMA)


def rows_of(scores: Iterable[Score]) -> list[dict[str, Any]]:
    """Return the scores as rows of the file."""
    return [{**s.to_dict(), **{n: v for n, v in vars(s).items() if isinstance(v, date)}} for s in scores]


def tables_of(scores: ScoreColumns) -> Iterator[pa.Table]:
    """Yield tables of ``SCHEMA``, each of a part of the scores, without making whole scores."""
    for at, part in enumerate(scores.reasons):
        rows = slice(at * ROWS, at * ROWS + part.rows)
        of_reasons = {kind: _reasons(part, number) for number, kind in enumerate(KINDS)}
        columns = []
        for field in SCHEMA:
            if field.name in of_reasons:
                columns.append(of_reasons[field.name])
            elif field.name in scores.own:
                columns.append(pa.array(scores.own[field.name][rows], type=field.type))
            else:
                columns.append(pa.array([scores.same[field.name]] * part.rows, type=field.type))
        yield pa.Table.from_arrays(columns, schema=SCHEMA)


def _reasons(part: ReasonColumns, kind: int) -> pa.ListArray:
    """Return the reasons of one kind, a list for each child."""
    of_lists = SCHEMA.field(KINDS[kind]).type
    of_reason = of_lists.value_type
    chosen = np.flatnonzero(part.kind == kind)
    starts, counts = part.starts[chosen], part.starts[chosen + 1] - part.starts[chosen]
    records = [part.evidence.get(at, ()) for at in chosen.tolist()] if part.evidence else [()] * len(chosen)
    of_records = of_reason.field("evidence").type
    flat = pa.array([record for of_one in records for record in of_one], type=of_records.value_type)
    columns = {
        "theme": pa.array([part.theme[at] for at in chosen.tolist()], type=pa.string()),
        "sentence": pa.array([part.sentence[at] for at in chosen.tolist()], type=pa.string()),
        "contribution": pa.array(part.total[chosen]),
        "features": _lists(counts, _parts(part, _ranges(starts, counts), of_reason.field("features").type.value_type)),
        "evidence": _lists(np.array([len(of_one) for of_one in records], dtype=np.int64), flat),
    }
    reasons = pa.StructArray.from_arrays([columns[f.name] for f in of_reason], fields=list(of_reason))
    return _lists(np.bincount(part.row[chosen], minlength=part.rows), reasons)


def _parts(part: ReasonColumns, which: np.ndarray, of_part: pa.StructType) -> pa.StructArray:
    names = pa.array([*part.names, "others"], type=pa.string())
    value = part.value[which]
    columns = {
        "name": names.take(pa.array(part.feature[which] % len(names))),  # OTHERS is the last
        "value": pa.array(value, mask=np.isnan(value)),
        "contribution": pa.array(part.contribution[which]),
    }
    return pa.StructArray.from_arrays([columns[f.name] for f in of_part], fields=list(of_part))


def _lists(counts: np.ndarray, values: pa.Array) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array(np.r_[0, np.cumsum(counts)], type=pa.int32()), values)


def _ranges(starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the numbers of several ranges, one after the other."""
    ends = np.cumsum(counts)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - (ends - counts), counts)


def write_scores(
    scores: Sequence[Score],
    out: Path,
    *,
    top: int | None = None,
    model: RiskModel | None = None,
    within: Collection[int] = (),
) -> int:
    """Write scores to a Parquet file atomically; return how many.

    Parameters
    ----------
    top : int, optional
        Write only the first ranks of each authority.
    model : RiskModel, optional
        Needed for ``within``.
    within : collection of int, optional
        Numbers of days for which the model's risk gets a column of its own (``serving.scoring.horizons``).
    """
    parts, written = tables_of(scores) if isinstance(scores, ScoreColumns) else [table_of(scores)], 0
    schema = schema_with(SCHEMA, within)
    with new_file(out) as temporary, pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
        for part in parts:
            chosen = part if top is None else part.filter(pc.field("rank") <= top)
            writer.write_table(with_risks(chosen, model, within) if model else chosen)
            written += len(chosen)
    return written
