"""Errors as application/problem+json (RFC 9457): what is wrong and where, never the submitted value."""

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
from serving.http.json_once import TWICE
from serving.http.schemas import Strict
from serving.store.database import Unavailable
from serving.store.unit_of_work import Conflict, NotThere

TITLES = {
    400: "Malformed request",
    401: "Not authenticated",
    403: "Not permitted",
    404: "Not found",
    405: "Method not allowed",
    408: "Request timed out",
    409: "Conflict with a newer state",
    413: "Request too large",
    415: "Unsupported content type",
    422: "Invalid request",
    429: "Too many requests",
    500: "Internal error",
    503: "Service unavailable",
}


LOGGED = "The error was logged, without the content of the request."
REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)


class PageAnswer(Protocol):
    """Renders a problem as a page for people."""

    def __call__(self, status: int, headers: dict[str, str]) -> Response:
        """Return a page."""
        ...


PAGE: ContextVar[PageAnswer | None] = ContextVar(
    "page", default=None
)  # renders problems of the current request, if it came from a person


class Problem(Exception):
    """A refusal or a failure, answered as application/problem+json."""

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
        """Return the response."""
        return answer(self.status, self.detail, self.errors, self.headers)


def no_database() -> Problem:
    """Return the problem for a database that is down: data is shown only if the audit can record it."""
    return Problem(503, "The database is not available.", headers={"Retry-After": "5"})


def answer(
    status: int,
    detail: str = "",
    errors: list[dict[str, Any]] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Return a problem as a response, or as a page if the request came from a person."""
    page = PAGE.get()
    if page is not None:
        return page(status, headers or {})
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": TITLES.get(status, "Request refused"),
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
    """Make an application answer every error as a problem."""

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
    async def faults(_: Request, e: Faults) -> Response:
        errors = [
            {"loc": f.where.split("."), "msg": f"{f.what}. {f.do}", "type": f.code or "histories"}
            for f in e.faults[:100]
        ]
        count = len(e.faults)
        return answer(422, "1 error." if count == 1 else f"{count} errors.", errors)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, e: RequestValidationError) -> Response:
        errors = [{"loc": _places(d["loc"]), "msg": d["msg"], "type": d["type"]} for d in e.errors()[:100]]
        malformed = any(d["type"] == "json_invalid" for d in e.errors())
        twice = any(d.get("ctx", {}).get("error") == TWICE for d in e.errors())
        not_json = TWICE if twice else "The body is not valid JSON."
        return answer(
            400 if malformed else 422,
            "",
            [{**x, "msg": not_json} for x in errors] if malformed else errors,
        )

    @app.exception_handler(Exception)
    async def failed(_: Request, e: Exception) -> Response:
        return answer(500, LOGGED)  # Starlette raises it again, and the guard logs it

    @app.exception_handler(HTTPException)
    async def refused(_: Request, e: HTTPException) -> Response:
        return answer(e.status_code)


def _places(loc: tuple[Any, ...]) -> list[str]:
    """Keep the declared parts of a location; a key that the caller invented could hold a value."""
    declared = {"body", *TABLES, *(name for model in Strict.__subclasses__() for name in model.model_fields)}
    return [str(x) if isinstance(x, int) or x in declared else "…" for x in loc]
