"""Reasons: contributions summed by theme and sign, each with a sentence about the child's own figures."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from features.sentences import filled
from training.explanation.score import FeaturePart, Reason

SHOWN_FEATURES = 5  # in a reason; the rest of the theme is one line, so that parts still add up


def reasons(
    values: dict[str, float | None],
    contributions: np.ndarray,
    catalogue: list[dict[str, Any]],
    themes: dict[str, str],
) -> tuple[list[Reason], list[Reason], list[Reason]]:
    """Turn one row's contributions into reasons.

    Parameters
    ----------
    values : dict
        The row's features and tallies by name; None when missing.
    contributions : float array, shape (features,)
        In the order of ``catalogue``.

    Returns
    -------
    raising, protective, context : lists of Reason
        Strongest first. Together with the base they sum to the margin.
    """
    by_theme: dict[tuple[str, bool], list[int]] = {}
    for i, f in enumerate(catalogue):
        if contributions[i] != 0.0:
            by_theme.setdefault((f["theme"], f["role"] == "reason"), []).append(i)
    raising: list[Reason] = []
    protective: list[Reason] = []
    context: list[Reason] = []
    for (theme, is_reason), members in by_theme.items():
        total = math.fsum(contributions[i] for i in members)
        made = _reason(
            theme=theme,
            total=total,
            members=members,
            values=values,
            contributions=contributions,
            catalogue=catalogue,
            themes=themes,
        )
        # A reason must state something that happened; "no support" alone counts in the sum and is shown as context.
        said = is_reason and (total <= 0 or _says_something(members, values, contributions, catalogue))
        if not said:
            context.append(made)
        elif total > 0:
            raising.append(made)
        else:
            protective.append(made)
    return sorted(raising, key=_strongest), sorted(protective, key=_strongest), sorted(context, key=_strongest)


def _strongest(reason: Reason) -> tuple[float, str]:
    return -abs(reason.contribution), reason.theme


def _reason(
    theme: str,
    total: float,
    members: list[int],
    values: dict[str, float | None],
    contributions: np.ndarray,
    *,
    catalogue: list[dict[str, Any]],
    themes: dict[str, str],
) -> Reason:
    ordered = sorted(members, key=lambda i: (-abs(contributions[i]), i))
    shown: list[FeaturePart] = [
        {
            "name": catalogue[i]["name"],
            "value": values.get(catalogue[i]["name"]),
            "contribution": float(contributions[i]),
        }
        for i in ordered[:SHOWN_FEATURES]
        if catalogue[i]["role"] != "never_shown"
    ]
    rest = total - math.fsum(f["contribution"] for f in shown)
    if len(shown) < len(members):
        shown.append({"name": "others", "value": None, "contribution": rest})
    same_way = [i for i in ordered if (contributions[i] > 0) == (total > 0) and catalogue[i]["role"] != "never_shown"]
    if total > 0:
        same_way.sort(key=lambda i: not values.get(catalogue[i]["name"]))
    sentence = next((s for i in same_way if (s := sentence_of(catalogue[i], values, total > 0))), None)
    if sentence is None:
        sentence = f"{themes.get(theme, theme)}: little is recorded"
    return Reason(
        theme=themes.get(theme, theme),
        sentence=sentence,
        direction="raises" if total > 0 else "lowers",
        contribution=total,
        features=shown,
    )


def _says_something(
    members: list[int], values: dict[str, float | None], contributions: np.ndarray, catalogue: list[dict[str, Any]]
) -> bool:
    """Tell whether a feature that raised the score is known and did happen."""
    return any(
        contributions[i] > 0 and values.get(catalogue[i]["name"]) for i in members if catalogue[i]["role"] == "reason"
    )


def sentence_of(declaration: dict[str, Any], values: dict[str, float | None], raises: bool) -> str | None:
    """Say a feature in a sentence, or return None when a figure it needs is not known.

    Examples
    --------
    >>> moved = {"name": "moves", "raises": "Moved {moves:.0f} time(s)", "lowers": "Has not moved"}
    >>> sentence_of(moved, {"moves": 2.0}, True)
    'Moved 2 times'
    >>> sentence_of(moved, {"moves": None}, True) is None
    True
    """
    if values.get(declaration["name"]) is None:
        return None
    value = values[declaration["name"]]
    # "Suspended 0 times" is no reason: what did not happen is said in its own words.
    template = declaration["raises"] if raises and value != 0 else declaration["lowers"]
    return filled(template, values)
