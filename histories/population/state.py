"""A population during simulation: its world, the paths of its latent states, and the tables written so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from histories.population.roll import SimulatedPeriod
from histories.population.world import World
from histories.tables import TABLES

NOBODY_HELPED = np.empty((0, 0), np.float32)
ARROW_TYPES = {"text": pa.string(), "date": pa.date32(), "integer": pa.int64(), "boolean": pa.bool_()}


@dataclass(kw_only=True)
class PopulationState:
    """Input of the writers of tables, marks and true risks.

    Attributes
    ----------
    out : Path
        The folder that receives the tables.
    ids : array of str, shape (pupils,)
    params : float array
        Parameters of the process, see ``simulation.parameters``.
    years : int8 array, shape (pupils, weeks)
        Year groups, -1 outside school age.
    summer : bool array, shape (weeks,)
        Weeks in which a school year ends.
    paths : float32 array, shape (households, weeks)
        Instability of the households.
    effect : float array, shape (weeks,)
        Scale of the states' effect on exits.
    open_days : int32 array
        Day numbers on which schools are open; ``week_of_day`` holds the week of each.
    in_term : bool array, shape (weeks,)
        Weeks in which schools are open on some day.
    xs, cs : arrays, shape (pupils, weeks)
        Disengagement and state of each child, see ``life.lives``; empty until lives are simulated.
    excluded : int32 array, shape (pupils, 64)
        Days of suspensions, see ``records.suspensions``; empty until they are drawn.
    helped : float32 array, shape (pupils, weeks or more)
        The factor of help on the hazards of going missing, see ``life.lives``.
    row_counts : dict
        Number of rows written, by table.
    """

    out: Path
    csv: bool
    seed: int
    scenario: dict[str, Any]
    clock: SimulatedPeriod
    world: World
    ids: np.ndarray
    params: np.ndarray
    years: np.ndarray
    summer: np.ndarray
    paths: np.ndarray
    effect: np.ndarray
    open_days: np.ndarray
    week_of_day: np.ndarray
    in_term: np.ndarray
    xs: np.ndarray = field(default_factory=partial(np.empty, (0, 0), np.float32))
    cs: np.ndarray = field(default_factory=partial(np.empty, (0, 0), np.int8))
    excluded: np.ndarray = field(default_factory=partial(np.empty, (0, 64), np.int32))
    helped: np.ndarray = field(default_factory=lambda: NOBODY_HELPED)
    row_counts: dict[str, int] = field(default_factory=dict)

    def write_table(self, name: str, rows: list[tuple]) -> None:
        """Write the rows of a table, sorted by key, unless the scenario leaves the table out.

        Parameters
        ----------
        rows : list of tuple
            Values in the order of the declared columns; the pupil is an index into ``ids``.
        """
        if name in self.scenario["tables"]["missing"]:
            return
        columns = list(TABLES[name].columns.values())
        values = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
        arrays = {}
        for c, column in zip(columns, values, strict=True):
            if c.name == "pupil_id":
                arrays[c.name] = pa.array(self.ids[np.array(column, int)] if len(column) else [], pa.string())
            else:
                arrays[c.name] = pa.array([_python_value(v) for v in column], ARROW_TYPES[c.kind])
        table = pa.table(arrays)
        recorded = [c for c in TABLES[name].known_from[:1] if c in arrays and c not in TABLES[name].key]
        table = table.sort_by([(c, "ascending") for c in (*TABLES[name].key, *recorded)])
        self.row_counts[name] = table.num_rows
        if self.csv:
            pa.csv.write_csv(table, self.out / f"{name}.csv")
        else:
            pq.write_table(table, self.out / f"{name}.parquet", compression="zstd", row_group_size=200_000)


def _python_value(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
