"""Neither the number of blocks nor the cached counts of an earlier run change the matrix."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.counting import blocks
from features.counting.block_cache import BlockStore
from features.matrix import matrix
from histories.reading.histories import Histories
from tests.support.random_histories import DAYS, FIXED, HISTORIES, write_tables


@settings(max_examples=2)
@given(drawn=HISTORIES, known_on=st.sampled_from([None, date(2025, 2, 1)]))
def test_blocks_and_cached_counts_change_nothing(tmp_path_factory, drawn, known_on):
    folder = tmp_path_factory.mktemp("h")
    opened = Histories.open(write_tables(folder, {**FIXED, **drawn}))
    whole = matrix(opened, DAYS, known_on=known_on)
    assert matrix(opened, DAYS, known_on=known_on, pupils=1).equals(whole)
    for pupils in (2, 2):
        assert matrix(opened, DAYS, known_on=known_on, pupils=pupils, kept=BlockStore(folder / "kept")).equals(whole)


@pytest.mark.parametrize("engine", ["duckdb", "polars"])
def test_one_two_and_seven_blocks_give_the_same_matrix(small_histories, engine):
    opened = Histories.open(small_histories, engine=engine)
    whole = matrix(opened, DAYS)
    for pupils, many in ((1000, 1), (200, 2), (55, 7)):
        assert len(blocks.cut(opened, pupils)) + 1 == many
        assert matrix(opened, DAYS, pupils=pupils).equals(whole)


@given(many=st.integers(1, 400), pupils=st.integers(1, 60), gone=st.integers(0, 399))
def test_blocks_have_similar_sizes_and_a_child_moves_few_borders(many, pupils, gone):
    def edges(numbers):
        rows = [{"pupil_id": f"P{n:04d}", "date_of_birth": "2014-05-01"} for n in numbers]
        return blocks.cut(Histories.from_rows({"pupils": rows, "enrolments": []}), pupils)

    cut = edges(range(many))
    assert cut == sorted(set(cut))
    sizes = [int(b[1:]) - int(a[1:]) for a, b in zip(["P0000", *cut], [*cut, f"P{many:04d}"], strict=True)]
    assert all(size >= pupils - max(pupils // 8, 1) for size in sizes[:-1])
    assert {e for e in cut if e < f"P{gone:04d}"} <= set(edges(n for n in range(many) if n != gone))
