"""Requests and answers, typed and bounded; the rows of histories are declared in ``histories.tables``."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SkipValidation, WithJsonSchema
from pydantic_core import PydanticCustomError

from features.outcome.stopping import ListName
from histories.reading.values import text_of
from training.explanation.score import Score

ARROW = "application/vnd.apache.arrow.stream"  # content type of rows as columns; see ``serving.http.arrow_stream``
MAX_PUPILS = 1000
MAX_ROWS = 200_000
Identifier = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]+$")]
BLANK = r"\x00\x20\t\r\n\xa0\ufeff"  # ``histories.reading.values.BLANKS``, of which alone no key is made


DAY = r"^(199[0-9]|20[0-9]{2})-[0-9]{2}-[0-9]{2}$"


def _day(text: Any) -> date:
    """Read an ISO date; numbers and times of day are refused."""
    if isinstance(text, str) and re.fullmatch(DAY, text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise PydanticCustomError("day", "Send a day from 1990 to 2099 as YYYY-MM-DD.")


Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date", "pattern": DAY})]


def _whole(number: Any) -> Any:
    """Read 5.0 as 5: JSON knows one kind of number."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


WHOLE = BeforeValidator(_whole)  # last, so that the bounds before it appear in the OpenAPI description


def _key(key: Any) -> Any:
    """Read a key as the rows of a request are read: without blanks around it, and a whole number as its text."""
    number = _whole(key)
    if isinstance(number, int) and not isinstance(number, bool):
        return str(number)
    return text_of(key) or "" if isinstance(key, str) else key


KEY = BeforeValidator(_key)
KEY_OF_PUPIL = BeforeValidator(
    _key,
    json_schema_input_type=Annotated[
        str, Field(min_length=1, max_length=100, pattern=rf"^[^\x00]*[^{BLANK}][^\x00]*$")
    ],
)


class Strict(BaseModel):
    """A model that forbids unknown keys and never echoes its input."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, allow_inf_nan=False, strict=True)


class ScoreRequest(Strict):
    """Histories to score and explain."""

    as_of: Day
    # By table rows, or columns; ``histories.reading.posted_rows`` validates them, once.
    histories: dict[str, SkipValidation[Any]]


class ScoresRequest(Strict):
    """Pupils whose stored scores to return."""

    pupil_ids: list[Annotated[Identifier, KEY_OF_PUPIL]] = Field(min_length=1, max_length=MAX_PUPILS)
    as_of: Day | None = None


class WorklistRequest(Strict):
    """The part of the ranked list to return."""

    as_of: Day | None = None
    limit: Annotated[int, Field(ge=1, le=1000), WHOLE] = 50
    urn: Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{1,20}$"), KEY] | None = None
    year_group: Annotated[int, Field(ge=0, le=11), WHOLE] | None = None
    band: Annotated[str, Field(pattern=r"^[a-z ]{1,20}$")] | None = None
    list: ListName | None = None
    after: (
        Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,300}$", description="`next` of the previous page")] | None
    ) = None


class CountsRequest(Strict):
    """How to group the counts."""

    as_of: Day | None = None
    by: Literal["band", "year_group", "urn"] = "band"


class ModelName(BaseModel):
    """The model that made the scores."""

    name: str
    version: str
    definition: str
    horizon_days: int


class Band(BaseModel):
    """A band and the lowest risk in it."""

    name: str
    at_least: float


WARNINGS: Any = Field(
    default=[],
    description="Which of the posted rows were ignored, unmatched or read as null: locations and counts, never values. Empty where no rows are posted.",
)


class ScoresAnswer(BaseModel):
    """Scores, and the model that made them."""

    model: ModelName | None
    scores: list[Score]
    warnings: list[str] = WARNINGS


class WorklistAnswer(ScoresAnswer):
    """A page of the ranked list."""

    next: str | None = Field(
        default=None,
        description="Send it as `after` to get the next page; null after the last page. The last page can be empty.",
    )


class Count(BaseModel):
    """Number of pupils in a group, rounded to 5; null where it is small or would reveal a small one."""

    group: str
    pupils: int | None


class CountsAnswer(BaseModel):
    """Counts without identities; small counts are suppressed, the others rounded."""

    as_of: date | None
    by: str
    counts: list[Count]
    all: int | None
    warnings: list[str] = WARNINGS


class ModelCard(ModelName):
    """The model card: version, training data, metrics and limits."""

    trained_on: list[date]
    until: date | None
    candidate: str = Field("lightgbm", description="The entry of `metrics` that describes this model.")
    base_rate: float
    metrics: dict[str, Any]
    limits: list[str]
    bands: list[Band]
    timing: dict[str, dict[str, float]] = Field(
        default={},
        description="By list and by days: the share `s` of the hazard that falls before. The risk within so many days is `1 - (1 - risk) ** s`.",
    )
    data_digest: str
    catalogue_digest: str
    warnings: list[str] = WARNINGS


class InvalidPart(BaseModel):
    """What is wrong with one part of the request, without its value."""

    loc: list[str]
    msg: str
    type: str


class ProblemAnswer(BaseModel):
    """A problem (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str | None = None
    errors: list[InvalidPart] | None = None
