"""Features that are a rate among a child's neighbours, each declared by what is counted and its sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from features.counting.shrinkage import shrunk
from features.feature import Feature
from features.sentences import fact

CONTEXT = {"window": None, "direction": 0, "role": "context"}


def rates(
    theme: str,
    group: str,
    counted: Mapping[str, tuple[str, str, str, Iterable[str]]],
    *,
    missing: str,
    towards: str = "la",
    **declared: Any,
) -> list[Feature]:
    """Return the features of one group of neighbours.

    Parameters
    ----------
    group, towards : str
        See ``features.counting.shrinkage.shrunk``.
    counted : mapping
        By the feature's name: numerator, denominator, sentence and tables.
    missing : str
        When the rate is missing.
    declared
        Further fields of ``Feature``; by default those of the context.
    """
    return [
        Feature(
            name=name,
            theme=theme,
            expression=shrunk(group, part, whole, towards),
            says=(fact(text),),
            sources=tuple(tables),
            unit="share",
            missing=missing,
            **(declared or CONTEXT),
        )
        for name, (part, whole, text, tables) in counted.items()
    ]
