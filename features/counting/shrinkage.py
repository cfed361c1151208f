"""Rates among a child's neighbours, shrunk to the mean of the authority or of its schools of one kind: rates of few children are noisy."""

from __future__ import annotations

from collections.abc import Callable

import narwhals as nw

MIN_OTHERS = 20  # a school or area with fewer other children gets no rate
WEIGHT = 200  # weight of the mean, as a number of children


def shrunk(group: str, part: str, whole: str, towards: str = "la") -> Callable[[], nw.Expr]:
    """Return the rate among the others of a group, averaged with that of the authority or kind, and weighted by the number of children.

    Parameters
    ----------
    group : {"school", "area"}
        The group whose sums over other children are used (``features.counting.peers``).
    part, whole : str
        Numerator and denominator of the rate.
    towards : {"la", "kind"}
        Whose mean is added: that of the authority, or of its schools of the same phase.
    """

    def expression() -> nw.Expr:
        mean = nw.col(f"{towards}_{part}").cast(nw.Float64) / nw.col(f"{towards}_{whole}").cast(nw.Float64)
        scale = nw.col(f"{group}_others").cast(nw.Float64)
        group_rate = nw.col(f"{group}_{part}").cast(nw.Float64) / nw.col(f"{group}_{whole}").cast(nw.Float64)
        rate = (group_rate * scale + mean * WEIGHT) / (scale + WEIGHT)
        enough = (
            (nw.col(f"{group}_others") >= MIN_OTHERS)
            & (nw.col(f"{group}_{whole}") > 0)
            & (nw.col(f"{towards}_{whole}") > 0)
        )
        return nw.when(enough).then(rate)

    return expression
