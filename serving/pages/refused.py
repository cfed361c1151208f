"""What a person is told when a request is refused, in place of a problem for a program."""

from __future__ import annotations

from typing import Any

from starlette.responses import RedirectResponse, Response

from serving.access.permissions import find
from serving.http.problems import REQUEST_ID
from serving.pages.rendering import HEADERS, Renderer


class RefusalPages:
    """Answers people who were refused.

    Parameters
    ----------
    pages : Renderer
    """

    def __init__(self, pages: Renderer) -> None:
        self.pages = pages

    def for_people(self, scope: Any) -> bool:
        """Tell whether a person asks: for a page, or with a browser for something that is not there."""
        rule, methods = find(scope["method"], scope["path"])
        if rule is not None or methods:
            return rule is not None and rule.page
        accepted = next((value for name, value in scope["headers"] if name == b"accept"), b"")
        return b"text/html" in accepted

    def answer(self, method: str, status: int, headers: dict[str, str]) -> Response:
        """Return what is shown; whoever only looked at a page and is not signed in is led to where they can sign in."""
        if status == 401 and method == "GET":
            return RedirectResponse("/sign-in?ended", 303, HEADERS)
        kind = status if f"refused.title_{status}" in self.pages.words.messages else 500
        page = self.pages.plain("refused", status, kind=kind, request_id=REQUEST_ID.get())
        page.headers.update(headers)
        return page
