"""One child's page: the score and its reasons, and the forms of the case."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from serving.pages import case_forms, pupil_page
from serving.pages.context import Context
from serving.pages.forms import Form
from serving.pages.page import Endpoint, Page
from serving.roles import IDENTITIES


def pupil(pupil_ref: str, request: Request, context: Context) -> Response:
    """Show the page."""
    return pupil_page.show(context, request, pupil_ref)


def change_case(pupil_ref: str, what: str, request: Request, fields: Form, context: Context) -> Response:
    """Save one of the case's forms."""
    return case_forms.save(context, request, pupil_ref=pupil_ref, what=what, fields=fields)


PAGE = Page(
    name="pupil",
    route="/pupils/{pupil_ref}",
    roles=IDENTITIES,
    sees="a child of the caller's scope",
    handler=pupil,
    endpoints=(
        Endpoint(
            method="POST",
            route="/pupils/{pupil_ref}/{what}",
            handler=change_case,
            sees="what was done for a child of the caller's scope",
        ),
    ),
)
