"""Exact explanations of a sum of one term per feature: a feature's contribution is its term's distance from the term's mean.

These are the Shapley values of such a model with independent features (Štrumbelj and Kononenko 2014). The effect of a missing value,
which has a separate coefficient, belongs to its feature.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from histories.errors import Fault, Faults

LISTS = ("low", "high", "centre", "slope", "missing", "mean")
CURVES = ("knots", "added")
LINE = "slope_of_line"  # what ``slope`` is stored as


class _Bends(NamedTuple):
    """The pieces of all features that bend, each feature's together; one number for each piece.

    Attributes
    ----------
    column : int array
    start, end : float array
    added : float array
        What the slope is steeper by than the feature's ``slope``.
    first : int array, shape (features that bend,)
        Index of each feature's first piece.
    """

    column: np.ndarray
    start: np.ndarray
    end: np.ndarray
    added: np.ndarray
    first: np.ndarray


@dataclass(frozen=True, kw_only=True)
class LinearTerms:
    """One term per feature, in the order of the model's columns: ``slope * (value - centre)``, or ``missing`` if there is no value.

    A feature that bends has more: its slope is steeper by ``added`` on each piece between its ``knots``.

    Attributes
    ----------
    intercept : float
    low, high : tuple of float
        The lowest and highest training values; values beyond them are clipped.
    centre, slope, missing : tuple of float
        The terms, in log-odds.
    mean : tuple of float
        The mean of each term over the training data.
    strength : float
        The prior variance of a standardised coefficient used in fitting (``C`` in scikit-learn).
    knots, added : tuple of tuple of float
        For each feature the ends of its pieces, lowest and highest value included, and what is added to its slope on each piece; empty for
        a feature that does not bend, and as a whole in versions of before there were pieces.
    """

    intercept: float
    low: tuple[float, ...]
    high: tuple[float, ...]
    centre: tuple[float, ...]
    slope: tuple[float, ...]
    missing: tuple[float, ...]
    mean: tuple[float, ...]
    strength: float
    knots: tuple[tuple[float, ...], ...] = ()
    added: tuple[tuple[float, ...], ...] = ()

    @classmethod
    def read(cls, stored: Mapping[str, Any], features: Sequence[str], where: str = "manifest.json") -> LinearTerms:
        """Rebuild the terms from the result of ``stored``.

        Raises
        ------
        Faults
            If they are incomplete.
        """
        try:
            stored = {"slope": stored[LINE], **stored} if LINE in stored else stored
            lists: dict[str, Any] = {name: tuple(map(float, stored[name])) for name in LISTS}
            curves: dict[str, Any] = {
                name: tuple(tuple(map(float, of)) for of in stored.get(name, ())) for name in CURVES
            }
            terms = cls(intercept=float(stored["intercept"]), strength=float(stored["strength"]), **lists, **curves)
        except (KeyError, TypeError, ValueError):
            lists = {}
        whole = bool(lists) and all(
            len(values) == len(features) and np.isfinite(values).all() for values in lists.values()
        )
        if not (whole and terms.curves_fit()):
            what = "the coefficients of the ridge regression are missing or damaged"
            raise Faults(Fault(what, where, "Take the model from the registry again."))
        return terms

    def curves_fit(self) -> bool:
        """Return whether every feature that bends has rising knots and a slope for each piece between them."""
        if len(self.knots) != len(self.added) or len(self.knots) not in (0, len(self.slope)):
            return False
        return all(
            len(knots) == (len(added) + 1 if added else 0)
            and bool(np.isfinite([*knots, *added]).all())
            and all(a < b for a, b in pairwise(knots))
            for knots, added in zip(self.knots, self.added, strict=True)
        )

    def stored(self) -> dict[str, Any]:
        """Return JSON-ready terms at full precision."""
        terms = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}
        terms |= {name: [list(of_feature) for of_feature in terms[name]] for name in CURVES}
        # Under another name than before there were pieces: an onroll of then must refuse these terms, not score by their lines alone.
        return terms | {LINE: terms.pop("slope")}

    @property
    def base(self) -> float:
        """The mean margin over the training data."""
        return self.intercept + float(np.sum(self.mean))

    def slopes(self, feature: int) -> np.ndarray:
        """Return the slope of each piece of a feature; of its line if it does not bend."""
        added = self.added[feature] if self.added else ()
        return self.slope[feature] + np.array(added or (0.0,))

    def span(self, feature: int) -> float:
        """Return the distance between the lowest and the highest value of a feature's term."""
        ends = (self.knots[feature] if self.knots else ()) or (self.low[feature], self.high[feature])
        along = np.r_[0.0, np.cumsum(self.slopes(feature) * np.diff(ends))]
        return float(along.max() - along.min())

    def margins(self, rows: np.ndarray) -> np.ndarray:
        """Return the margins of rows (log-odds); a row's margin does not depend on the other rows."""
        return self.intercept + self._terms(rows).sum(axis=1)

    def contributions(self, rows: np.ndarray) -> np.ndarray:
        """Return each feature's contribution to each row's margin, with the base as last column, shape (rows, features + 1).

        Parameters
        ----------
        rows : float array, shape (rows, features)
            NaN is missing.
        """
        parts = np.empty((len(rows), len(self.slope) + 1))
        parts[:, :-1] = self._terms(rows)
        parts[:, :-1] -= np.array(self.mean)
        parts[:, -1] = self.base
        return parts

    @cached_property
    def _bends(self) -> _Bends:
        of = [
            (j, a, b, steeper)
            for j, added in enumerate(self.added)
            for (a, b), steeper in zip(pairwise(self.knots[j]), added, strict=True)
        ]
        column, start, end, added = (np.array(v) for v in zip(*of, strict=True))
        return _Bends(column, start, end, added, np.flatnonzero(np.diff(column, prepend=-1)))

    def _terms(self, rows: np.ndarray) -> np.ndarray:
        terms = np.clip(np.ascontiguousarray(rows, dtype=np.float64), self.low, self.high)
        curves = self._curves(terms) if any(self.added) else None
        terms -= np.array(self.centre)
        terms *= np.array(self.slope)
        if curves is not None:
            terms[:, self._bends.column[self._bends.first]] += curves
        return np.where(np.isnan(terms), np.array(self.missing), terms)

    def _curves(self, values: np.ndarray) -> np.ndarray:
        """Return what is added to the line of each feature that bends, shape (rows, features that bend)."""
        bends = self._bends
        along = np.clip(values[:, bends.column], bends.start, bends.end)
        along -= bends.start
        along *= bends.added
        return np.add.reduceat(along, bends.first, axis=1)
