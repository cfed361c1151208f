"""Random checks: a lot without favour, intervals that cover, and shared figures that give no small number away."""

from itertools import product

import numpy as np
import polars as pl
import pytest
from scipy.stats import hypergeom

from features.groups.disclosure import SMALLEST
from histories.errors import Faults
from serving.trials.checks.drawing import drawn_numbers
from serving.trials.checks.estimates import TAIL, Stratum, at_most, bounds, limits, shareable, total
from serving.trials.checks.plan import Checks
from tests.support.check_runs import PLAN


def test_each_child_of_a_band_has_the_same_chance():
    counts = np.zeros(40)
    for salt in range(4000):
        counts[list(drawn_numbers(7, f"{salt:032x}", band=1, size=40, checks=10))] += 1
    assert counts.sum() == 4000 * 10
    assert abs(counts / 4000 - 0.25).max() < 4 * (0.25 * 0.75 / 4000) ** 0.5


def test_seed_salt_and_band_give_other_lots():
    lots = {
        frozenset(drawn_numbers(seed, salt, band=band, size=1000, checks=20))
        for seed, salt, band in product((1, 2), ("00", "ff"), (0, 1))
    }
    assert len(lots) == 8


@pytest.mark.parametrize(("size", "known"), [(40, 10), (400, 30), (25, 25)])
def test_the_limits_of_a_band_are_the_exact_ones(size, known):
    for yes in range(known + 1):
        fits = [
            k
            for k in range(yes, size - known + yes + 1)
            if hypergeom.sf(yes - 1, size, k, known) > TAIL and hypergeom.cdf(yes, size, k, known) > TAIL
        ]
        assert limits(size, known, yes) == (min(fits), max(fits))


@pytest.mark.parametrize("sizes", [((300, 20), (1500, 25)), ((60, 20), (3000, 40)), ((200, 12), (200, 12))])
def test_intervals_over_two_bands_cover_at_least_as_often_as_they_say(sizes):
    """Over every draw, of bands with few and with many children who need help."""
    (n1, c1), (n2, c2) = sizes
    grid = {
        (a, b): total([Stratum(size=n1, known=c1, yes=a), Stratum(size=n2, known=c2, yes=b)])
        for a, b in product(range(c1 + 1), range(c2 + 1))
    }
    for share1, share2 in product((0.0, 0.01, 0.05, 0.2), (0.0, 0.002, 0.02, 0.1)):
        k1, k2 = round(share1 * n1), round(share2 * n2)
        first, second = hypergeom.pmf(range(c1 + 1), n1, k1, c1), hypergeom.pmf(range(c2 + 1), n2, k2, c2)
        covered = sum(first[a] * second[b] for (a, b), i in grid.items() if i.low <= k1 + k2 <= i.high)
        assert covered > 0.95 - 1e-9, (k1, k2)


def test_those_of_whom_nothing_is_known_widen_the_interval_without_assumption():
    strata = [Stratum(size=1000, known=30, yes=3)]
    free, found = bounds(strata, [40]), total(strata)
    assert (free.low, free.high) == (limits(1000, 40, 3)[0], limits(1000, 40, 13)[1])
    assert free.high > found.high
    assert total([Stratum(size=1000, known=0, yes=0)]) is None
    assert total([Stratum(size=0, known=0, yes=0), *strata]) == found


def test_what_is_shared_is_the_same_for_every_small_number():
    shown = set()
    for yes in range(SMALLEST + 1):
        for first in range(yes + 1):
            strata = [Stratum(size=400, known=30, yes=first), Stratum(size=2000, known=30, yes=yes - first)]
            assert shareable(strata) is None
            shown.add(at_most(strata))
            assert total(strata).high <= at_most(strata)
    assert len(shown) == 1
    many = [Stratum(size=400, known=30, yes=12), Stratum(size=2000, known=30, yes=1)]
    assert shareable(many).value == 230  # 226.7
    assert shareable(many).low <= total(many).low <= total(many).high <= shareable(many).high


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("checks = [10, 16]", "checks = [10]", "checks"),
        ("ends = [60]", "ends = [15]", "ends"),
        ("ends = [60]", "ends = [60, 50]", "ends"),
        ("2024-09-01", "2024-02-01", "estimate_on"),
        ("cut = 20", "cut = 0", "cut"),
        ("cut = 20", "cut = 20\npupils = ['p']", "pupils"),
        ("seed = 3", "", "seed"),
    ],
)
def test_a_fault_is_named_by_its_key(tmp_path, old, new, where):
    file = tmp_path / "checks.toml"
    file.write_text(PLAN.replace(old, new))
    with pytest.raises(Faults) as faults:
        Checks.load(file)
    assert any(where in f.where for f in faults.value.faults), faults.value


def test_a_number_says_nothing_of_a_child():
    """Children are numbered by references: other pseudonyms of the same children give the same numbers to draw from."""
    from serving.trials.checks.drawing import _numbered

    rows = [{"pupil_id": p, "band": 0} for p in ("a", "b", "c")]
    assert [r["number"] for r in _numbered(rows, {"a": "2", "b": "0", "c": "1"}.get)] == [0, 1, 2]
    assert [r["pupil_id"] for r in _numbered(rows, {"a": "2", "b": "0", "c": "1"}.get)] == ["b", "c", "a"]
    assert pl.DataFrame(_numbered(rows, str)).columns == ["pupil_id", "band", "number"]
