"""Design effects (Kish 1965): how much clustering and weighting widen an interval.

Snapshots of one pupil resemble each other. And where memory made training take all who went missing but a sample of the others, each
standing for several (``training.fitting.sampling``), counts of the others rest on fewer than they say. A share that is read off weighted counts
has the variance of its weighted residuals (Taylor linearisation, Cochran 1977): ``sum w² (y - share)² / (sum w)²``. Over the binomial
variance of the weighted counts that is the effect; the weighted count over the effect is the effective size that an interval is of.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from training.measures.intervals import design_effect


@dataclass(frozen=True)
class Design:
    """Design effects of a table of lists.

    Attributes
    ----------
    pupils : float
        Of pupils who are there on several days.
    weight : float
        For how many snapshots one without the outcome stands; those with it stand for themselves.
    expected : float
        Mean risk of those without the outcome, weighted by risk: what drawing one of them adds to, or takes from, the number expected.
    """

    pupils: float
    weight: float
    expected: float

    @classmethod
    def of(cls, label: np.ndarray, pupil: np.ndarray, weight: np.ndarray, risk: np.ndarray) -> Design:
        """Measure the effects of snapshots.

        Parameters
        ----------
        label : float array of 0 and 1, shape (rows,)
        pupil : int array, shape (rows,)
            The number of each row's pupil, from 0.
        weight : float array, shape (rows,)
            How many snapshots each row stands for: one for those with the outcome.
        risk : float array, shape (rows,)
        """
        others, told = weight[label == 0], np.bincount(pupil[label == 0], weights=risk[label == 0])
        return cls(
            design_effect(label, pupil, weight),
            float(others @ others / others.sum()) if len(others) else 1.0,
            float(told @ told / told.sum()) if told.sum() > 0 else 0.0,
        )

    @property
    def of_others(self) -> float:
        """The effect on a share of those without the outcome; on a share of all it is at most that."""
        return self.pupils * self.weight

    def of_outcomes(self, share: float) -> float:
        """Return the effect on the share with the outcome among some: few of them are counted from all, the others from the sample."""
        return self.pupils * (1 + (self.weight - 1) * share)

    @property
    def of_ratio(self) -> float:
        """The effect on observed over expected numbers: the observed are all there, the expected are summed over the sample."""
        return self.pupils + (self.weight - 1) * self.expected

    def to_dict(self) -> dict[str, float]:
        """Return the effects ready for JSON."""
        return asdict(self)
