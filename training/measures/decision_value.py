"""The value of a list at a team's capacity, compared with what a school already shows: children who have stopped coming, longest absent first.

Net benefit weighs the children reached against the reviews spent (Vickers and Elkin 2006). At "1 in 20", twenty reviews for one child reached
are just worth it, so each review of a child who does not go missing counts as 1/19 of a child reached.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from training.measures.evaluate import Judged, Resamples, interval, list_key
from training.measures.metrics import share_listed

CAPACITIES = (10, 25, 50, 100)  # children on each authority's list on one day
ONE_IN = (20, 50)  # reviews for one child reached that are just worth it
YEAR = 365.25  # days
NAMES = ("model", "present")


def decision_value(
    judged: Judged, days: np.ndarray, stopping: np.ndarray, absent: np.ndarray, resamples: Resamples
) -> dict[str, Any]:
    """Compare the children whom a model's lists reach with those whom present practice reaches, for a year of lists.

    Present practice: only children who have already stopped coming (``features.outcome.stopping``) are reviewed, longest absent first. Their
    number may be below the capacity.

    Parameters
    ----------
    days : int array, shape (rows,)
        Day number of each row's as-of date.
    stopping : bool array, shape (rows,)
        Whether the child had already stopped coming.
    absent : float array, shape (rows,)
        Sessions missed in a row up to the day; NaN if unknown.

    Returns
    -------
    dict
        ``lists_a_year``: lists of each authority, at the spacing of the judged days; ``judged_days``: their number. By capacity (``top_25_a_list``) and by ``model`` and
        ``present``: ``reached`` and ``reviewed`` a year, and ``net_benefit_1_in_20`` and so on, in children a year. Under ``lead`` the same
        for the model less present practice. Intervals are over resampled pupils; those of a lead are paired.
    """
    by_day = np.unique(days)
    a_year = (len(by_day) - 1) * YEAR / float(by_day[-1] - by_day[0]) if len(by_day) > 1 else 1.0
    scale = a_year / len(by_day)
    at = np.flatnonzero(stopping)
    value: dict[str, Any] = {"lists_a_year": a_year, "judged_days": len(by_day)}
    for capacity in CAPACITIES:
        places = {name: np.zeros(len(judged.score)) for name in NAMES}
        places["model"] = share_listed(judged.score, judged.list_of, capacity, 0, judged.weight)
        if len(at):
            order = np.nan_to_num(absent[at], nan=-1.0)
            places["present"][at] = share_listed(order, judged.list_of[at], capacity, 0, judged.weight[at])
        drawn = {name: _drawn(judged, share, resamples) * scale for name, share in places.items()}
        drawn["lead"] = drawn["model"] - drawn["present"]
        value[list_key(capacity)] = {name: _figures(draws) for name, draws in drawn.items()}
    return value


def _drawn(judged: Judged, share: np.ndarray, resamples: Resamples) -> np.ndarray:
    """Return the listed who went missing and all listed: first of the data, then of each resample, shape (1 + resamples, 2)."""
    cut = np.flatnonzero(share)
    listed = (judged.weight * share)[cut]
    counts = np.stack([listed * judged.label[cut], listed], axis=1)
    return np.array([counts.sum(axis=0), *(times[cut] @ counts for times in resamples.weights)])


def _figures(draws: np.ndarray) -> dict[str, Any]:
    reached, reviewed = draws.T
    values = {"reached": reached, "reviewed": reviewed}
    values |= {f"net_benefit_1_in_{n}": reached - (reviewed - reached) / (n - 1) for n in ONE_IN}
    figures: dict[str, Any] = {}
    for name, drawn in values.items():
        figures |= {name: float(drawn[0]), f"{name}_interval": interval(drawn[1:])}
    return figures
