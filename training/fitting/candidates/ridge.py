"""Ridge logistic regression on every row, with the directions of the catalogue, and its strength chosen on later days than it learned from.

Values are standardised; a missing one counts as the mean and has a coefficient of its own (le Cessie and van Houwelingen 1992). The lines of the
features that tell most may bend (``pieces``). With directions, a coefficient may be zero but not of the other sign, so no piece goes against one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from features.catalogue import catalogue
from training.explanation.linear_terms import LinearTerms
from training.fitting.blas_threads import BLAS_THREADS, fixed_blas_threads
from training.fitting.candidates.bounded_newton import minimise
from training.fitting.candidates.candidate import Learning, Scorer
from training.fitting.candidates.pieces import Pieces, mean_and_spread
from training.measures import calibration

STRENGTHS = (1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 1e-1)  # prior variances of a standardised coefficient
DEFAULT_STRENGTH = 1e-3  # if too few outcomes are known to choose one
NESTED_DAYS = 3  # newest days on which strengths are compared
NESTED_NEGATIVES = 20_000  # rows without the outcome that are enough to compare strengths by; they are weighted back
MIN_POSITIVES = 8  # as many as an origin needs (``splits``)
ROWS_A_BLOCK = 32_768
MAX_KEPT = (
    32 * 2**20
)  # numbers of standardised columns that are kept between steps (256 MiB); more are made anew each time
DECIMALS = 9  # of a standardised coefficient: sums may differ in the last digits, the model must not
NestedFits = dict[bytes, list[LinearTerms]]  # by digest of the rows: a fit for each of STRENGTHS


def learner(settings: dict[str, Any], strength: float | None = None) -> Any:
    """Return the function by which a ridge regression learns as a candidate, ``strength`` being chosen unless it is given."""
    nested: NestedFits = {}

    def learn(learning: Learning) -> Scorer:
        return fit(learning, settings["monotone"], strength, nested).margins

    return learn


def surroundings() -> Any:
    """Return the function by which a ridge regression learns from features of the school and the area only, none of the child.

    Perdomo and others (2023) found that such a model did as well as individual scores in Wisconsin. Every report shows whether that
    holds here.
    """
    nested: NestedFits = {}

    def learn(learning: Learning) -> Scorer:
        kept = learning.columns([n for n in learning.names if _of_the_place(n)])
        terms = fit(learning.with_columns(kept), monotone=False, nested=nested)
        return lambda x: terms.margins(x[:, kept])

    return learn


def _of_the_place(name: str) -> bool:
    feature = catalogue().by_name.get(name)
    return feature is not None and (feature.theme == "school" or name.startswith("area_") or name == "idaci_decile")


def fit(
    learning: Learning, monotone: bool, strength: float | None = None, nested: NestedFits | None = None
) -> LinearTerms:
    """Fit the coefficients on all rows.

    Parameters
    ----------
    monotone : bool
        Whether the directions of the catalogue hold.
    strength : float, optional
        The prior variance of a standardised coefficient; chosen by ``chosen_strength`` unless it is given.
    nested : dict, optional
        See ``chosen_strength``.
    """
    # On a busy machine two threads of BLAS take several times the processor time of one.
    with fixed_blas_threads(BLAS_THREADS):
        strength = strength or chosen_strength(learning, monotone, nested)
        columns = _Columns.of(learning, monotone)
        # From where fewer rows lead, few steps on all rows are left; there is one minimum.
        start = columns.path(learning.with_fewer_negatives(NESTED_NEGATIVES), (strength,))[0]
        coefficients = columns.path(learning, (strength,), start)[0]
    return columns.terms(np.round(coefficients, DECIMALS), strength)


def chosen_strength(learning: Learning, monotone: bool, nested: NestedFits | None = None) -> float:
    """Return the strength whose margins explain later outcomes best: the smallest deviance after calibration, on the newest days learned from.

    For each of these days the coefficients are fitted to what was known before it.

    Parameters
    ----------
    nested : dict, optional
        Earlier fits with the same ``monotone``, reused and added to: successive origins share most of these days.
    """
    days, nested = _nested_days(learning), {} if nested is None else nested
    margins: list[list[np.ndarray]] = [[] for _ in STRENGTHS]
    labels, weights = [], []
    for day in days:
        past = learning.rows(np.flatnonzero(learning.known_before(day))).with_fewer_negatives(NESTED_NEGATIVES)
        ahead = learning.rows(np.flatnonzero(learning.as_of == day))
        key = _digest(past)
        if key not in nested:
            nested[key] = _path_terms(past, monotone)
        for n, terms in enumerate(nested[key]):
            margins[n].append(terms.margins(ahead.x))
        labels.append(ahead.y)
        weights.append(ahead.weight)
    if not days or np.concatenate(labels).sum() < MIN_POSITIVES:
        return DEFAULT_STRENGTH
    label, weight = np.concatenate(labels), np.concatenate(weights)
    deviances = [_deviance(np.concatenate(m), label, weight) for m in margins]
    return STRENGTHS[int(np.argmin(deviances))]


def _path_terms(learning: Learning, monotone: bool) -> list[LinearTerms]:
    columns = _Columns.of(learning, monotone)
    path = columns.path(learning, STRENGTHS)
    return [columns.terms(coefficients, strength) for coefficients, strength in zip(path, STRENGTHS, strict=True)]


def _digest(learning: Learning) -> bytes:
    content = hashlib.blake2b(repr(learning.names).encode())
    for values in (learning.x, learning.y, learning.weight):
        content.update(values.tobytes())
    return content.digest()


def _nested_days(learning: Learning) -> list[Any]:
    if learning.as_of is None or learning.known_on is None:
        return []
    whole = ~np.isnat(learning.known_on)  # not a part of a window (``partial_windows``)
    newest = np.unique(learning.as_of[whole])[-NESTED_DAYS:]
    return [day for day in newest if learning.y[learning.known_before(day)].sum() >= MIN_POSITIVES]


def _deviance(margins: np.ndarray, label: np.ndarray, weight: np.ndarray) -> float:
    risk = calibration.risk(margins, *calibration.fit(margins, label, weight))
    return float(-(weight @ np.where(label == 1, np.log(risk), np.log1p(-risk))))


@dataclass(frozen=True, kw_only=True)
class _Columns:
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
    def of(cls, learning: Learning, monotone: bool) -> _Columns:
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

    def path(
        self, learning: Learning, strengths: tuple[float, ...], start: np.ndarray | None = None
    ) -> list[np.ndarray]:
        """Return the coefficients for each strength, each search starting from the one before; the first from ``start``, if it is given."""
        at = start
        if at is None:
            rate = float(np.average(learning.y, weights=learning.weight))
            at = np.zeros(len(self.signed))
            at[0] = np.log(rate / (1 - rate)) if 0 < rate < 1 else 0.0
        positions = []
        blocks: Any = partial(self._blocks, learning)
        if len(learning.y) * len(at) <= MAX_KEPT:
            kept = list(blocks())
            blocks = partial(iter, kept)
        for strength in strengths:
            penalty = np.full(len(at), 1.0 / strength)
            penalty[0] = 1e-6  # the intercept is free, but for data in which everybody or nobody has the outcome

            def penalised(b: np.ndarray, penalty: np.ndarray = penalty) -> tuple[float, np.ndarray, np.ndarray]:
                return _penalised(blocks(), b, penalty)

            at = minimise(penalised, at, self.signed)
            positions.append(at)
        return positions

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

    def _blocks(self, learning: Learning) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        share = self.missing[self.flagged]
        factor = np.divide(self.sign, self.scale, out=np.zeros(len(self.scale)), where=self.scale > 0)
        for begin in range(0, len(learning.y), ROWS_A_BLOCK):
            part = slice(begin, begin + ROWS_A_BLOCK)
            x = learning.x[part]
            columns = np.empty((len(x), len(self.signed)))
            columns[:, 0] = 1.0
            values = columns[:, 1 : x.shape[1] + 1]
            np.subtract(x, self.centre, out=values)
            values *= factor
            np.nan_to_num(values, copy=False, nan=0.0)
            flags = slice(x.shape[1] + 1, x.shape[1] + 1 + len(share))
            columns[:, flags] = (np.isnan(x[:, self.flagged]) - share) / np.sqrt(share * (1 - share))
            columns[:, flags.stop :] = self.pieces.columns(x)
            yield columns, learning.y[part], learning.weight[part]


def _penalised(
    blocks: Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]], at: np.ndarray, penalty: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the penalised negative log-likelihood with its gradient and Hessian, block by block."""
    value, gradient = 0.5 * float(penalty @ at**2), penalty * at
    hessian = np.diag(penalty)
    for columns, y, weight in blocks:
        margins = columns @ at
        risk = 1.0 / (1.0 + np.exp(-np.clip(margins, -500, 500)))
        value += float(weight @ (np.logaddexp(0.0, margins) - y * margins))
        gradient += (weight * (risk - y)) @ columns
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
