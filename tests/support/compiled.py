"""Compile the loops that numba runs before the tests need them: each worker, and each command that a test starts, would do it anew."""

import tempfile
from datetime import date
from pathlib import Path

from features import matrix
from histories.population.simulation import simulate
from histories.reading.histories import Histories
from tests.support.explained_model import grown, numbers
from training.explanation.leaf_tables import LeafTables
from training.explanation.trees import read_forest


def compile_all():
    """Run each loop once on little data; numba keeps what it compiled beside the source."""
    with tempfile.TemporaryDirectory() as folder:
        simulate(Path(folder) / "histories", pupils=100, years=1, seed=1, truth=True)
        matrix(Histories.open(Path(folder) / "histories"), [date(2025, 3, 3)])
    for shape in ({"columns": 12, "max_depth": 6}, {"columns": 30, "num_leaves": 127}):
        LeafTables(read_forest(grown(**shape).model_to_string())).contributions(numbers(4, shape["columns"]))


if __name__ == "__main__":
    compile_all()
