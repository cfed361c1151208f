"""No second copy of the features: whoever reads all snapshots, or those of some days, reads the frame's own memory."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from features.catalogue import catalogue
from histories.reading.histories import Histories
from training.fitting.candidates import Candidate, baselines
from training.fitting.one_matrix import in_one_matrix
from training.fitting.rolling_origin import learn_from, matrix_of, predict
from training.fitting.splits import known_before, split
from training.task import Task

NAMES = ["near", "far"]
BLOCKS = [
    pl.DataFrame({"as_of": [date(2024, 1, d)] * 2, "near": [d, None], "far": [0.5, d], "urn": [f"s{d}", None]})
    for d in (1, 2, 3)
]


def together(rows=6):
    return in_one_matrix((b.with_columns(pl.col(NAMES).cast(pl.Float64)) for b in BLOCKS), NAMES, rows)


@pytest.fixture(scope="module")
def frame(training_histories):
    return Task().labelled(Histories.open(training_histories))


def chunks(column):
    return [chunk.to_numpy() for chunk in column.get_chunks()]


def test_a_model_of_all_snapshots_learns_from_the_matrix_that_the_frame_holds(frame):
    learning = learn_from(frame, catalogue().names, 1)
    assert learning.x.shape == (len(frame), len(catalogue().names))
    for number, name in enumerate(catalogue().names):
        assert np.shares_memory(learning.x[:, number], frame[name].to_numpy())


def test_predicted_snapshots_are_read_where_the_frame_holds_them(frame):
    candidate = Candidate("base_rate", "", baselines.base_rate)
    predicted = predict(frame, catalogue().names, split(frame), [candidate], 1).frame
    for name in catalogue().names:
        parts = chunks(predicted[name])
        assert sum(map(len, parts)) == len(predicted)
        assert all(np.shares_memory(part, frame[name].to_numpy()) for part in parts)


def test_what_was_known_before_an_origin_is_not_copied(frame):
    """Polars reads rows that follow one another where they are; those known before a day do, if outcomes take as long to be known."""
    name = catalogue().names[0]
    for origin in split(frame).origins:
        past = known_before(frame, origin.day)
        assert sorted(past["as_of"].unique()) == list(origin.learned)
        assert np.shares_memory(past[name].to_numpy(), frame[name].to_numpy())


def test_blocks_keep_their_columns_and_rows_and_a_missing_feature_is_not_a_number():
    whole = together()
    assert whole.columns == BLOCKS[0].columns
    assert whole["urn"].to_list() == ["s1", None, "s2", None, "s3", None]
    assert np.array_equal(whole["near"].to_numpy(), [1, np.nan, 2, np.nan, 3, np.nan], equal_nan=True)
    assert whole["near"].null_count() == 0
    assert whole["far"].to_list() == [0.5, 1, 0.5, 2, 0.5, 3]


def test_fewer_rows_than_there_was_room_for_are_right_too():
    assert together(rows=9).equals(together())
    assert np.array_equal(matrix_of(together(rows=9), NAMES), matrix_of(together(), NAMES), equal_nan=True)
