"""Write explained scores as Parquet: beside, then renamed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from histories.io.atomic_write import new_file
from training.explanation.score import Score

FEATURE = pa.struct([("name", pa.string()), ("value", pa.float64()), ("contribution", pa.float64())])
EVIDENCE = pa.struct([("table", pa.string()), ("date", pa.string()), ("text", pa.string())])
REASON = pa.struct(
    [
        ("theme", pa.string()),
        ("sentence", pa.string()),
        ("contribution", pa.float64()),
        ("features", pa.list_(FEATURE)),
        ("evidence", pa.list_(EVIDENCE)),
    ]
)
SCHEMA = pa.schema(
    [
        ("pupil_id", pa.string()),
        ("as_of", pa.date32()),
        ("risk", pa.float64()),
        ("risk_low", pa.float64()),
        ("risk_high", pa.float64()),
        ("rank", pa.int64()),
        ("band", pa.string()),
        ("reasons", pa.list_(REASON)),
        ("missing_tables", pa.list_(pa.string())),
        ("model", pa.string()),
        ("model_version", pa.string()),
        ("definition", pa.string()),
        ("horizon_days", pa.int64()),
        ("one_in", pa.int64()),
        ("protective", pa.list_(REASON)),
        ("context", pa.list_(REASON)),
        ("unseen", pa.list_(pa.string())),
        ("margin", pa.float64()),
        ("base", pa.float64()),
        ("authority", pa.string()),
        ("urn", pa.string()),
        ("nc_year", pa.int64()),
        ("catalogue_digest", pa.string()),
        ("features_digest", pa.string()),
    ]
)


def rows_of(scores: list[Score]) -> list[dict[str, Any]]:
    """Return scores as rows of the file."""
    return [{**s.to_dict(), "as_of": s.as_of} for s in scores]


def write_scores(scores: list[Score], out: Path) -> None:
    """Write scores to a Parquet file with the columns of the contract, and some more."""
    with new_file(out) as beside:
        pq.write_table(pa.Table.from_pylist(rows_of(scores), schema=SCHEMA), beside, compression="zstd")
