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
from features.sentences import Sentence, filled, unfilled

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
        With ``…`` for values when it is true of no example, as for a user's own features.
    """
    return _stored().get(feature.name, {}).get(template, unfilled(template))


def example_of_side(feature: Feature, raises: bool) -> str:
    """Return a feature's first sentence on one side of a score that is true of an example; the first, with values left open, if none is."""
    texts = [s.text for s in feature.sentences if s.may_appear(raises)]
    told = {t for t in texts if unfilled(t) == t} | _stored().get(feature.name, {}).keys()
    return example_sentence(feature, next((t for t in texts if t in told), next(iter(texts), "")))


@cache
def _stored() -> dict[str, dict[str, str]]:
    return json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {}


def computed_sentences() -> str:
    """Return the content of ``FILE``: ``{feature: {template: sentence}}`` of the shipped features, computed from the specs.

    A sentence is written with the values of an example of which it is true; where none is true on one side of a score, the first with any values.
    """
    sentences = {feature.name: _examples(feature) for feature in SHIPPED.features}
    return json.dumps({name: told for name, told in sentences.items() if told}, ensure_ascii=False, indent=1) + "\n"


def _examples(feature: Feature) -> dict[str, str]:
    children = sorted(
        _children(feature.name), key=lambda child: not child[feature.name]
    )  # those that have some of it first
    found: dict[str, str] = {}
    for raises in (True, False):
        side = [s for s in feature.sentences if s.may_appear(raises)]
        true = {
            s.text: text for s in side if (text := _filled(s, [c for c in children if s.is_true(c[feature.name], c)]))
        }
        found |= true or {s.text: text for s in side[:1] if (text := _filled(s, children))}
    return {template: text for template, text in found.items() if unfilled(template) != template}


def _filled(sentence: Sentence, children: list[dict[str, Any]]) -> str | None:
    return next((text for child in children if (text := filled(sentence.text, child)) is not None), None)


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
