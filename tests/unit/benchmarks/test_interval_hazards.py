"""Hazards in discrete time: what is known of a child's intervals before a day, the likelihood's derivatives, and risks that rise with the window."""

from datetime import date
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from benchmarks.interval_hazards import BENT, EVERYTHING, NOTHING, Design, Known, Lessons, fit, penalised
from training.fitting.candidates.candidate import Learning
from training.fitting.candidates.ridge import Columns

EDGES, DAY = (14, 28, 120), date(2024, 9, 1)
SOON, LATE, NEVER = (
    date(2024, 8, 1),
    date(2024, 9, 1),
    None,
)  # a window that is known on the day itself is not known before it
# Labels, days of knowledge and other exits by window; then the intervals in which a child stayed, went missing and left otherwise.
CHILDREN = {
    "stays, all known": ((0, 0, 0), (SOON, SOON, SOON), (0, 0, 0), ([1, 1, 1], [0, 0, 0], [0, 0, 0])),
    "stays, as far as is known": ((0, 0, 0), (SOON, SOON, LATE), (0, 0, 0), ([1, 1, 0], [0, 0, 0], [0, 0, 0])),
    "nothing known yet": ((None, None, None), (NEVER, NEVER, NEVER), (0, 0, 0), ([0, 0, 0], [0, 0, 0], [0, 0, 0])),
    "missing in the second": ((0, 1, 1), (SOON, SOON, SOON), (0, 0, 0), ([1, 0, 0], [0, 1, 0], [0, 0, 0])),
    "missing, recorded too late": ((0, 1, 1), (SOON, LATE, LATE), (0, 0, 0), ([1, 0, 0], [0, 0, 0], [0, 0, 0])),
    "leaves otherwise": ((0, 0, 0), (SOON, SOON, SOON), (0, 1, 1), ([1, 1, 0], [0, 0, 0], [0, 1, 0])),
    "leaves, then is missing": ((0, 0, 1), (SOON, SOON, SOON), (0, 1, 0), ([1, 1, 0], [0, 0, 0], [0, 1, 0])),
}


@pytest.mark.parametrize("case", CHILDREN)
def test_an_interval_teaches_what_was_known_of_a_child_who_was_still_there(case):
    labels, known, left, expected = CHILDREN[case]
    row = {f"label_{e}": [x] for e, x in zip(EDGES, labels, strict=True)}
    row |= {f"known_{e}": [x] for e, x in zip(EDGES, known, strict=True)}
    row |= {f"left_{e}": [bool(x)] for e, x in zip(EDGES, left, strict=True)}
    types = {f"label_{e}": pl.Float64 for e in EDGES} | {f"known_{e}": pl.Date for e in EDGES}
    of_child = Known.before(pl.DataFrame(row, schema_overrides=types), DAY, EDGES)
    found = [getattr(of_child, name)[0].astype(int).tolist() for name in ("stayed", "went", "left")]
    assert found == list(expected)


@pytest.fixture(scope="module")
def lessons():
    """Children of whom some go missing, the absent sooner; missing values, a direction and other exits are among them."""
    rng = np.random.default_rng(7)
    rows = 600
    x = rng.normal(size=(rows, 3))
    x[::5, 1] = np.nan
    stopping = (x[:, 0] > 1).astype(float)
    when = rng.exponential(np.exp(4.0 - x[:, 0] - 2 * stopping))
    otherwise = rng.exponential(400, rows)
    start = np.r_[0, EDGES[:-1]]
    there = np.minimum(when, otherwise)[:, None] > start
    went = there & (when[:, None] <= EDGES) & (when <= otherwise)[:, None]
    left = there & (otherwise[:, None] <= EDGES) & (otherwise < when)[:, None]
    known = Known(stayed=there & ~went, went=went, left=left)
    learning = Learning(
        x=x,
        y=went.any(axis=1).astype(float),
        weight=rng.integers(1, 3, rows).astype(float),
        names=["absent_rate_90d", "lines", "noise"],
        seed=1,
    )
    return Lessons(learning=learning, known=known, stopping=stopping)


@pytest.mark.parametrize("vary", [NOTHING, BENT, EVERYTHING])
def test_the_derivatives_are_those_of_the_likelihood(lessons, vary):
    columns = Columns.of(lessons.learning, monotone=True)
    varying = np.arange(3)[: [0, 2, 3][vary]]
    design = Design(columns=columns, edges=EDGES, varying=varying)
    penalty, _ = design.priors(0.1)
    blocks = list(design.blocks(lessons))
    at = np.random.default_rng(3).normal(scale=0.1, size=len(penalty))
    _, gradient, hessian = penalised(design, blocks, penalty, at)
    step = 1e-5
    for n in range(len(at)):
        ahead, behind = (penalised(design, blocks, penalty, at + sign * step * np.eye(len(at))[n]) for sign in (1, -1))
        assert (ahead[0] - behind[0]) / (2 * step) == pytest.approx(gradient[n], rel=1e-5, abs=1e-4)
        assert (ahead[1] - behind[1]) / (2 * step) == pytest.approx(hessian[n], rel=1e-4, abs=1e-3)


def test_risks_rise_with_the_window_and_hold_on_the_whole(lessons):
    (model,) = fit(lessons, (0.1,), edges=EDGES, vary=EVERYTHING)
    risks = [model.risks(lessons.learning.x, lessons.stopping, edge) for edge in EDGES]
    assert all((shorter < longer).all() for shorter, longer in pairwise(risks))
    weight = lessons.learning.weight
    for n, risk in enumerate(risks):
        went = lessons.known.went[:, : n + 1].any(axis=1)
        assert weight @ risk == pytest.approx(weight @ went, rel=0.1)
