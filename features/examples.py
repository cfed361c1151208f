"""Sentences about each feature as a worker reads them, with values from the feature's spec examples.

They are computed by ``make docs`` and stored in ``example_sentences.json``, so that listing features is fast.
"""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from features.catalogue import SHIPPED
from features.feature import Feature
from features.sentences import filled, unfilled

FILE = Path(__file__).with_name("example_sentences.json")


def example_sentence(feature: Feature, template: str) -> str:
    """Return a feature's sentence with the values of an example.

    Parameters
    ----------
    template : str
        The text of one of the feature's sentences.

    Returns
    -------
    str
        With ``…`` for values when no example has them, as for a user's own features.
    """
    return _stored().get(feature.name, {}).get(template, unfilled(template))


@cache
def _stored() -> dict[str, dict[str, str]]:
    return json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {}


def computed_sentences() -> str:
    """Return the content of ``FILE``: ``{feature: {template: sentence}}`` of the shipped features, computed from the specs."""
    sentences: dict[str, dict[str, str]] = {}
    for feature in SHIPPED.features:
        for template in dict.fromkeys(s.text for s in feature.sentences):
            if unfilled(template) != template and (sentence := _example(feature, template)):
                sentences.setdefault(feature.name, {})[template] = sentence
    return json.dumps(sentences, ensure_ascii=False, indent=1) + "\n"


def _example(feature: Feature, template: str) -> str | None:
    """Fill in a template from an example, preferably one in which the sentence is true and the feature is not zero."""
    sentences = [s for s in feature.sentences if s.text == template]

    def order(child: dict[str, Any]) -> tuple[bool, bool]:
        true = any(s.is_true(child[feature.name], child) for s in sentences)
        return not true, not child[feature.name]

    children = sorted(_children(feature.name), key=order)
    return next((sentence for child in children if (sentence := filled(template, child)) is not None), None)


def _children(name: str) -> list[dict[str, Any]]:
    """Return the tallies and features of the children in a feature's examples, where it is not missing."""
    from features.specs import SPECS, specs_of

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
    from features.matrix import tallied
    from features.posted import open_rows
    from features.specs import SPECS

    spec = SPECS[number]
    rows = tallied(open_rows(spec.histories()), spec.days).iter_rows(named=True)
    return {(row["as_of"], row["pupil_id"]): row for row in rows}
