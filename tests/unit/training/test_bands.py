"""Bands by risk mean the same at any base rate; bands by capacity hold the same share of any list."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from features.posted import open_rows
from histories.reading.histories import Histories
from serving.scoring.live_model import SMOKE_ROWS
from training.bands import CEILINGS, SHARES, USUAL, by_capacity, by_risk, limits_of
from training.risk_model import RiskModel

NAMES = [*(name for name, _ in SHARES), USUAL]
DAY = date(2025, 1, 13)


def risks_of(base_rate, rows=20_000):
    """Risks whose mean is about a base rate, with a few far above it."""
    margins = np.random.default_rng(1).normal(np.log(base_rate / (1 - base_rate)), 1.5, rows)
    return 1 / (1 + np.exp(-margins))


@pytest.mark.parametrize("base_rate", [0.001, 0.012, 0.05, 0.5, 0.84])
def test_no_band_by_risk_plays_a_high_risk_down(base_rate):
    risks = risks_of(base_rate)
    limits = limits_of(risks, np.ones(len(risks)))
    lowest = [band["at_least"] for band in limits]
    assert [band["name"] for band in limits] == NAMES
    assert lowest == sorted(lowest, reverse=True)
    for name, ceiling in CEILINGS.items():
        assert NAMES.index(by_risk(ceiling, limits)) <= NAMES.index(name)


def test_limits_of_risk_are_shares_of_the_cohort_where_the_outcome_is_rare():
    risks = risks_of(0.0005)
    limits = limits_of(risks, np.ones(len(risks)))
    for (_, share), band in zip(SHARES, limits, strict=False):
        assert np.mean(risks >= band["at_least"]) == pytest.approx(share, abs=2 / len(risks))


def test_sampled_children_count_by_their_weights():
    risks = risks_of(0.0005, 2_000)
    low = risks < np.median(risks)
    weighted = limits_of(risks, np.where(low, 9.0, 1.0))
    repeated = np.r_[risks, np.repeat(risks[low], 8)]
    whole = limits_of(repeated, np.ones(len(repeated)))
    assert [b["at_least"] for b in weighted] == pytest.approx([b["at_least"] for b in whole], rel=0.02)


@pytest.mark.parametrize("children", [40, 100, 1_000, 15_000])
def test_bands_by_capacity_hold_the_same_share_of_every_list(children):
    bands = [by_capacity(rank, children) for rank in range(1, children + 1)]
    assert bands == sorted(bands, key=NAMES.index)
    for name, share in SHARES:
        upto = sum(NAMES.index(band) <= NAMES.index(name) for band in bands)
        assert share * children - 1 < upto <= share * children + 1e-6


def test_a_list_has_the_bands_of_its_own_authority(small_histories, bundle):
    model = RiskModel.load(bundle)
    scores = model.score(Histories.open(small_histories), DAY)
    sizes = pl.DataFrame({"authority": [s.authority for s in scores]})["authority"].value_counts()
    of_authority = dict(sizes.iter_rows())
    assert [s.capacity_band for s in scores] == [by_capacity(s.rank, of_authority[s.authority]) for s in scores]
    assert {s.capacity_band for s in scores} >= {"high", "raised", "usual"}
    first = model.score(Histories.open(small_histories), DAY, top=3)
    assert [s.capacity_band for s in first] == [s.capacity_band for s in scores if s.rank <= 3]


def test_the_only_pupil_of_a_request_is_not_the_first_of_a_list(bundle):
    (alone,) = RiskModel.load(bundle).score(open_rows(SMOKE_ROWS), DAY)
    assert (alone.rank, alone.capacity_band) == (1, USUAL)
