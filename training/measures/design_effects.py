"""Design effects (Kish 1965): how much clustering and weighting widen an interval.

Snapshots of one pupil are correlated. If memory is short, training takes all who went missing and a weighted sample of the others
(``training.fitting.sampling``), so that counts of the others rest on fewer snapshots. A share of weighted counts has the variance of
its weighted residuals (Taylor linearisation, Cochran 1977): ``sum w² (y - share)² / (sum w)²``. The design effect is that variance
over the binomial variance of the weighted counts; the weighted count over the effect is the effective sample size.
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
        Effect of pupils with snapshots on several days.
    weight : float
        Mean weight of a snapshot without the outcome; those with it have weight 1.
    expected : float
        Mean risk of snapshots without the outcome, weighted by risk: the effect of drawing one of them on the expected number.
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
            Index of each row's pupil.
        weight : float array, shape (rows,)
            Weight of each row: 1 for those with the outcome.
        risk : float array, shape (rows,)
        """
        others, risk_sums = weight[label == 0], np.bincount(pupil[label == 0], weights=risk[label == 0])
        return cls(
            design_effect(label, pupil, weight),
            float(others @ others / others.sum()) if len(others) else 1.0,
            float(risk_sums @ risk_sums / risk_sums.sum()) if risk_sums.sum() > 0 else 0.0,
        )

    @property
    def of_others(self) -> float:
        """The effect on a share of those without the outcome; an upper bound for a share of all."""
        return self.pupils * self.weight

    def of_outcomes(self, share: float) -> float:
        """Return the effect on the share with the outcome in a subset: outcomes are complete, the others sampled."""
        return self.pupils * (1 + (self.weight - 1) * share)

    @property
    def of_ratio(self) -> float:
        """The effect on observed over expected numbers: the observed are complete, the expected are summed over the sample."""
        return self.pupils + (self.weight - 1) * self.expected

    def to_dict(self) -> dict[str, float]:
        """Return JSON-ready data."""
        return asdict(self)
