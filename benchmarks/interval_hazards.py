"""Hazards in discrete time (``benchmarks.hazards``): one ridge for all horizons, taught by every interval of a window that is known.

A window is cut into intervals. In each, a child who is still there goes missing with a chance of ``1 - exp(-exp(margin))``: the complementary
log-log link, by which hazards of intervals add up to those of any longer one (Prentice and Gloeckler 1978). Each interval has a baseline of its own, apart
for children who had already stopped coming. Features weigh the same in all intervals; those that *vary* may weigh more in the first or in the
last ones. An exit of another kind ends what is known of a child, as does the day before which it must have been known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial

import numpy as np
import polars as pl

from training.fitting.blas_threads import BLAS_THREADS, fixed_blas_threads
from training.fitting.candidates.bounded_newton import minimise
from training.fitting.candidates.candidate import Learning
from training.fitting.candidates.ridge import FIRST_NEGATIVES, Columns

EDGES = (14, 28, 56, 91, 120, 182, 364)  # days on which intervals end
BASELINE_VARIANCE = 4.0  # prior variance of a baseline's distance from a constant hazard
MAX_MARGIN = 30.0  # certain beyond
NOTHING, BENT, EVERYTHING = range(3)  # which features vary: none, those whose lines bend, all
Group = tuple[np.ndarray, np.ndarray]  # columns of rows, and how much they weigh in each interval


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of each row's intervals.

    Attributes
    ----------
    stayed, went, left : bool array, shape (rows, intervals)
        The child did not go missing in the interval, did, or left otherwise; of a child who was gone before it, and of what is not known, nothing
        is true. Who left otherwise did not go missing.
    """

    stayed: np.ndarray
    went: np.ndarray
    left: np.ndarray

    @classmethod
    def before(cls, frame: pl.DataFrame, day: date, edges: tuple[int, ...] = EDGES) -> Known:
        """Return what was known before a day.

        Parameters
        ----------
        frame : polars.DataFrame
            ``label_14, known_14, left_14`` and so on for every edge (``benchmarks.worlds.windows``).
        """
        there, by_interval = np.ones(len(frame), bool), []
        for edge in edges:
            known = frame.select((pl.col(f"known_{edge}") < day).fill_null(False)).to_series().to_numpy() & there
            label, left = frame[f"label_{edge}"].to_numpy(), frame[f"left_{edge}"].fill_null(False).to_numpy()
            by_interval.append((known & (label == 0), known & (label == 1), known & left))
            there = known & (label == 0) & ~left
        stayed, went, left = (np.column_stack(of) for of in zip(*by_interval, strict=True))
        return cls(stayed=stayed, went=went, left=left)

    def rows(self, chosen: np.ndarray) -> Known:
        """Return some rows."""
        return Known(stayed=self.stayed[chosen], went=self.went[chosen], left=self.left[chosen])


@dataclass(frozen=True, kw_only=True)
class Lessons:
    """What a model learns from.

    Attributes
    ----------
    learning : Learning
        ``y`` is whether the child is known to have gone missing in any interval.
    known : Known
    stopping : float array, shape (rows,)
        Whether the child had already stopped coming on the day.
    """

    learning: Learning
    known: Known
    stopping: np.ndarray

    def rows(self, chosen: np.ndarray) -> Lessons:
        """Return some rows."""
        return Lessons(
            learning=self.learning.rows(chosen), known=self.known.rows(chosen), stopping=self.stopping[chosen]
        )

    def with_fewer_negatives(self) -> Lessons:
        """Return as many rows without the outcome as a ridge starts from, weighted back."""
        learning = self.learning
        without = np.flatnonzero(learning.y == 0)
        if len(without) <= FIRST_NEGATIVES:
            return self
        drawn = np.random.Generator(np.random.PCG64(learning.seed)).choice(without, FIRST_NEGATIVES, replace=False)
        fewer = self.rows(np.sort(np.r_[np.flatnonzero(learning.y == 1), drawn]))
        fewer.learning.weight[fewer.learning.y == 0] *= len(without) / FIRST_NEGATIVES
        return fewer


@dataclass(frozen=True, kw_only=True)
class Design:
    """How columns weigh in the intervals: their baselines, features of constant weight, and those that vary."""

    columns: Columns
    edges: tuple[int, ...]
    varying: np.ndarray  # indices of features
    apart: bool = True  # whether children who had already stopped coming have baselines of their own

    def groups(self, columns: np.ndarray, stopping: np.ndarray) -> list[Group]:
        """Return the groups of columns of some rows; margins are the sum of their products with coefficients and weights."""
        intervals = np.eye(len(self.edges))
        baseline = np.column_stack([np.ones(len(columns)), *[stopping] * self.apart])
        lines = columns[:, 1 + self.varying]
        late = lateness(self.edges)
        of_baselines = [(baseline, interval) for interval in intervals]
        return [(columns, np.ones(len(self.edges))), *of_baselines, (lines, 1 - late), (lines, late)]

    def priors(self, strength: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the penalty of each coefficient, and whether it may not be negative, in the order of ``groups``."""
        of_features = np.full(len(self.columns.signed), 1 / strength)
        of_features[0] = 1e-6
        of_baselines = np.full((1 + self.apart) * len(self.edges), 1 / BASELINE_VARIANCE)
        signed = self.columns.signed
        turned = np.tile(signed[1 + self.varying], 2)
        penalty = np.r_[of_features, of_baselines, np.full(len(turned), 1 / strength)]
        return penalty, np.r_[signed, np.zeros(len(of_baselines), bool), turned]

    def margins(self, groups: list[Group], at: np.ndarray) -> np.ndarray:
        """Return the log of the hazard of each interval, shape (rows, intervals)."""
        margins = np.tile(np.log(np.diff(self.edges, prepend=0) / self.edges[-1]), (len(groups[0][0]), 1))
        begin = 0
        for columns, weights in groups:
            end = begin + columns.shape[1]
            margins += np.outer(columns @ at[begin:end], weights)
            begin = end
        return np.minimum(margins, MAX_MARGIN)

    def blocks(self, lessons: Lessons) -> Iterator[tuple[list[Group], Known, np.ndarray]]:
        """Yield the groups, what is known, and the weights of some rows at a time."""
        begin = 0
        for columns, _, weight in self.columns.blocks(lessons.learning):
            part = np.arange(begin, begin + len(columns))
            yield self.groups(columns, lessons.stopping[part]), lessons.known.rows(part), weight
            begin += len(columns)


def lateness(edges: tuple[int, ...]) -> np.ndarray:
    """Return how late each interval is, from 0 to 1, by the logarithm of its middle."""
    middle = np.log((np.array(edges) + np.r_[0, edges[:-1]]) / 2)
    return (middle - middle[0]) / max(middle[-1] - middle[0], 1e-9)


@dataclass(frozen=True, kw_only=True)
class Hazards:
    """A fitted model.

    Attributes
    ----------
    design : Design
    at : float array
        The coefficients.
    otherwise : float array, shape (intervals,)
        The chance of leaving otherwise in each interval, of those still there, from counts.
    """

    design: Design
    at: np.ndarray
    otherwise: np.ndarray

    def risks(self, x: np.ndarray, stopping: np.ndarray, horizon: int) -> np.ndarray:
        """Return the chance of going missing before one of the edges, of a child who may leave otherwise first (the cumulative incidence)."""
        nothing = np.zeros(len(x))
        rows = Learning(x=x, y=nothing, weight=nothing, names=[""] * x.shape[1], seed=0)
        empty = np.zeros((len(x), 0), bool)
        lessons = Lessons(learning=rows, known=Known(stayed=empty, went=empty, left=empty), stopping=stopping)
        intervals, parts = self.design.edges.index(horizon) + 1, []
        for groups, _, _ in self.design.blocks(lessons):
            hazard = np.exp(self.design.margins(groups, self.at))[:, :intervals]
            stay = np.exp(-hazard) * (1 - self.otherwise[:intervals])
            there = np.cumprod(np.column_stack([np.ones(len(stay)), stay[:, :-1]]), axis=1)
            parts.append((there * -np.expm1(-hazard)).sum(axis=1))
        return np.concatenate(parts)


def fit(
    lessons: Lessons, strengths: tuple[float, ...], *, edges: tuple[int, ...], vary: int, apart: bool = True
) -> list[Hazards]:
    """Return a model for each prior variance of a standardised coefficient; the directions of the catalogue hold in each interval."""
    learning, known = lessons.learning, lessons.known
    with fixed_blas_threads(BLAS_THREADS):
        columns = Columns.of(learning, monotone=True)
        bent = np.flatnonzero([bool(of_feature) for of_feature in columns.pieces.knots])
        varying = {NOTHING: np.array([], int), BENT: bent, EVERYTHING: np.arange(len(learning.names))}[vary]
        design = Design(columns=columns, edges=edges, varying=varying, apart=apart)
        penalty, signed = design.priors(strengths[0])
        at = np.zeros(len(penalty))
        at[0] = np.log(learning.weight @ learning.y / learning.weight.sum())
        # From where fewer rows lead, few steps on all rows are left, as in ``ridge.fit``.
        few = list(design.blocks(lessons.with_fewer_negatives()))
        at = minimise(partial(penalised, design, few, penalty), at, signed)
        whole, fits = list(design.blocks(lessons)), []
        otherwise = known.left.sum(axis=0) / np.maximum((known.stayed | known.went).sum(axis=0), 1)
        for strength in strengths:
            penalty, signed = design.priors(strength)
            at = minimise(partial(penalised, design, whole, penalty), at, signed)
            fits.append(Hazards(design=design, at=at, otherwise=otherwise))
    return fits


def penalised(
    design: Design,
    blocks: list[tuple[list[Group], Known, np.ndarray]],
    penalty: np.ndarray,
    at: np.ndarray,
    bends: bool = True,
) -> tuple[float, np.ndarray, np.ndarray | None]:
    """Return the penalised negative log-likelihood of the intervals with its gradient and, if asked for, its Hessian."""
    value, gradient, hessian = 0.5 * float(penalty @ at**2), penalty * at, np.diag(penalty) if bends else None
    for groups, known, weight in blocks:
        hazard = np.exp(design.margins(groups, at))
        stayed, went = weight[:, None] * known.stayed, weight[:, None] * known.went
        gone = -np.expm1(-hazard)
        value += float((stayed * hazard).sum() - (went * np.log(gone)).sum())
        # By the margin: those who stayed cost their hazard, those who went minus the logarithm of the chance that they did.
        rate = hazard * (1 - gone) / gone
        slope, bend = stayed * hazard - went * rate, stayed * hazard + went * rate * (hazard / gone - 1)
        ends = np.cumsum([columns.shape[1] for columns, _ in groups])
        spans = [slice(end - columns.shape[1], end) for (columns, _), end in zip(groups, ends, strict=True)]
        for n, (columns, weights) in enumerate(groups):
            gradient[spans[n]] += (slope @ weights) @ columns
            if hessian is None:
                continue
            for m, (others, other_weights) in enumerate(groups[: n + 1]):
                if not (weights * other_weights).any():
                    continue
                part = (columns * (bend @ (weights * other_weights))[:, None]).T @ others
                hessian[spans[n], spans[m]] += part
                if m < n:
                    hessian[spans[m], spans[n]] += part.T
    return value, gradient, hessian
