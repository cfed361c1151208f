"""A form that was sent: from a page of this session, small, and text only."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import UploadFile

from histories.faults import Faults
from serving.access.sessions import cookie, holds
from serving.problems import Problem
from serving.store import NotThere, Unavailable

MOST_FIELDS = 40


async def _form(request: Request) -> dict[str, str]:
    """Return the fields of a form, each once.

    Raises
    ------
    Problem
        403 when it does not come from a page of this session, 400 when it cannot be read.
    """
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin" or not _same_origin(request):
        raise Problem(403, "The form was sent from another site.")
    sent = await request.form(max_fields=MOST_FIELDS, max_files=0)
    fields = {name: value for name, value in sent.items() if not isinstance(value, UploadFile)}
    if any("\x00" in v for v in fields.values()):
        raise Problem(400, "This is not text.")
    if not holds(cookie(request), fields.pop("csrf", "")):
        raise Problem(403, "The form is not of this session.")
    return fields


def _same_origin(request: Request) -> bool:
    origin = request.headers.get("origin")
    return origin is None or origin.partition("://")[2] == request.headers.get("host")


Form = Annotated[dict[str, str], Depends(_form)]


def fields_of(found: Faults) -> list[str]:
    """Return the fields that are wrong; what is no fault of a field is raised again."""
    if isinstance(found, (NotThere, Unavailable)):
        raise found
    return [f.where for f in found.faults]


def version_of(fields: dict[str, str]) -> int:
    """Return the version of what a form was shown.

    Raises
    ------
    Problem
        When the form is not whole.
    """
    written = fields.get("version", "")
    if not (written.isascii() and written.isdigit() and len(written) < 10):
        raise Problem(400, "The form is not whole.")
    return int(written)
