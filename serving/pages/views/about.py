"""What a score means, and what it does not."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from histories.codes import attendance_codes
from serving.access.permission import OPEN
from serving.pages.context import Context
from serving.pages.page import Page


def about(request: Request, context: Context) -> Response:
    """Show the page."""
    return context.renderer.page(request, "about", codes=list(attendance_codes().values()))


PAGE = Page(
    name="about",
    route="/about",
    roles=OPEN,
    sees="what a score means",
    handler=about,
)
