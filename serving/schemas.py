"""What goes in and out over HTTP, typed and bounded; rows of histories are declared in ``histories.tables`` only."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

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


class Feature(BaseModel):
    """A feature's value and what it contributed, in log-odds."""

    name: str
    value: float | None
    contribution: float


class Evidence(BaseModel):
    """A dated record behind a reason."""

    table: str
    date: str
    text: str


class Reason(BaseModel):
    """A theme that moved the score."""

    theme: str
    sentence: str
    direction: Literal["raises", "lowers"]
    contribution: float
    features: list[Feature]
    evidence: list[Evidence]


class ScoreAnswer(BaseModel):
    """One explained score; base and contributions sum to the margin."""

    pupil_id: str
    as_of: date
    risk: float
    risk_low: float
    risk_high: float
    rank: int | None
    band: str
    one_in: int
    reasons: list[Reason]
    protective: list[Reason]
    context: list[Reason]
    missing_tables: list[str]
    unseen: list[str]
    model: str
    model_version: str
    definition: str
    horizon_days: int
    margin: float
    base: float
    authority: str
    urn: str
    nc_year: int


class ScoresAnswer(BaseModel):
    """Scores with the model that made them."""

    model: ModelName | None
    scores: list[ScoreAnswer]


class ProblemAnswer(BaseModel):
    """An error, as in RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[dict[str, Any]] | None = None
