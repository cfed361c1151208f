"""Scores of which numbers are kept and no sentences: these are made again, to the byte, when somebody reads them.

Of a list, only the top ranks are looked at by most people; they are kept as they were shown, with their evidence. Of every other child the features
are kept, in a few hundred bytes, and a recipe that all of them share: the model, its sentences and the tables that were missing.
A score is made from nothing else, so it stays what it was when the model's folder is gone or a later onroll has other words.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
import sqlalchemy as sa

from histories.errors import Fault, Faults
from serving.store.packed import Kept, unpack
from serving.store.packed_numbers import matrix_of, pack_rows
from serving.store.tables import ScoreRecipe, StoredScore

if TYPE_CHECKING:
    from training.explanation.score_columns import Ingredients, ScoreColumns

KEY = 8  # bytes of a recipe's key
BATCH = 500
TYPICAL = (
    Path(__file__).parents[1] / "typical_numbers.json"
)  # of simulated children; a recipe keeps what it was packed with
MOST_RECIPES = 4  # in memory
DIGESTS = ("catalogue_digest", "features_digest")
FROM_COLUMNS = ("pupil_id", "authority", "urn", "nc_year", "rank")
_recipes: dict[bytes, dict[str, Any]] = {}
_reading = Lock()


class Recipe(NamedTuple):
    """What all scores of a list are made from.

    Attributes
    ----------
    key : bytes
        Of its content.
    content : bytes
        JSON, deflated: ``booster``, ``manifest``, ``wording``, ``numbers`` (their names in order), ``typical`` (a byte of each; see
        ``packed_numbers``) and ``missing_tables``.
    typical : bytes
    """

    key: bytes
    content: bytes
    typical: bytes

    @classmethod
    def of(cls, made_from: Ingredients, missing_tables: list[str]) -> Recipe:
        """Return the recipe of some scores."""
        usual, wording = json.loads(TYPICAL.read_text("utf-8")), made_from.sentences.wording
        typical = bytes(usual.get(name, 0) for name in made_from.numbers)
        recipe = {
            "booster": made_from.booster,
            "manifest": asdict(made_from.manifest),
            "wording": {name: [asdict(s) for s in sentences] for name, sentences in wording.items()},
            "numbers": list(made_from.numbers),
            "typical": typical.hex(),
            "missing_tables": missing_tables,
        }
        content = json.dumps(recipe, ensure_ascii=False, allow_nan=False).encode()
        return cls(hashlib.sha256(content).digest()[:KEY], zlib.compress(content), typical)


def bodies_of(scores: ScoreColumns, which: Sequence[int], recipe: Recipe) -> dict[int, bytes]:
    """Return what is kept of some scores, by index, given the recipe that makes them."""
    made_from = scores.made_from
    bodies: dict[int, bytes] = {}
    for at in range(0, len(which), BATCH):
        part = list(which[at : at + BATCH])
        numbers = np.column_stack([column[part] for column in made_from.numbers.values()])
        packed = pack_rows(numbers, recipe.typical)
        bodies |= {
            k: Kept(Kept.MARK + recipe.key + made_from.checks[k] + row) for k, row in zip(part, packed, strict=True)
        }
    return bodies


def texts(connection: sa.Connection, rows: Iterable[Any]) -> list[str]:
    """Return the text of stored scores, rows with ``score_id`` and ``body``, as it was when they were stored.

    Raises
    ------
    Faults
        If this machine computes other numbers from what was kept.
    """
    rows, made = list(rows), dict[str, str]()
    kept = [r.score_id for r in rows if isinstance(r.body, Kept)]
    for at in range(0, len(kept), BATCH):
        query = sa.select(StoredScore.__table__).where(StoredScore.score_id.in_(kept[at : at + BATCH]))
        made |= made_again(connection, connection.execute(query).mappings().all())
    return [made.get(r.score_id, r.body) for r in rows]


def texts_of_rows(connection: sa.Connection, rows: Sequence[Mapping[Any, Any]]) -> list[str]:
    """Return the text of scores, stored or about to be, given all columns of their rows."""
    made = made_again(connection, [row for row in rows if isinstance(row["body"], Kept)])
    unpacked = (unpack(row["body"]) if type(row["body"]) is bytes else row["body"] for row in rows)
    return [made.get(row["score_id"], body) for row, body in zip(rows, unpacked, strict=True)]


def with_score(row: Mapping[Any, Any], text: str) -> dict[str, Any]:
    """Return a row with its ``score``, and with the digests that the score holds: the columns of scores that are made again are empty."""
    score = json.loads(text)
    return {**row, "score": score, **{name: score[name] for name in DIGESTS if name in score}}


def missing_tables(connection: sa.Connection, body: str | Kept) -> list[str]:
    """Return the tables that a stored score was made without."""
    return list(
        _read(connection, body)["missing_tables"]
        if isinstance(body, Kept)
        else json.loads(body).get("missing_tables", ())
    )


def made_again(connection: sa.Connection, rows: Sequence[Mapping[Any, Any]]) -> dict[str, str]:
    """Return the texts by score of rows of which numbers were kept, given all their columns."""
    together: dict[tuple[bytes, Any], list[Mapping[Any, Any]]] = {}
    for row in rows:
        together.setdefault((row["body"].recipe, row["as_of"]), []).append(row)
    made = {}
    for (_, as_of), of_day in together.items():
        recipe = _read(connection, of_day[0]["body"])
        numbers = matrix_of([row["body"].numbers for row in of_day], bytes.fromhex(recipe["typical"]))
        columns = dict(zip(recipe["numbers"], numbers.T, strict=True))
        columns |= {name: [row[name] for row in of_day] for name in FROM_COLUMNS}
        columns |= {"list": pl.Series([row["list_name"] for row in of_day], dtype=pl.String)}
        scores, checks = recipe["model"].again(pl.DataFrame(columns), as_of, recipe["missing_tables"])
        for row, score, check in zip(of_day, scores, checks, strict=True):
            if check != row["body"].check or score.risk != row["risk"]:
                do = "Read it on a machine like the one that stored it, and report this."
                raise Faults(Fault("a stored score comes out differently here", f"score {row['score_id']}", do))
            made[row["score_id"]] = json.dumps(score.to_dict(), ensure_ascii=False, allow_nan=False)
    return made


def add(connection: sa.Connection, recipe: Recipe) -> None:
    """Store a recipe, if it is not there yet."""
    there = sa.select(ScoreRecipe.recipe).where(ScoreRecipe.recipe == recipe.key.hex())
    if connection.scalar(there) is None:
        connection.execute(sa.insert(ScoreRecipe), {"recipe": recipe.key.hex(), "content": recipe.content})


def _read(connection: sa.Connection, body: Kept) -> dict[str, Any]:
    """Return a recipe with its ``model``; the newest stay in memory, and a key says all about a content."""
    with _reading:
        if body.recipe not in _recipes:
            while len(_recipes) >= MOST_RECIPES:
                del _recipes[next(iter(_recipes))]
            _recipes[body.recipe] = _made(connection, body.recipe)
        return _recipes[body.recipe]


def _made(connection: sa.Connection, key: bytes) -> dict[str, Any]:
    from features.sentences import Sentence  # slow to import, and most requests read scores as they were shown
    from training.bundle import Manifest
    from training.risk_model import RiskModel

    content = connection.scalar(sa.select(ScoreRecipe.content).where(ScoreRecipe.recipe == key.hex()))
    if content is None:
        do = "Restore the table score_recipes from the backup that the scores are from."
        raise Faults(Fault("what scores are made from again is not in the database", f"recipe {key.hex()}", do))
    recipe = json.loads(zlib.decompress(content))
    wording = {
        name: tuple(Sentence(**{**s, "when": tuple(map(tuple, s["when"]))}) for s in sentences)
        for name, sentences in recipe["wording"].items()
    }
    return {**recipe, "model": RiskModel(recipe["booster"], Manifest(**recipe["manifest"]), wording)}
