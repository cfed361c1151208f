"""Rows of the table of scores, computed before the database is locked."""

from __future__ import annotations

import json
import secrets
from base64 import b32encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from serving.store.packed import pack
from serving.store.scores.kept_numbers import DIGESTS, Recipe, bodies_of

if TYPE_CHECKING:
    from training.explanation.score import Score
    from training.explanation.score_columns import ScoreColumns

REASONS = 3  # of a child, that a list shows
COPIED = (
    "pupil_id",
    "model",
    "model_version",
    "definition",
    "horizon_days",
    "authority",
    "urn",
    "nc_year",
    "band",
    "rank",
    "risk",
)


@dataclass(frozen=True, kw_only=True)
class ScoreRows:
    """The rows of scores, each part made when it is asked for: those of a county take half a gigabyte.

    Attributes
    ----------
    count : int
    lists : list of tuple
        ``authority, as_of, model_version`` of each list, once.
    recipe : Recipe or None
        Of the scores that are kept as numbers.
    parts : iterator of list of dict
    """

    count: int
    lists: list[tuple[str, date, str]]
    recipe: Recipe | None
    parts: Iterator[list[dict[str, Any]]]

    @classmethod
    def of(cls, scores: Iterable[dict[str, Any] | Score], most: int) -> ScoreRows:
        """Return the rows of scores in parts of so many."""
        from training.explanation.score_columns import ScoreColumns  # slow to import

        if isinstance(scores, ScoreColumns):
            return _of_columns(scores, most)
        rows = [_as_shown(s if isinstance(s, dict) else s.to_dict()) for s in scores]
        lists = list(dict.fromkeys((r["authority"], r["as_of"], r["model_version"]) for r in rows))
        parts = (rows[at : at + most] for at in range(0, len(rows), most))
        return cls(count=len(rows), lists=lists, recipe=None, parts=parts)


def rows_of(scores: Iterable[dict[str, Any] | Score]) -> tuple[list[dict[str, Any]], Recipe | None]:
    """Return all rows of scores, and the recipe of those that are kept as numbers."""
    made = ScoreRows.of(scores, 10_000)
    return [row for part in made.parts for row in part], made.recipe


def _as_shown(score: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of a score that is kept as its text."""
    return {
        **{k: score[k] for k in COPIED},
        **{k: score.get(k, "") for k in DIGESTS},
        **_of_row(
            date.fromisoformat(score["as_of"]), score.get("list"), [r["theme"] for r in score["reasons"][:REASONS]]
        ),
        "body": pack(json.dumps(score, ensure_ascii=False, allow_nan=False)),
    }


def _of_row(as_of: date, list_name: str | None, themes: Iterable[str]) -> dict[str, Any]:
    return {
        "as_of": as_of,
        "score_id": b32encode(secrets.token_bytes(10)).decode().lower(),
        "replaced_at": None,
        "list_name": list_name,
        "themes": f"|{'|'.join(themes)}|"[:300],
    }


def _of_columns(scores: ScoreColumns, most: int) -> ScoreRows:
    from training.explanation.score_columns import fields
    from training.risk_model import EVIDENCE_RANKS

    as_numbers = [rank > EVIDENCE_RANKS for rank in scores.column("rank")]
    recipe = Recipe.of(scores.made_from, scores.same["missing_tables"]) if any(as_numbers) else None
    themes = scores.leading_themes(REASONS)

    def rows(part: range) -> list[dict[str, Any]]:
        which = [k for k in part if as_numbers[k]]
        bodies = bodies_of(scores, which, recipe) if recipe else {}
        # The digests of scores that are kept as numbers come out when they are made again.
        return [
            {**_columns_of_row(scores, k, of_row), "body": bodies[k]} if k in bodies else _as_shown(scores[k].to_dict())
            for k, of_row in zip(part, themes, strict=False)
        ]

    return ScoreRows(
        count=len(scores),
        lists=list(dict.fromkeys(fields(scores, "authority", "as_of", "model_version"))),
        recipe=recipe,
        parts=(rows(range(at, min(at + most, len(scores)))) for at in range(0, len(scores), most)),
    )


def _columns_of_row(scores: ScoreColumns, k: int, themes: list[str]) -> dict[str, Any]:
    of_score = {name: scores.own[name][k] if name in scores.own else scores.same[name] for name in COPIED}
    list_name = scores.own["list"][k]
    return {**of_score, **dict.fromkeys(DIGESTS, ""), **_of_row(scores.same["as_of"], list_name, themes)}
