"""Packed rows of numbers come back bit for bit, or are refused."""

import zlib

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as of_numpy

from serving.store.packed_numbers import matrix_of, pack_rows, unpack_row

SHARES = st.tuples(st.integers(0, 70_000), st.integers(1, 70_000)).map(lambda pair: pair[0] / pair[1])
NUMBERS = st.one_of(
    st.integers(0, 70_000).map(float), SHARES, st.floats(), st.sampled_from([-0.0, 249.0, 250.0, 65535.0, 65536.0])
)
ROWS = of_numpy.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 9)), elements=NUMBERS)


@given(ROWS)
@example(np.array([[np.nan, np.inf, -np.inf, 5e-324, 1e308, 1 / 65535, 65534 / 65535, 254.5]]))
def test_rows_come_back_bit_for_bit(rows):
    typical = bytes(range(245, 245 + rows.shape[1]))
    read = matrix_of(pack_rows(rows, typical), typical)
    alike = np.where(np.isnan(rows), np.nan, rows)  # one missing value is as good as another
    assert read.tobytes() == alike.tobytes()


def test_what_features_hold_takes_a_few_bytes():
    counts, shares = np.arange(200.0), np.array([a / 190 for a in range(1, 190)])
    row = np.concatenate([counts, shares])[None, :]
    (packed,) = pack_rows(row, bytes(row.shape[1]))
    assert len(packed) < 3 * (len(counts) + len(shares))


def test_a_row_of_other_columns_is_refused():
    (packed,) = pack_rows(np.array([[1.0, 0.1]]), bytes(2))
    for columns in (1, 3):
        with pytest.raises(zlib.error):
            unpack_row(packed, bytes(columns))
