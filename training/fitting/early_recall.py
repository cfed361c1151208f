"""Early recall at capacity of each candidate, resampled: the children a list finds weeks before they go missing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.fitting.rolling_origin import Predictions, onset_of
from training.measures.evaluate import Resamples
from training.measures.metrics import share_listed

CAPACITY = 25  # children on each authority's list "help early" on one day
LEAD_DAYS = 28  # fewest days from the as-of date to the outcome


@dataclass(frozen=True)
class EarlyHits:
    """What each candidate's lists find early, by origin and resample of pupils.

    Attributes
    ----------
    hits : float array, shape (candidates, origins, resamples + 1)
        Early outcomes on the lists; the last column is that of the pupils themselves.
    outcomes : float array, shape (origins, resamples + 1)
        All early outcomes.
    """

    hits: np.ndarray
    outcomes: np.ndarray

    def recall(self, origins: int) -> np.ndarray:
        """Return early recall over the first origins together, shape (candidates, resamples + 1); NaN without outcomes.

        Single origins have a handful of early outcomes, so they are pooled.
        """
        found, total = self.hits[:, :origins].sum(axis=1), self.outcomes[:origins].sum(axis=0)
        return np.divide(found, total, out=np.full(found.shape, np.nan), where=total > 0)


def early_hits(predictions: Predictions, among: list[str], resamples: Resamples) -> EarlyHits | None:
    """Count what the candidates' lists find early; None if the snapshots do not say who had already stopped coming.

    Parameters
    ----------
    among : list of str
        The candidates.
    resamples : Resamples
        Of the pupils of ``predictions``.
    """
    onset = onset_of(predictions.frame)
    if onset is None:
        return None
    label, weight, lists = predictions.label, predictions.weight, predictions.list_of
    rows = np.flatnonzero(~onset.stopping)
    early = np.flatnonzero((label[rows] == 1) & (onset.days[rows] >= LEAD_DAYS))
    times = np.array([*(w[rows[early]] for w in resamples.weights), np.ones(len(early))])
    of_origin = predictions.origin[rows[early]] == np.arange(predictions.origin.max() + 1)[:, None]
    weights = times * weight[rows[early]]
    hits = []
    for name in among:
        share = share_listed(predictions.margins[name][rows], lists[rows], CAPACITY, 0, weight[rows])[early]
        hits.append((of_origin * share) @ weights.T)
    return EarlyHits(np.array(hits), of_origin @ weights.T)
