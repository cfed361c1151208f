"""Forms: read only from a page of the same session, small, and text only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse, Response

from histories.errors import Faults
from serving.access.sessions import cookie, holds
from serving.http.problems import Problem
from serving.pages.rendering import HEADERS
from serving.store import NotThere, Store, Unavailable
from serving.store.unit_of_work import Change, Conflict

MAX_FIELDS = 250  # a lead may tick 200 children


async def _form(request: Request) -> dict[str, str]:
    """Return the fields of a form; the last value of a repeated field.

    Raises
    ------
    Problem
        403 when it was not sent from a page of this session, 400 when it is not text.
    """
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin" or not _same_origin(request):
        raise Problem(403, "The form was sent from another site.")
    sent = await request.form(max_fields=MAX_FIELDS, max_files=0)
    fields = {name: value for name, value in sent.items() if not isinstance(value, UploadFile)}
    if any("\x00" in v for v in fields.values()):
        raise Problem(400, "This is not text.")
    if not holds(cookie(request), fields.pop("csrf", "")):
        raise Problem(403, "The form does not belong to this session.")
    return fields


def _same_origin(request: Request) -> bool:
    origin = request.headers.get("origin")
    return origin is None or origin.partition("://")[2] == request.headers.get("host")


Form = Annotated[dict[str, str], Depends(_form)]


def save_and_redirect(
    store: Store,
    request: Request,
    apply: Callable[[Change], object],
    to: str,
    show_again: Callable[[int, list[str]], Response],
) -> Response:
    """Apply a form's change and redirect; on failure show the page again, with 409 for a conflict or 422 for wrong fields.

    Parameters
    ----------
    apply : callable
        Makes the change; its ``Faults`` name fields in ``where``.
    to : str
        Address to redirect to.
    show_again : callable
        Shows the page with a status and the names of the wrong fields.
    """
    try:
        with store.change(request.state.caller) as change:
            apply(change)
    except Conflict:
        return show_again(409, [])
    except (NotThere, Unavailable):
        raise
    except Faults as error:
        return show_again(422, [fault.where for fault in error.faults])
    return RedirectResponse(to, 303, HEADERS)


def version_of(fields: dict[str, str]) -> int:
    """Return the version of the record that a form was based on.

    Raises
    ------
    Problem
        400 when the form has no version.
    """
    written = fields.get("version", "")
    if not (written.isascii() and written.isdigit() and len(written) < 10):
        raise Problem(400, "The form is incomplete.")
    return int(written)
