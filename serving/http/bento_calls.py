"""The calls of the interface as BentoML declares them, for its clients, `/schema.json` and the archive that `bentoml build` writes.

The application answers their routes, behind the guard and the permission table (docs/decisions/0016-our-application-answers.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any, NoReturn

from pydantic import BaseModel

from serving.http.schemas import (
    CountsAnswer,
    CountsRequest,
    ScoreRequest,
    ScoresAnswer,
    ScoresRequest,
    WorklistAnswer,
    WorklistRequest,
)

OVER_HTTP = "Call this over HTTP with a key: a call within the process has no caller to authorise or audit."


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of the interface.

    Attributes
    ----------
    route : str
        Where the application answers it.
    request, answer : type
        What it takes and gives.
    purpose : str
        What a client shows as its documentation.
    """

    route: str
    request: type[BaseModel]
    answer: type[BaseModel]
    purpose: str


CALLS = {
    "score": Call(
        route="/api/v1/score",
        request=ScoreRequest,
        answer=ScoresAnswer,
        purpose="Score and explain pupils from posted rows.",
    ),
    "scores": Call(route="/api/v1/scores", request=ScoresRequest, answer=ScoresAnswer, purpose="Return stored scores."),
    "worklist": Call(
        route="/api/v1/worklist",
        request=WorklistRequest,
        answer=WorklistAnswer,
        purpose="Return a page of the ranked list in the caller's scope.",
    ),
    "counts": Call(
        route="/api/v1/counts",
        request=CountsRequest,
        answer=CountsAnswer,
        purpose="Count the pupils of the list; small counts are suppressed.",
    ),
}


def declared(name: str) -> Any:
    """Return the ``bentoml.api`` of a call, to be made an attribute of the service."""
    import bentoml
    from bentoml.exceptions import BentoMLException

    call = CALLS[name]

    def refuse(_: Any, **__: Any) -> NoReturn:
        raise BentoMLException(OVER_HTTP, error_code=HTTPStatus.UNAUTHORIZED)

    refuse.__name__, refuse.__doc__ = name, call.purpose
    specs: dict[str, Any] = {"input_spec": call.request, "output_spec": call.answer}
    return bentoml.api(route=call.route, **specs)(refuse)


@cache
def schema() -> dict[str, Any]:
    """Return what BentoML's clients read before their first call."""
    return {"name": "onroll", "type": "service", "routes": [declared(name).schema() for name in CALLS]}
