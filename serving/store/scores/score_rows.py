"""Rows of the table of scores, computed before the database is locked."""

from __future__ import annotations

import json
import secrets
from base64 import b32encode
from collections.abc import Iterable, Mapping
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


def rows_of(scores: Iterable[dict[str, Any] | Score]) -> tuple[list[dict[str, Any]], Recipe | None]:
    """Return the rows of scores, and the recipe of those that are kept as numbers."""
    from training.explanation.score_columns import ScoreColumns  # slow to import

    if isinstance(scores, ScoreColumns):
        return _of_columns(scores)
    return [_as_shown(s if isinstance(s, dict) else s.to_dict()) for s in scores], None


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


def _of_columns(scores: ScoreColumns) -> tuple[list[dict[str, Any]], Recipe | None]:
    from training.risk_model import EVIDENCE_RANKS

    ranks = scores.column("rank")
    recipe, bodies = bodies_of(scores, [k for k, rank in enumerate(ranks) if rank > EVIDENCE_RANKS])
    columns = {name: scores.column(name) for name in COPIED}
    as_of, lists, rows = scores.same["as_of"], scores.column("list"), []
    for k, themes in enumerate(scores.leading_themes(REASONS)):
        if k in bodies:
            of_score = {name: column[k] for name, column in columns.items()}
            # The digests come out when the score is made again.
            rows.append(
                {**of_score, **dict.fromkeys(DIGESTS, ""), **_of_row(as_of, lists[k], themes), "body": bodies[k]}
            )
        else:
            rows.append(_as_shown(scores[k].to_dict()))
    return rows, recipe if bodies else None
