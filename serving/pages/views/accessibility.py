"""How the pages meet accessibility guidelines."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from serving.access.permission import OPEN
from serving.pages.context import Context
from serving.pages.page import Page


def accessibility(request: Request, context: Context) -> Response:
    """Show the page."""
    return context.renderer.page(request, "accessibility")


PAGE = Page(
    name="accessibility",
    route="/accessibility",
    roles=OPEN,
    sees="how accessible the pages are",
    handler=accessibility,
)
