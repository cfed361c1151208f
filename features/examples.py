"""Sentences about each feature as a worker reads them, with values from the feature's spec examples."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

from features.feature import Feature
from features.matrix import tallied
from features.posted import open_rows
from features.sentences import filled, unfilled
from features.specs import SPECS, specs_of


def example_sentence(feature: Feature, template: str) -> str:
    """Return a feature's sentence with the values of an example, by preference one in which the feature is not zero.

    Parameters
    ----------
    template : str
        The text of one of the feature's sentences.

    Returns
    -------
    str
        With ``…`` for values when no example has them, as for a user's own features.
    """
    if unfilled(template) == template:
        return template
    sentences = [s for s in feature.sentences if s.text == template]

    def is_example(child: dict[str, Any]) -> tuple[bool, bool]:
        true = any(s.is_true(child[feature.name], child) for s in sentences)
        return not true, not child[feature.name]

    for child in sorted(_children(feature.name), key=is_example):
        sentence = filled(template, child)
        if sentence is not None:
            return sentence
    return unfilled(template)


def _children(name: str) -> list[dict[str, Any]]:
    """Return the tallies and features of the children in a feature's examples, where it is not missing."""
    children = []
    for spec in specs_of(name):
        values = _values(SPECS.index(spec))
        children += [
            values[day, pupil]
            for day, pupil, feature, value in spec.expected()
            if (feature, value is None) == (name, False)
        ]
    return children


@cache
def _values(number: int) -> dict[tuple[date, str], dict[str, Any]]:
    """Return all values of an example by day and pupil."""
    spec = SPECS[number]
    rows = tallied(open_rows(spec.histories()), spec.days).iter_rows(named=True)
    return {(row["as_of"], row["pupil_id"]): row for row in rows}
