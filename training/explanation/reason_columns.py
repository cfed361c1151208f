"""The reasons of many children as columns: the same as ``reasons`` makes for one child, without an object for each part of each reason."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from features.evidence import Evidence
from training.explanation.reasons import MIN_CONTRIBUTION, SHOWN_FEATURES
from training.explanation.score import FeaturePart, Reason
from training.explanation.true_sentences import NONE, TrueSentences, Values

KINDS = ("reasons", "protective", "context")  # of a score, in this order
RAISING, PROTECTIVE, CONTEXT = range(3)
OTHERS = -1  # in place of a feature: the rest of the theme


@dataclass(frozen=True, kw_only=True)
class ReasonColumns:
    """Reasons by child, kind and strength.

    Attributes
    ----------
    rows : int
        The number of children.
    row, kind : int array, shape (reasons,)
        The child, and the index of ``KINDS``.
    theme : list of str
    sentence : list of str
    total : float array, shape (reasons,)
        The contributions.
    starts : int array, shape (reasons + 1,)
        Index of each reason's first feature.
    feature : int array, shape (parts,)
        Index of the model's features, or ``OTHERS``.
    value, contribution : float array, shape (parts,)
        NaN is missing.
    names : sequence of str
        The model's features.
    evidence : dict
        The records behind reasons that have some, by index.
    """

    rows: int
    row: np.ndarray
    kind: np.ndarray
    theme: list[str]
    sentence: list[str]
    total: np.ndarray
    starts: np.ndarray
    feature: np.ndarray
    value: np.ndarray
    contribution: np.ndarray
    names: Sequence[str]
    evidence: dict[int, list[Evidence]] = field(default_factory=dict)

    def of(self, row: int) -> dict[str, list[Reason]]:
        """Return a child's reasons by kind."""
        reasons: dict[str, list[Reason]] = {kind: [] for kind in KINDS}
        which = self.at(row)
        of_child = slice(which.start, which.stop)
        columns = (self.kind[of_child].tolist(), self.total[of_child].tolist(), self._parts(which))
        for at, kind, total, parts in zip(which, *columns, strict=True):
            reasons[KINDS[kind]].append(
                Reason(
                    theme=self.theme[at],
                    sentence=self.sentence[at],
                    direction="raises" if total > 0 else "lowers",
                    contribution=total,
                    features=parts,
                    evidence=self.evidence.get(at, []),
                )
            )
        return reasons

    def at(self, row: int) -> range:
        """Return the indices of a child's reasons."""
        return range(self._first[row], self._first[row + 1])

    @cached_property
    def _first(self) -> list[int]:
        return np.searchsorted(self.row, np.arange(self.rows + 1)).tolist()

    def names_of(self, at: int) -> list[str]:
        """Return the names of the features of a reason."""
        return [self._name(k) for k in self.feature[self.starts[at] : self.starts[at + 1]].tolist()]

    def _name(self, feature: int) -> str:
        return "others" if feature == OTHERS else self.names[feature]

    def _parts(self, which: range) -> Iterator[list[FeaturePart]]:
        """Yield the features of each of some reasons that follow each other."""
        edges = self.starts[which.start : which.stop + 1].tolist()
        feature, value, contribution = (
            c[edges[0] : edges[-1]].tolist() for c in (self.feature, self.value, self.contribution)
        )
        parts: list[FeaturePart] = [
            {"name": self._name(k), "value": None if math.isnan(v) else v, "contribution": c}
            for k, v, c in zip(feature, value, contribution, strict=True)
        ]
        yield from (parts[begin - edges[0] : end - edges[0]] for begin, end in pairwise(edges))


def reason_columns(
    values: Values,
    contributions: np.ndarray,
    catalogue: list[dict[str, Any]],
    themes: dict[str, str],
    sentences: TrueSentences,
) -> ReasonColumns:
    """Turn contributions into reasons.

    Parameters
    ----------
    values : mapping
        Features and tallies by name, a number a child; NaN is missing.
    contributions : float array, shape (children, features)
    catalogue, themes
        As in ``reasons``.
    sentences : TrueSentences
        Of the same features.
    """
    names = [f["name"] for f in catalogue]
    shown = np.array([f["role"] != "never_shown" for f in catalogue], dtype=bool)
    members: dict[tuple[str, bool], list[int]] = {}
    for i, f in enumerate(catalogue):
        members.setdefault((f["theme"], f["role"] == "reason"), []).append(i)
    groups = [
        _Group.of(contributions, features, shown, title=themes.get(theme, theme), is_reason=is_reason)
        for (theme, is_reason), features in members.items()
    ]
    return _together([_opened(group, sentences, values) for group in groups], len(contributions), names)


@dataclass(frozen=True, kw_only=True)
class _Group:
    """The features of a theme that moved some children's scores, the strongest of each child first.

    Attributes
    ----------
    rows : int array
        The children.
    members : list of int
        The features of the theme.
    order : int array, shape (rows, members)
        Index of ``members``.
    parts : float array, shape (rows, members)
        The contributions in this order; those that moved nothing come last.
    may_show : bool array, shape (rows, members)
        Whether they moved the score and may be shown.
    total : float array, shape (rows,)
    """

    title: str
    is_reason: bool
    rows: np.ndarray
    members: list[int]
    order: np.ndarray
    parts: np.ndarray
    may_show: np.ndarray
    total: np.ndarray

    @classmethod
    def of(cls, contributions: np.ndarray, members: list[int], shown: np.ndarray, **what: Any) -> _Group:
        of_members = contributions[:, members]
        rows = np.flatnonzero((of_members != 0.0).any(axis=1))
        of_members = of_members[rows]
        order = np.argsort(-np.abs(of_members), axis=1, kind="stable")
        parts = np.take_along_axis(of_members, order, axis=1)
        may_show = (parts != 0.0) & shown[np.array(members)][order]
        return cls(rows=rows, members=members, order=order, parts=parts, may_show=may_show, total=_sums(parts), **what)


def _opened(group: _Group, sentences: TrueSentences, values: Values) -> dict[str, Any]:
    """Return a group's reasons with their sentences, not in order yet: one of each child."""
    of_rows = {n: values[n][group.rows] for n in sentences.named_by(group.members) if n in values}
    raises = group.total > 0
    same_way = group.may_show & ((group.parts > 0) == raises[:, None])
    by_member = [sentences.first(k, of_rows, raises) for k in group.members]
    leading, following = (
        _first(np.take_along_axis(np.column_stack(of), group.order, axis=1), same_way)
        for of in zip(*by_member, strict=True)
    )
    texts = sentences.written(np.where(leading != NONE, leading, following), of_rows)
    told = np.array([text is not None for text in texts], dtype=bool)
    counts = told & (np.abs(group.total) >= MIN_CONTRIBUTION) & group.is_reason
    nothing = f"{group.title}: nothing stands out"
    return {
        "row": group.rows,
        "kind": np.where(counts, np.where(raises, RAISING, PROTECTIVE), CONTEXT).astype(np.int8),
        "total": group.total,
        "strongest": np.abs(group.parts[:, 0]),
        "declared": np.array(group.members)[group.order[:, 0]],
        "theme": [group.title] * len(texts),
        "sentence": [text or nothing for text in texts],
        **_parts(group, of_rows, sentences.names),
    }


def _first(of_features: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Return each row's first number that is not ``NONE``, where allowed."""
    there = allowed & (of_features != NONE)
    first = np.take_along_axis(of_features, there.argmax(axis=1)[:, None], axis=1)[:, 0]
    return np.where(there.any(axis=1), first, NONE)


def _parts(group: _Group, values: Values, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the strongest features of each reason, and the sum of the others; ``there`` says which there are."""
    rows, most = len(group.rows), min(SHOWN_FEATURES, len(group.members))
    missing = np.full(rows, np.nan)
    of_members = np.column_stack([values.get(names[k], missing) for k in group.members])
    first = group.order[:, :most]
    there = np.zeros((rows, SHOWN_FEATURES + 1), dtype=bool)
    feature = np.full(there.shape, OTHERS, dtype=np.int16)
    value, contribution = np.full(there.shape, np.nan), np.zeros(there.shape)
    there[:, :most] = group.may_show[:, :most]
    feature[:, :most] = np.array(group.members)[first]
    value[:, :most] = np.take_along_axis(of_members, first, axis=1)
    contribution[:, :most] = np.where(there[:, :most], group.parts[:, :most], 0.0)
    there[:, -1] = there.sum(axis=1) < (group.parts != 0.0).sum(axis=1)
    contribution[:, -1] = group.total - _sums(contribution[:, :most])
    return {"there": there, "feature": feature, "value": value, "contribution": contribution}


def _sums(parts: np.ndarray) -> np.ndarray:
    """Return the correctly rounded sum of each row."""
    return np.array([math.fsum(of_row) for of_row in parts.tolist()], dtype=np.float64)


def _together(of_groups: list[dict[str, Any]], rows: int, names: Sequence[str]) -> ReasonColumns:
    """Put the reasons of all themes in order: by child and kind, the strongest first, ties as in ``reasons``."""
    arrays = ("row", "kind", "total", "strongest", "declared", "there", "feature", "value", "contribution")
    whole = {name: np.concatenate([of[name] for of in of_groups]) for name in arrays}
    theme, sentence = ([text for of in of_groups for text in of[name]] for name in ("theme", "sentence"))
    place = {title: k for k, title in enumerate(sorted(set(theme)))}
    by_title = np.array([place[title] for title in theme], dtype=np.int32)
    of_tie = (whole["declared"], -whole["strongest"], by_title)
    order = np.lexsort((*of_tie, -np.abs(whole["total"]), whole["kind"], whole["row"]))
    there = whole["there"][order]
    return ReasonColumns(
        rows=rows,
        row=whole["row"][order],
        kind=whole["kind"][order],
        theme=[theme[k] for k in order.tolist()],
        sentence=[sentence[k] for k in order.tolist()],
        total=whole["total"][order],
        starts=np.r_[0, np.cumsum(there.sum(axis=1))],
        feature=whole["feature"][order][there],
        value=whole["value"][order][there],
        contribution=whole["contribution"][order][there],
        names=names,
    )
