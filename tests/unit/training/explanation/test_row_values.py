"""The numbers of snapshots: as a matrix and row by row, and which features lie outside what the training saw."""

import math

import numpy as np
import polars as pl
import pytest

from training.explanation import row_values
from training.explanation.row_values import TrainingRanges, matrix_of, numbers_of

SEEN = {
    "share": [0.0, 0.5, 0.2],
    "days": [-1.0, 3.0, 0.0],  # never missing
    "none": [None, None, 1.0],
    "gone": [0.0, 1.0, 0.0],  # no column of the frame
    "gone_too": [0.0, 1.0, 0.1],
}
FRAME = pl.DataFrame(
    {
        "pupil_id": ["a", "b", "c", "d"],
        "share": [0.5, 0.6, None, math.nan],
        "days": [3, None, -2, 0],
        "none": [None, 0.0, math.inf, -math.inf],
    }
)


@pytest.mark.parametrize("rows", [1, 3, 10_000])
def test_values_outside_the_training_are_named_in_its_order(monkeypatch, rows):
    monkeypatch.setattr(row_values, "ROWS", rows)
    expected = [["gone"], ["share", "days", "none", "gone"], ["days", "none", "gone"], ["none", "gone"]]
    assert TrainingRanges(SEEN).unseen(FRAME) == expected


@pytest.mark.parametrize("seen", [{}, {"gone_too": SEEN["gone_too"]}])
def test_a_model_that_saw_none_of_the_columns_names_none(seen):
    assert TrainingRanges(seen).unseen(FRAME) == [[], [], [], []]


def test_numbers_of_rows_are_those_of_the_matrix():
    numbers = ["share", "days", "none"]
    rows = list(numbers_of(FRAME))
    assert rows[0] == {"share": 0.5, "days": 3.0, "none": None}
    assert rows[3] == {"share": None, "days": 0.0, "none": -math.inf}
    assert [type(row["days"]) for row in rows] == [float, type(None), float, float]
    by_row = np.array([[math.nan if v is None else v for v in row.values()] for row in rows])
    assert np.array_equal(by_row, matrix_of(FRAME, numbers), equal_nan=True)
