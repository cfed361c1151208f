"""Ridge logistic regression on every row, with the directions of the catalogue.

Values are standardised; a missing one counts as the mean and has a coefficient of its own (le Cessie and van Houwelingen 1992). The lines of the
features that tell most may bend (``pieces``). With directions, a coefficient may be zero but not of the other sign, so no piece goes against one.

Its strength is the same everywhere. Margins of one strength have one scale, so those of earlier origins calibrate later ones; a strength chosen anew
at each origin left risks too high (decision 20).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from features.catalogue import catalogue
from training.explanation.linear_terms import LinearTerms
from training.fitting.blas_threads import BLAS_THREADS, fixed_blas_threads
from training.fitting.candidates.bounded_newton import CLOSE, minimise
from training.fitting.candidates.candidate import Learning, Scorer
from training.fitting.candidates.pieces import Pieces, mean_and_spread
from training.fitting.candidates.standardise import write_columns

STRENGTH = 3e-3  # prior variance of a standardised coefficient
FIRST_NEGATIVES = 20_000  # rows without the outcome on which the search begins; they are weighted back
ROUGH = 1e-3  # predicted gain at which that search ends; all rows decide the rest
ROWS_A_BLOCK = 2048  # their columns stay in the processor's cache, so making them anew is cheaper than keeping them
DECIMALS = 9  # of a standardised coefficient: sums may differ in the last digits, the model must not


def learner(settings: dict[str, Any]) -> Any:
    """Return the function by which a ridge regression learns as a candidate."""

    def learn(learning: Learning) -> Scorer:
        return fit(learning, settings["monotone"]).margins

    return learn


def surroundings() -> Any:
    """Return the function by which a ridge regression learns from features of the school and the area only, none of the child.

    Perdomo and others (2023) found that such a model did as well as individual scores in Wisconsin. Every report shows whether that
    holds here.
    """

    def learn(learning: Learning) -> Scorer:
        kept = learning.columns([n for n in learning.names if _of_the_place(n)])
        terms = fit(learning.with_columns(kept), monotone=False)
        return lambda x: terms.margins(x[:, kept])

    return learn


def _of_the_place(name: str) -> bool:
    feature = catalogue().by_name.get(name)
    return feature is not None and (feature.theme == "school" or name.startswith("area_") or name == "idaci_decile")


def fit(learning: Learning, monotone: bool, strength: float = STRENGTH) -> LinearTerms:
    """Fit the coefficients on all rows.

    Parameters
    ----------
    monotone : bool
        Whether the directions of the catalogue hold.
    strength : float
        The prior variance of a standardised coefficient (``C`` in scikit-learn).
    """
    # On a busy machine two threads of BLAS take several times the processor time of one.
    with fixed_blas_threads(BLAS_THREADS):
        columns = Columns.of(learning, monotone)
        # From where fewer rows lead, few steps on all rows are left; there is one minimum.
        start = columns.minimum(learning.with_fewer_negatives(FIRST_NEGATIVES), strength, close=ROUGH)
        coefficients = columns.minimum(learning, strength, start)
    return columns.terms(np.round(coefficients, DECIMALS), strength)


@dataclass(frozen=True, kw_only=True)
class Columns:
    """How values become columns: an intercept, each value standardised, a flag for each feature that may be missing, and pieces.

    Columns of features with a direction are turned so that their coefficients may not be negative.
    """

    low: np.ndarray
    high: np.ndarray
    centre: np.ndarray
    scale: np.ndarray
    sign: np.ndarray
    missing: np.ndarray  # share of each feature
    flagged: np.ndarray  # features with a flag
    pieces: Pieces
    signed: np.ndarray  # columns whose coefficient may not be negative

    @classmethod
    def of(cls, learning: Learning, monotone: bool) -> Columns:
        """Take the moments and the pieces of what is learned from."""
        directions = [
            catalogue().by_name[n].direction if monotone and n in catalogue().by_name else 0 for n in learning.names
        ]
        low, high, centre, scale, missing = (np.array(v) for v in zip(*_moments(learning), strict=True))
        flagged = np.flatnonzero((missing > 0) & (missing < 1))
        direction = np.array(directions, float)
        sign = np.where(direction == 0, 1.0, direction)
        pieces = Pieces.of(learning, centre, scale, sign)
        return cls(
            low=low,
            high=high,
            centre=centre,
            scale=scale,
            sign=sign,
            missing=missing,
            flagged=flagged,
            pieces=pieces,
            signed=np.r_[False, direction != 0, np.zeros(len(flagged), bool), direction[pieces.column] != 0],
        )

    def minimum(
        self, learning: Learning, strength: float, start: np.ndarray | None = None, close: float = CLOSE
    ) -> np.ndarray:
        """Return the coefficients at the minimum, searched from ``start`` if it is given; see ``minimise``."""
        at = start
        if at is None:
            rate = float(np.average(learning.y, weights=learning.weight))
            at = np.zeros(len(self.signed))
            at[0] = np.log(rate / (1 - rate)) if 0 < rate < 1 else 0.0
        penalty = np.full(len(at), 1.0 / strength)
        penalty[0] = 1e-6  # the intercept is free, but for data in which everybody or nobody has the outcome
        return minimise(
            lambda b, bends: _penalised(self.blocks(learning), b, penalty, bends=bends), at, self.signed, close
        )

    def terms(self, coefficients: np.ndarray, strength: float) -> LinearTerms:
        """Return one term per feature in units of its values."""
        features = len(self.centre)
        _, of_lines, of_flags, of_pieces = np.split(coefficients, np.cumsum([1, features, len(self.flagged)]))
        slope = np.divide(
            self.sign * of_lines,
            self.scale,
            out=np.zeros(features),
            where=self.scale > 0,
        )
        missing, share = np.zeros(features), self.missing[self.flagged]
        # A flag is standardised too: its mean belongs to the intercept.
        jump = of_flags / np.sqrt(share * (1 - share))
        missing[self.flagged] = jump
        # Pieces start from zero, and a missing value counts as their mean; standardised values have the mean zero.
        bent = self.pieces.means(of_pieces)
        return LinearTerms(
            intercept=float(coefficients[0] - np.sum(share * jump) - np.sum(bent)),
            low=tuple(self.low.tolist()),
            high=tuple(self.high.tolist()),
            centre=tuple(self.centre.tolist()),
            slope=tuple(slope.tolist()),
            missing=tuple((missing + bent).tolist()),
            mean=tuple((self.missing * missing + bent).tolist()),
            strength=strength,
            knots=self.pieces.knots,
            added=self.pieces.added(of_pieces),
        )

    def blocks(self, learning: Learning) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Yield columns, outcomes and weights of some rows at a time."""
        share = self.missing[self.flagged]
        factor = np.divide(self.sign, self.scale, out=np.zeros(len(self.scale)), where=self.scale > 0)
        for begin in range(0, len(learning.y), ROWS_A_BLOCK):
            part = slice(begin, begin + ROWS_A_BLOCK)
            x = learning.x[part].T.copy()  # not what may be read only, for which the loop would be compiled again
            columns = np.empty((len(self.signed), x.shape[1]))
            write_columns(x, (self.centre, factor), (self.flagged, share), self.pieces.arrays, columns)
            yield columns.T, learning.y[part], learning.weight[part]


def _penalised(
    blocks: Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]], at: np.ndarray, penalty: np.ndarray, *, bends: bool
) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the penalised negative log-likelihood with its gradient and, if asked for, its Hessian, block by block."""
    value, gradient = 0.5 * float(penalty @ at**2), penalty * at
    hessian = np.diag(penalty) if bends else np.empty((0, 0))
    for columns, y, weight in blocks:
        margins = columns @ at
        risk = 1.0 / (1.0 + np.exp(-np.clip(margins, -500, 500)))
        value += float(weight @ (np.logaddexp(0.0, margins) - y * margins))
        gradient += (weight * (risk - y)) @ columns
        if bends:
            scaled = columns * np.sqrt(weight * risk * (1.0 - risk))[:, None]
            hessian += scaled.T @ scaled
    return value, gradient, hessian


def _moments(learning: Learning) -> Iterator[tuple[float, float, float, float, float]]:
    """Yield lowest, highest, mean and standard deviation of each feature's values, and the share missing."""
    whole = float(learning.weight.sum())
    for column in learning.x.T:
        present = ~np.isnan(column)
        values, weight = column[present], learning.weight[present]
        if not len(values):
            yield 0.0, 0.0, 0.0, 0.0, 1.0
            continue
        mean, spread = mean_and_spread(values, weight)
        missing = 1.0 - float(weight.sum()) / whole if len(values) < len(column) else 0.0
        constant = values.min() == values.max()
        yield float(values.min()), float(values.max()), mean, 0.0 if constant else spread, missing
