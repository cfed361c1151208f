"""Which sentences are true of many children at once: what ``features.sentences`` says of one child, by columns.

Words are written last and only for the sentences that were chosen; what sentences of many children have in common is written once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import Formatter

import numpy as np

from features.sentences import COMPARE, Condition, Sentence, filled

Values = Mapping[str, np.ndarray]  # features and tallies by name, one number a child; NaN is missing
NONE = -1
MOST_KEPT = 50_000  # written sentences of one template that are kept


class TrueSentences:
    """The sentences of a model's features, numbered.

    Parameters
    ----------
    names : sequence of str
        The features in the model's order.
    wording : mapping
        The sentences of each feature.
    """

    def __init__(self, names: Sequence[str], wording: Mapping[str, Sequence[Sentence]]) -> None:
        self.names, self.wording = names, wording
        self.sentences: list[Sentence] = []
        self.of_feature: list[range] = []
        for name in names:
            first = len(self.sentences)
            self.sentences += wording.get(name, ())
            self.of_feature.append(range(first, len(self.sentences)))
        self.fields = [_fields(s.text) for s in self.sentences]
        # A template that asks for what cannot be written of a number is never shown.
        self.can_be_written = [
            filled(s.text, dict.fromkeys(fields, 1.0)) is not None
            for s, fields in zip(self.sentences, self.fields, strict=True)
        ]
        self._written: dict[int, dict[tuple[float, ...], str | None]] = {}

    def named_by(self, features: Sequence[int]) -> list[str]:
        """Return the features and tallies that the sentences of some features look at."""
        named = {self.names[k]: None for k in features}
        for number in (n for k in features for n in self.of_feature[k]):
            named |= dict.fromkeys(self.fields[number])
            for left, _, right in self.sentences[number].when:
                named |= dict.fromkeys([left, right] if isinstance(right, str) else [left])
        return list(named)

    def first(self, feature: int, values: Values, raises: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the number of each child's first true sentence about a feature that may open a reason, and of the first that may only follow.

        Parameters
        ----------
        raises : bool array
            The side on which each child's sentence is to appear.
        """
        leading, following = (np.full(len(raises), NONE, dtype=np.int32) for _ in range(2))
        for number in self.of_feature[feature]:
            sentence = self.sentences[number]
            chosen = leading if sentence.leads else following
            free = (chosen == NONE) & np.where(raises, sentence.may_appear(True), sentence.may_appear(False))
            if free.any():
                chosen[free & self._is_true(number, self.names[feature], values, len(raises))] = number
        return leading, following

    def written(self, chosen: np.ndarray, values: Values) -> list[str | None]:
        """Return the text of each child's sentence; None where none was chosen."""
        texts: list[str | None] = [None] * len(chosen)
        for number in np.unique(chosen[chosen != NONE]).tolist():
            rows = np.flatnonzero(chosen == number)
            written = self._written.setdefault(number, {})
            if len(written) > MOST_KEPT:
                written.clear()
            columns = [values[name][rows].tolist() for name in self.fields[number]]
            keys = list(zip(*columns, strict=True)) if columns else [()] * len(rows)
            for row, key in zip(rows.tolist(), keys, strict=True):
                if key not in written:
                    named = dict(zip(self.fields[number], key, strict=True))
                    written[key] = filled(self.sentences[number].text, named)
                texts[row] = written[key]
        return texts

    def _is_true(self, number: int, feature: str, values: Values, rows: int) -> np.ndarray:
        sentence = self.sentences[number]
        needed = (feature, *self.fields[number])
        if not self.can_be_written[number] or any(name not in values for name in needed):
            return np.zeros(rows, dtype=bool)
        true = np.ones(rows, dtype=bool)
        for name in needed:
            true &= ~np.isnan(values[name])
        if sentence.at_least is not None:
            true &= values[feature] >= sentence.at_least
        if sentence.below is not None:
            true &= values[feature] < sentence.below
        for condition in sentence.when:
            true &= _holds(condition, values)
        return true


def _fields(template: str) -> tuple[str, ...]:
    """Return the values that a template names, each once."""
    return tuple(dict.fromkeys(name for _, name, _, _ in Formatter().parse(template) if name is not None))


def _holds(condition: Condition, values: Values) -> np.ndarray | bool:
    name, sign, other = condition
    left, right = values.get(name), values.get(other) if isinstance(other, str) else np.float64(other)
    if left is None or right is None:
        return False
    return COMPARE[sign](left, right) & ~np.isnan(left) & ~np.isnan(right)
