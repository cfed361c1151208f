"""What goes in and out over HTTP, typed and bounded; rows of histories are declared in ``histories.tables`` only."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from training.explanation.score import Score

MOST_PUPILS = 1000
MOST_ROWS = 200_000
Identifier = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]+$")]


class Strict(BaseModel):
    """Refuses unknown keys and never repeats what was sent."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)


class ScoreRequest(Strict):
    """Histories to build features from, score and explain."""

    as_of: date
    histories: dict[str, list[dict[str, Any]]]


class ScoresRequest(Strict):
    """Pupils whose stored scores are asked for."""

    pupil_ids: list[Identifier] = Field(min_length=1, max_length=MOST_PUPILS)
    as_of: date | None = None


class WorklistRequest(Strict):
    """How much of the ranked list is asked for."""

    as_of: date | None = None
    limit: int = Field(default=50, ge=1, le=1000)
    urn: Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{1,20}$")] | None = None
    year_group: int | None = Field(default=None, ge=0, le=11)
    band: Annotated[str, Field(pattern=r"^[a-z ]{1,20}$")] | None = None


class ModelName(BaseModel):
    """Which model answered."""

    name: str
    version: str
    definition: str
    horizon_days: int


class ScoresAnswer(BaseModel):
    """Scores with the model that made them."""

    model: ModelName | None
    scores: list[Score]


class InvalidPart(BaseModel):
    """What is wrong with a part of what was sent; never with its value."""

    loc: list[str]
    msg: str
    type: str


class ProblemAnswer(BaseModel):
    """An error, as in RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str | None = None
    errors: list[InvalidPart] | None = None
