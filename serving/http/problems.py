"""Errors as application/problem+json: what is wrong and where, never the value that was sent."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Protocol

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from histories.errors import Faults
from histories.tables import TABLES
from serving.http.schemas import Strict
from serving.store.database import Unavailable
from serving.store.unit_of_work import Conflict, NotThere

TITLES = {
    400: "The request cannot be read",
    401: "Who calls is not known",
    403: "The caller may not do this",
    404: "There is nothing here",
    405: "The method does not fit",
    408: "The body took too long",
    409: "It has changed meanwhile",
    413: "The request is too large",
    415: "Only JSON is read",
    422: "Some of what was sent is not valid",
    429: "Too many requests",
    500: "Something went wrong",
    503: "The service cannot answer now",
}


REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)


class ForPeople(Protocol):
    """Says a refusal to a person."""

    def __call__(self, status: int, headers: dict[str, str]) -> Response:
        """Return a page."""
        ...


PAGE: ContextVar[ForPeople | None] = ContextVar("page", default=None)  # how the request that is answered wants it said


class Problem(Exception):
    """An answer that is not the one that was asked for."""

    def __init__(
        self,
        status: int,
        detail: str = "",
        errors: list[dict[str, Any]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors, self.headers = status, detail, errors, headers

    def response(self) -> Response:
        """Return it as a response."""
        return answer(self.status, self.detail, self.errors, self.headers)


def no_database() -> Problem:
    """Return what is answered while the database does not answer: nothing can be looked up, and nothing shown unrecorded."""
    return Problem(503, "The database does not answer now.", headers={"Retry-After": "5"})


def answer(
    status: int,
    detail: str = "",
    errors: list[dict[str, Any]] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Return a problem as a response: a page when a person asked."""
    shown = PAGE.get()
    if shown is not None:
        return shown(status, headers or {})
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": TITLES.get(status, "The request was refused"),
        "status": status,
        "detail": detail,
    }
    if REQUEST_ID.get() is not None:
        body["request_id"] = REQUEST_ID.get()
    if errors is not None:
        body["errors"] = errors
    headers = {**(headers or {}), **({"WWW-Authenticate": "Bearer"} if status == 401 else {})}
    return JSONResponse(body, status, headers=headers, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Answer every kind of error of an application as a problem."""

    @app.exception_handler(Problem)
    async def problem(_: Request, p: Problem) -> Response:
        return p.response()

    @app.exception_handler(Unavailable)
    async def unavailable(_: Request, e: Unavailable) -> Response:
        return no_database().response()

    @app.exception_handler(Conflict)
    @app.exception_handler(NotThere)
    async def stale(_: Request, e: Conflict | NotThere) -> Response:
        return answer(409 if isinstance(e, Conflict) else 404, f"{e.faults[0].what}. {e.faults[0].do}")

    @app.exception_handler(Faults)
    async def faults(_: Request, found: Faults) -> Response:
        errors = [
            {"loc": f.where.split("."), "msg": f"{f.what}. {f.do}", "type": f.code or "histories"}
            for f in found.faults[:100]
        ]
        return answer(422, f"{len(found.faults)} thing(s) are wrong.", errors)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, e: RequestValidationError) -> Response:
        errors = [{"loc": _places(d["loc"]), "msg": d["msg"], "type": d["type"]} for d in e.errors()[:100]]
        malformed = any(d["type"] == "json_invalid" for d in e.errors())
        return answer(
            400 if malformed else 422,
            "",
            [{**x, "msg": "this is not valid JSON"} for x in errors] if malformed else errors,
        )

    @app.exception_handler(Exception)
    async def failed(_: Request, e: Exception) -> Response:
        return answer(500, "It was logged without what was sent.")  # the guard logs it, since it is raised again

    @app.exception_handler(HTTPException)
    async def refused(_: Request, e: HTTPException) -> Response:
        return answer(e.status_code)


def _places(loc: tuple[Any, ...]) -> list[str]:
    """Keep the declared parts of a place; what a caller made up as a key could be a value."""
    declared = {"body", *TABLES, *(name for model in Strict.__subclasses__() for name in model.model_fields)}
    return [str(x) if isinstance(x, int) or x in declared else "…" for x in loc]
