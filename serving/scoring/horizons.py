"""Further columns of a file of scores: the risk within other numbers of days than the model's horizon."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from features.outcome.stopping import HELP_EARLY
from training.explanation.within import risks_within
from training.risk_model import RiskModel


def column_of(days: int) -> str:
    """Return the column's name."""
    return f"risk_within_{days}"


def schema_with(schema: pa.Schema, within: Iterable[int]) -> pa.Schema:
    """Return the schema with a column for each number of days."""
    for days in within:
        schema = schema.append(pa.field(column_of(days), pa.float64()))
    return schema


def with_risks(table: pa.Table, model: RiskModel, within: Iterable[int]) -> pa.Table:
    """Return scores of a model with a column for each number of days."""
    risk, lists = table["risk"].to_numpy(), table["list"].to_pylist()
    for days in within:
        table = table.append_column(column_of(days), pa.array(risks_within(model.manifest.timing, risk, lists, days)))
    return table


def must_know(model: RiskModel, within: Iterable[int]) -> None:
    """Raise ``Faults`` if a model knows no risk within one of so many days, before the minutes of scoring."""
    for days in within:
        risks_within(model.manifest.timing, np.zeros(1), [HELP_EARLY], days)
