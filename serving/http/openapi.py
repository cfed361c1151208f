"""The OpenAPI description: every error that a call can answer, and every table and column that can be posted."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Security
from fastapi.security import HTTPBearer

from histories.codes import code_set
from histories.reading.posted_rows import AUDITED
from histories.reading.values import FALSE, TRUE
from histories.tables import TABLES, Column
from serving.http import problems
from serving.http.schemas import ARROW, ProblemAnswer

ANY, BODY = (400, 401, 403, 405, 429, 500, 503), (408, 413, 415, 422)  # errors of every call, and of calls with a body
ABOUT = """Explained scores of which children are likely to go missing from education. A score orders a list for people to
look at; it is not a finding. Send pupils' identifiers in bodies only. Every answer has an `X-Request-ID`; errors are
`application/problem+json`."""

STREAMS = (
    "One Arrow stream for each table, one after another, uncompressed. The metadata of a schema name the `table`, and of at least "
    "one the `as_of` date; columns are as in JSON (docs/api.md)."
)


def documented(*statuses: int) -> dict[str, Any]:
    """Return the description of a call's security and errors, as arguments of a FastAPI route."""
    wait = {"Retry-After": _header("Seconds to wait.")}
    extra = {
        401: {"WWW-Authenticate": _header("`Bearer`")},
        405: {"Allow": _header("The allowed methods.")},
        429: wait,
        503: wait,
    }
    responses = {
        status: {
            "description": problems.TITLES[status],
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemAnswer"}}},
            "headers": extra.get(status, {}),
        }
        for status in sorted({*ANY, *statuses})
    }
    # The access middleware has checked the credentials already; this only documents how to send them.
    return {"responses": responses, "dependencies": [Security(HTTPBearer(auto_error=False))]}


def _header(text: str) -> dict[str, Any]:
    return {"schema": {"type": "string"}, "description": text}


def describe(app: FastAPI) -> None:
    """Complete the description that FastAPI generates."""
    generate = app.openapi

    def complete() -> dict[str, Any]:
        if app.openapi_schema is None:
            description = generate()
            schemas = description["components"]["schemas"]
            problem = ProblemAnswer.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update(problem.pop("$defs"))
            schemas["ProblemAnswer"] = problem
            schemas["ScoreRequest"]["properties"]["histories"] = tables()
            _take_arrow(description["paths"])
        return generate()

    app.openapi = complete  # type: ignore[method-assign]


def _take_arrow(paths: dict[str, Any]) -> None:
    """Add Arrow streams to the contents that /score takes."""
    contents = paths["/api/v1/score"]["post"]["requestBody"]["content"]
    contents[ARROW] = {"schema": {"type": "string", "format": "binary", "description": STREAMS}}


def tables() -> dict[str, Any]:
    """Return the schema of posted histories, from the declarations in ``histories.tables``."""
    rows = {}
    for name, table in TABLES.items():
        columns = {c.name: _column(c) for c in table.columns.values()}
        required = [c.name for c in table.columns.values() if c.required]
        rows[name] = {
            "type": "array",
            "description": (table.__doc__ or "").strip().splitlines()[0],
            "items": {"type": "object", "properties": columns, "required": required},
        }
    return {
        "title": "Histories",
        "type": "object",
        "description": "Rows by table; columns, as lists of one length, are taken too (docs/api.md). Unknown tables and columns are ignored. A table that is not sent counts as missing, not as empty.",
        "properties": rows,
        "required": [name for name, table in TABLES.items() if table.required],
        "additionalProperties": True,
    }


def _column(c: Column) -> dict[str, Any]:
    kinds: dict[str, dict[str, Any]] = {
        "text": {"type": ["string", "integer"], "maxLength": 500, "pattern": r"^[^\u0000]*$"},
        "date": {"type": "string", "format": "date"},
        "integer": {"type": "integer", "exclusiveMinimum": -(2**53), "exclusiveMaximum": 2**53},
        "boolean": {"enum": [True, False, 0, 1, *sorted(TRUE | FALSE)]},
    }
    kind = kinds[c.kind]
    if c.required and c.kind == "text":
        kind = kind | {"minLength": 1, "pattern": r"^[^\u0000]*[^\s\u0000][^\u0000]*$"}
    if c.codes in AUDITED:
        kind = {"type": ["string", "integer"]}  # an unknown code is ignored with a warning
    elif c.codes:
        codes = sorted(code_set(c.codes))
        kind = {"type": ["string", "integer"], "enum": [*codes, *(int(code) for code in codes if code.isdecimal())]}
    return kind if c.required else {"anyOf": [kind, {"type": "null"}, {"const": "", "description": "read as null"}]}
