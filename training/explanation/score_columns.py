"""Many explained scores as columns; each is made into a ``Score`` when somebody asks for it.

A list of 95,000 children has twelve million numbers and texts, and nobody reads most of them: objects for all of them cost minutes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple, overload

import numpy as np

from features.evidence import Evidence
from training.bundle import Manifest
from training.explanation.reason_columns import CONTEXT, RAISING, ReasonColumns, reason_columns
from training.explanation.score import Score
from training.explanation.true_sentences import TrueSentences

ROWS = 8192  # children whose reasons are made together


class Place(NamedTuple):
    """A reason that raised or lowered a score: its pupil, its features and its sentence, and the list that its records belong in."""

    pupil: str
    features: list[str]
    sentence: str
    records: list[Evidence]


@dataclass(frozen=True, kw_only=True)
class Ingredients:
    """What scores can be made from again, to the byte, without histories.

    Attributes
    ----------
    booster, manifest, sentences
        The model's, with its sentences.
    numbers : dict
        The features and tallies that the model and its sentences look at, by name, a number a score; NaN is missing.
    checks : list of bytes
        Of each score; see ``training.risk_model.checks``.
    """

    booster: str
    manifest: Manifest
    sentences: TrueSentences
    numbers: dict[str, np.ndarray]
    checks: list[bytes]


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoreColumns(Sequence[Score]):
    """Explained scores in order.

    Attributes
    ----------
    same : dict
        The fields of ``Score`` that all of them share.
    own : dict
        Every other field but the reasons, a list of values each.
    reasons : list of ReasonColumns
        Of ``ROWS`` children each.
    made_from : Ingredients
    """

    same: dict[str, Any]
    own: dict[str, list[Any]]
    reasons: list[ReasonColumns]
    made_from: Ingredients

    def __len__(self) -> int:
        return sum(part.rows for part in self.reasons)

    @overload
    def __getitem__(self, at: int) -> Score: ...
    @overload
    def __getitem__(self, at: slice) -> list[Score]: ...
    def __getitem__(self, at: int | slice) -> Score | list[Score]:
        if isinstance(at, slice):
            return [self[k] for k in range(*at.indices(len(self)))]
        row = range(len(self))[at]
        own = {name: values[row] for name, values in self.own.items()}
        of_kinds: dict[str, Any] = self.reasons[row // ROWS].of(row % ROWS)  # mypy: values of other fields too
        return Score(**self.same, **own, **of_kinds)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    def column(self, name: str) -> list[Any]:
        """Return a field of all scores, except reasons."""
        return self.own[name] if name in self.own else [self.same[name]] * len(self)

    def leading_themes(self, most: int) -> Iterator[list[str]]:
        """Yield the themes of each score's first reasons."""
        for part in self.reasons:
            themes: list[list[str]] = [[] for _ in range(part.rows)]
            raising = np.flatnonzero(part.kind == RAISING)
            for at, row in zip(raising.tolist(), part.row[raising].tolist(), strict=True):
                if len(themes[row]) < most:
                    themes[row].append(part.theme[at])
            yield from themes


def in_columns(
    same: dict[str, Any],
    own: dict[str, list[Any]],
    made_from: Ingredients,
    contributions: np.ndarray,
) -> ScoreColumns:
    """Return scores with their reasons.

    Parameters
    ----------
    contributions : float array, shape (scores, features)
    """
    manifest, reasons = made_from.manifest, []
    for at in range(0, len(contributions), ROWS):
        part = {name: column[at : at + ROWS] for name, column in made_from.numbers.items()}
        of_part = contributions[at : at + ROWS]
        reasons.append(reason_columns(part, of_part, manifest.catalogue, manifest.themes, made_from.sentences))
    return ScoreColumns(same=same, own=own, reasons=reasons, made_from=made_from)


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Who is on the lists of a day, and at which rank: what casework needs of scores, which take a gigabyte for a county.

    Attributes
    ----------
    ranked : list of tuple
        ``pupil_id, rank, authority``.
    """

    as_of: date
    model_version: str
    ranked: list[tuple[str, int, str]]

    @classmethod
    def of(cls, scores: Sequence[Score]) -> Ranking:
        """Return the ranking of scores, at least one."""
        ranked = list(fields(scores, "pupil_id", "rank", "authority"))
        return cls(as_of=scores[0].as_of, model_version=scores[0].model_version, ranked=ranked)


def fields(scores: Iterable[Score], *names: str) -> Iterator[tuple[Any, ...]]:
    """Yield some fields of each score, no reasons, without making whole scores of columns."""
    if isinstance(scores, ScoreColumns):
        return zip(*(scores.column(name) for name in names), strict=True)
    return (tuple(getattr(score, name) for name in names) for score in scores)


def places_of_evidence(scores: Sequence[Score], which: Iterable[int]) -> Iterator[Place]:
    """Yield the reasons that raised or lowered some scores."""
    for k in which:
        if not isinstance(scores, ScoreColumns):
            of_score = scores[k]
            for reason in of_score.reasons + of_score.protective:
                names = [f["name"] for f in reason.features]
                yield Place(of_score.pupil_id, names, reason.sentence, reason.evidence)
            continue
        part, row = scores.reasons[k // ROWS], k % ROWS
        for at in part.at(row):
            if part.kind[at] != CONTEXT:
                pupil, records = scores.own["pupil_id"][k], part.evidence.setdefault(at, [])
                yield Place(pupil, part.names_of(at), part.sentence[at], records)
