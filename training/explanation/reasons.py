"""Reasons: contributions summed by theme and sign, each with a sentence that the child's values make true."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from features.sentences import Sentence, default_sentences, true_sentences
from training.explanation.score import FeaturePart, Reason

SHOWN_FEATURES = 5  # features in a reason; the rest of the theme is one line, so that the parts add up
MIN_CONTRIBUTION = 0.05  # in log-odds: less changes a small risk by less than a twentieth, and is no reason to ring
Wording = Mapping[str, Sequence[Sentence]]


def wording_of(catalogue: Sequence[Mapping[str, Any]], present: Wording) -> Wording:
    """Return the sentences of a model's features: those of this version of onroll, else the two templates of its manifest.

    If a sentence was corrected after a release, the release is explained in the corrected words; its values and scores do not change.
    """
    return {
        f["name"]: present.get(f["name"]) or default_sentences(f["name"], f["raises"], f["lowers"]) for f in catalogue
    }


def reasons(
    values: dict[str, float | None],
    contributions: np.ndarray,
    catalogue: list[dict[str, Any]],
    themes: dict[str, str],
    wording: Wording,
) -> tuple[list[Reason], list[Reason], list[Reason]]:
    """Turn one row's contributions into reasons.

    Parameters
    ----------
    values : dict
        The row's features and tallies by name; None when missing.
    contributions : float array, shape (features,)
        In the order of ``catalogue``.
    wording : mapping
        The sentences of each feature.

    Returns
    -------
    raising, protective, context : lists of Reason
        Strongest first. With the base they sum to the margin. A theme that hardly counts, or without a true, fitting sentence,
        is context.
    """
    parts = contributions.tolist()
    by_theme: dict[tuple[str, bool], list[int]] = {}
    for i in np.argsort(-np.abs(contributions), kind="stable").tolist():  # strongest first, ties as declared
        if parts[i] != 0.0:
            by_theme.setdefault((catalogue[i]["theme"], catalogue[i]["role"] == "reason"), []).append(i)
    raising: list[Reason] = []
    protective: list[Reason] = []
    context: list[Reason] = []
    for (theme, is_reason), members in by_theme.items():
        total = math.fsum([parts[i] for i in members])
        shown = [i for i in members if catalogue[i]["role"] != "never_shown"]
        same_way = [catalogue[i]["name"] for i in shown if (parts[i] > 0) == (total > 0)]
        sentence = opening_sentence(same_way, wording, values, total > 0)
        reason = Reason(
            theme=themes.get(theme, theme),
            sentence=sentence or f"{themes.get(theme, theme)}: nothing stands out",
            direction="raises" if total > 0 else "lowers",
            contribution=total,
            features=_features(total, members, values=values, contributions=parts, catalogue=catalogue),
        )
        if not is_reason or sentence is None or abs(total) < MIN_CONTRIBUTION:
            context.append(reason)
        elif total > 0:
            raising.append(reason)
        else:
            protective.append(reason)
    return sorted(raising, key=_strongest), sorted(protective, key=_strongest), sorted(context, key=_strongest)


def opening_sentence(
    names: Sequence[str], wording: Wording, values: Mapping[str, float | None], raises: bool
) -> str | None:
    """Return the sentence of the strongest feature that has one for this side, preferring features that may lead."""
    following = None
    for name in names:
        for sentence, text in true_sentences(name, wording.get(name, ()), values, raises):
            if sentence.leads:
                return text
            following = following or text
    return following


def sentence_of(
    name: str, sentences: Sequence[Sentence], values: Mapping[str, float | None], raises: bool
) -> str | None:
    """Return a feature's sentence, or None if it has no true one for this side.

    Examples
    --------
    >>> from features.sentences import strain
    >>> moved = [strain("Moved {moves:.0f} time(s)", 1)]
    >>> sentence_of("moves", moved, {"moves": 2.0}, True)
    'Moved 2 times'
    >>> sentence_of("moves", moved, {"moves": 2.0}, False), sentence_of("moves", moved, {"moves": 0.0}, True)
    (None, None)
    """
    return next((text for _, text in true_sentences(name, sentences, values, raises)), None)


def _strongest(reason: Reason) -> tuple[float, str]:
    return -abs(reason.contribution), reason.theme


def _features(
    total: float,
    members: list[int],
    *,
    values: dict[str, float | None],
    contributions: list[float],
    catalogue: list[dict[str, Any]],
) -> list[FeaturePart]:
    """Return the strongest features of a theme, which come first, and the sum of the others."""
    parts: list[FeaturePart] = [
        {"name": catalogue[i]["name"], "value": values.get(catalogue[i]["name"]), "contribution": contributions[i]}
        for i in members[:SHOWN_FEATURES]
        if catalogue[i]["role"] != "never_shown"
    ]
    if len(parts) < len(members):
        rest = total - math.fsum([f["contribution"] for f in parts])
        parts.append({"name": "others", "value": None, "contribution": rest})
    return parts
