"""A sample is unbiased, includes every child who went missing, and is deterministic."""

import numpy as np
import polars as pl
import pytest

from histories.errors import Faults
from histories.io.memory import bytes_of
from training.fitting.sampling import sample, share_that_fits

PUPILS, DATES = 4000, 6
rng = np.random.default_rng(5)
FRAME = pl.DataFrame(
    {
        "pupil_id": np.repeat([f"p{i}" for i in range(PUPILS)], DATES),
        "as_of": np.tile(np.arange(DATES), PUPILS),
        "label": (rng.random(PUPILS * DATES) < 0.01).astype(float),
    }
)


def test_every_positive_is_kept_and_pupils_are_drawn_with_all_their_dates():
    kept = sample(FRAME, 0.1, 1)
    assert kept["label"].sum() == FRAME["label"].sum()
    others = kept.filter(pl.col("label") == 0)
    whole = FRAME.filter(pl.col("label") == 0).group_by("pupil_id").len()
    counts = others.group_by("pupil_id").len().join(whole, on="pupil_id")
    assert (counts["len"] == counts["len_right"]).all()
    assert 300 < counts.height < 500


def test_the_weighted_base_rate_is_unbiased():
    rates = []
    for seed in range(60):
        kept = sample(FRAME, 0.1, seed)
        rates.append(float(np.average(kept["label"], weights=kept["weight"])))
    middle, error = np.mean(rates), np.std(rates) / np.sqrt(len(rates))
    assert abs(middle - FRAME["label"].mean()) < 4 * error
    assert error < 1e-4


def test_the_same_seed_draws_the_same_and_more_rows_change_nothing():
    assert sample(FRAME, 0.2, 7).equals(sample(FRAME, 0.2, 7))
    assert not sample(FRAME, 0.2, 7).equals(sample(FRAME, 0.2, 8))
    half = FRAME.head(PUPILS * DATES // 2)
    assert sample(half, 0.2, 7).equals(
        sample(FRAME, 0.2, 7).join(half.select("pupil_id").unique(), on="pupil_id", how="semi", maintain_order="left")
    )
    smaller = sample(FRAME, 0.1, 7).select("pupil_id", "as_of")
    assert smaller.join(sample(FRAME, 0.2, 7), on=["pupil_id", "as_of"], how="anti").is_empty()


def test_a_body_within_the_limit_is_read_whole():
    assert share_that_fits(10**9, 10**6, 120, None) == 1.0
    assert share_that_fits(10**4, 10, 120, "4GiB") == 1.0
    assert sample(FRAME, 1.0, 1)["weight"].to_list() == [1.0] * FRAME.height
    rows, positives = 25_000_000, 35_000
    share = share_that_fits(rows, positives, 120, "4GiB")
    assert (positives + share * (rows - positives)) * 120 * 24 == pytest.approx(4 * 2**30)


def test_memory_is_read_in_its_units():
    assert [bytes_of(m) for m in ("4GiB", "500 MB", "1024", "2g")] == [4 * 2**30, 500 * 10**6, 1024, 2 * 10**9]
    with pytest.raises(Faults, match="ONROLL_MEMORY"):
        bytes_of("four")
