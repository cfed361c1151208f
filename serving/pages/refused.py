"""Pages for refused requests, in place of the interface's problem documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from serving.access.permissions import find
from serving.access.sessions import cookie
from serving.http.problems import REQUEST_ID
from serving.pages.local_page import HOME, sign_in_address
from serving.pages.rendering import HEADERS, Renderer


class RefusalPages:
    """Answers refused requests of people with a page.

    Parameters
    ----------
    renderer : Renderer
    page_after : callable
        Returns where a sign-in leads, for the page that was asked for.
    """

    def __init__(self, renderer: Renderer, page_after: Callable[[str], str] = lambda _: HOME) -> None:
        self.renderer, self.page_after = renderer, page_after

    def for_people(self, scope: Any) -> bool:
        """Return whether to answer with a page: the route is a page, or a browser requests a route that does not exist."""
        rule, methods = find(scope["method"], scope["path"])
        if rule is not None or methods:
            return rule is not None and rule.page
        accepted = next((value for name, value in scope["headers"] if name == b"accept"), b"")
        return b"text/html" in accepted

    def answer(self, scope: Any, status: int, headers: dict[str, str]) -> Response:
        """Return the page of a refusal; a GET without a session redirects to sign-in, which tells a browser that had one that it ended."""
        if status == 401 and scope["method"] == "GET":
            address = sign_in_address(self.page_after(scope["path"]), ended=bool(cookie(Request(scope))))
            return RedirectResponse(address, 303, HEADERS)
        kind = status if f"refused.title_{status}" in self.renderer.words.messages else 500
        page = self.renderer.plain("refused", status, kind=kind, request_id=REQUEST_ID.get())
        page.headers.update(headers)
        return page
