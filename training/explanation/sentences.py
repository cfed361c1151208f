"""Sentences over feature values: ``str.format`` templates that never say a value that is not there.

A clause in square brackets is left out when one of its values is missing:
``"Missed {absent_28d:.0f} sessions[, after {absent_prev_28d:.0f} in the weeks before]"``.
A sentence says what is recorded and linked with the risk; it never says that one thing led to another.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from string import Formatter

from histories.faults import Fault, Faults
from training.bundle import Declaration

CLAUSE = re.compile(r"\[([^\[\]]*)\]")
CAUSAL = re.compile(r"\b(because|caused?|causes|due to|leads? to|led to)\b", re.IGNORECASE)
DO = "mend the feature's sentences in the catalogue and train anew"


class Value(float):
    """A number in a sentence: whole without a point, never a minus before zero, never NaN."""

    def __format__(self, spec: str) -> str:
        if math.isnan(self):
            return "(not known)"
        text = format(float(self), spec or ".10g")
        return text[1:] if text.startswith("-") and not re.search(r"[1-9]", text) else text


def sentence(declaration: Declaration, raises: bool, values: Mapping[str, float]) -> str:
    """Say what is recorded about one feature.

    Examples
    --------
    >>> moves = Declaration("moves", "moves", "Moved {moves:.0f} times[ in {years} years]", "Never moved")
    >>> sentence(moves, True, {"moves": 3.0, "years": float("nan")})
    'Moved 3 times.'
    >>> sentence(moves, True, {"moves": float("nan"), "years": 2.0})
    'No record to tell moves.'
    """
    if math.isnan(values[declaration.name]):
        text = declaration.missing or f"no record to tell {declaration.name.replace('_', ' ')}"
        return _finished(text)
    template = declaration.raises if raises else declaration.lowers

    def clause(found: re.Match[str]) -> str:
        names = _names(found[1])
        return "" if any(math.isnan(values[n]) for n in names) else found[1]

    template = CLAUSE.sub(clause, template)
    return _finished(template.format_map({n: Value(values[n]) for n in _names(template)}))


def check_sentences(declarations: Iterable[Declaration], features: Iterable[str], where: str) -> None:
    """Raise :class:`Faults` for every template that cannot be filled or claims a cause."""
    known = set(features)
    faults = []
    for d in declarations:
        for side, template in (("raises", d.raises), ("lowers", d.lowers)):
            place = f"{where}, catalogue, {d.name}, {side}"
            if CAUSAL.search(template):
                faults.append(Fault("claims a cause; the model only knows what is linked", place, DO))
            try:
                foreign = [n for n in _names(template) if n not in known]
                if foreign:
                    what = f"uses {', '.join(sorted(foreign))}, which the model does not have"
                    faults.append(Fault(what, place, DO))
                else:
                    template.format_map(dict.fromkeys(_names(template), Value(1.0)))
            except (ValueError, KeyError, IndexError):
                faults.append(Fault("is not a template that can be filled", place, DO))
    if faults:
        raise Faults(faults)


def _names(template: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(template) if name is not None]


def _finished(text: str) -> str:
    text = text.strip()
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) or not text else f"{text}."
