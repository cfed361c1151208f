"""How much less lists of the same children say than as many different children: design effects (Kish 1965) over weekly lists.

A child on eight weekly lists goes missing eight times or never. What came shows how strongly a child's rows hang together only where several children
went missing and several stayed; from a few outcomes, or none, the effect looks like 1. So figures are widened by the larger of what came and what the
risks promise, in which no outcome has a part.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from training.measures.intervals import design_effect
from training.measures.metrics import numbers


def promised_design(known: pl.DataFrame) -> float:
    """Return the design effect that risks promise.

    Two lists tell of the same going missing as far as their windows overlap: lists of two weeks nearly all of it, lists of two school years nothing.

    Parameters
    ----------
    known : polars.DataFrame
        ``pupil_id, as_of, risk, horizon``; the last is the days of the outcome window.

    Examples
    --------
    >>> from datetime import date
    >>> days = [date(2025, 9, 1), date(2025, 9, 8), date(2026, 9, 7)]
    >>> promised_design(pl.DataFrame({"pupil_id": "a", "as_of": days[:2], "risk": 0.2, "horizon": 70}))
    1.9
    >>> promised_design(pl.DataFrame({"pupil_id": "a", "as_of": days[1:], "risk": 0.2, "horizon": 70}))
    1.0
    """
    if _is_each_once(known) or float(known["risk"].sum()) <= 0:
        return 1.0
    child, risk = numbers(known, "pupil_id"), known["risk"].to_numpy()
    days, column = np.unique(known["as_of"].to_physical().to_numpy(), return_inverse=True)
    at, shape = child * len(days) + column, (child.max() + 1, len(days))
    roots = np.bincount(at, weights=np.sqrt(risk), minlength=shape[0] * shape[1]).reshape(shape)
    horizon = int(known["horizon"].max())  # type: ignore[arg-type]
    overlap = np.maximum(1 - np.abs(days[:, None] - days) / horizon, 0.0)
    # Rounded, since a sum's last digits depend on the order of rows and could move a limit by one.
    return max(round(float(((roots @ overlap) * roots).sum() / risk.sum()), 9), 1.0)


def observed_design(known: pl.DataFrame) -> float:
    """Return the design effect of what came, which few outcomes understate; 1 if every child is there once."""
    if _is_each_once(known):
        return 1.0
    return design_effect(known["label"].to_numpy().astype(float), numbers(known, "pupil_id"))


def _is_each_once(known: pl.DataFrame) -> bool:
    return known["pupil_id"].n_unique() == len(known)
