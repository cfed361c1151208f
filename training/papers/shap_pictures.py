"""Pictures of contributions as shap draws them: the beeswarm, the dependence of a feature, and the waterfall of a made-up child."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from histories.io.pictures import BLUE, GREY, RED, Picture, new_figure, picture_of

if TYPE_CHECKING:
    import shap

IN_LOG_ODDS = "contribution to the score, in log-odds"


def beeswarm(points: Mapping[str, Mapping[str, Sequence[float | None]]], of: int) -> Picture:
    """Draw shap's beeswarm of the points of ``evaluation.shown_contributions``.

    Parameters
    ----------
    of : int
        Children to a point.
    """
    import shap

    names = list(points)
    columns = [np.array(points[n]["contribution"], dtype=float) for n in names]
    values = [np.array(points[n]["value"], dtype=float) for n in names]
    explanation = shap.Explanation(
        values=np.column_stack(columns), data=np.column_stack(values), feature_names=[plain(n) for n in names]
    )
    with _drawing() as plt:
        shap.plots.beeswarm(explanation, max_display=len(names), show=False, plot_size=(9, 0.7 + 0.42 * len(names)))
        plt.gca().set_xlabel(IN_LOG_ODDS, fontsize=10)
        plt.gca().tick_params(labelsize=9)
        return picture_of(
            plt.gcf(),
            f"Beeswarm of the {len(names)} features that move scores most. Each point is the mean of {of} children, by its place the contribution and by its colour the value. The table below has the ranges.",
            f"What moves scores, and which way: each point is the mean of {of} children (red: high value, blue: low, grey: missing or not shown)",
            "png",
            tight=True,
        )


def dependence(name: str, bins: Sequence[Mapping[str, Any]]) -> Picture:
    """Draw the mean contribution by the value of a feature, with one standard deviation."""
    figure = new_figure(6, 3.2)
    axes = figure.add_subplot()
    known = [b for b in bins if b["value"] is not None]
    middle, spread = ([b[of] for b in known] for of in ("contribution", "spread"))
    axes.errorbar([b["value"] for b in known], middle, yerr=spread, fmt="o-", color=BLUE, ecolor="#b5d8f0", linewidth=1)
    for b in (b for b in bins if b["value"] is None):
        axes.axhline(b["contribution"], color=RED, linestyle=":", label="value missing")
        axes.legend(fontsize=8, frameon=False)
    axes.axhline(0, color=GREY, linewidth=0.8)
    axes.set_xlabel(plain(name), fontsize=9)
    axes.set_ylabel(IN_LOG_ODDS, fontsize=8)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    return picture_of(
        figure,
        f"Mean contribution by the value of: {plain(name)}. The table below has the same data.",
        f"{plain(name).capitalize()}: mean contribution by value, and one standard deviation",
    )


def waterfall(explanation: shap.Explanation, most: int, words: str) -> Picture:
    """Draw shap's waterfall of one row.

    Parameters
    ----------
    most : int
        Features shown; the others are added up.
    words : str
        What the row says of the child.
    """
    import shap

    with _drawing() as plt:
        shap.plots.waterfall(explanation, max_display=most, show=False)
        plt.gcf().set_size_inches(9, 0.8 + 0.48 * most)
        return picture_of(
            plt.gcf(),
            f"Waterfall of the score of a made-up child, from the mean over children to this child's score in log-odds. {words} The table below has the same data.",
            "How the features of a made-up child add up to its score, in log-odds",
            "png",
            tight=True,
        )


def plain(name: str) -> str:
    """Return a feature's name as words."""
    return name.replace("_", " ")


@contextmanager
def _drawing() -> Iterator[Any]:
    """Yield pyplot, on which shap draws, with an empty figure, no window, and the same random places each time."""
    import matplotlib.pyplot as plt

    before, backend = np.random.get_state(), plt.get_backend()  # shap jitters with the global generator
    plt.switch_backend("agg")
    np.random.seed(1)
    figure = plt.figure()
    try:
        yield plt
    finally:
        plt.close(figure)
        plt.switch_backend(backend)
        np.random.set_state(before)
