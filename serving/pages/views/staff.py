"""The administrator's page of accounts: who may see what, whether they still may, and when they last did."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from serving.pages.context import Context
from serving.pages.page import Page
from serving.store.sign_in.review import review


def staff(request: Request, context: Context) -> Response:
    """Show the page: the accounts of the caller's authority, or all."""
    caller = request.state.caller
    with context.store.view(caller) as view:
        accounts = [row for row in review(view) if caller.authority in (None, row["authority"])]
    return context.renderer.page(request, "staff", accounts=accounts[::-1])


PAGE = Page(
    name="staff",
    route="/staff",
    roles=("administrator",),
    sees="people and keys of the caller's authority, their rights and when they last used them",
    handler=staff,
    menu=8,
)
