"""Style sheets and the icon. Each address holds a digest of the content, so that browsers may cache it for ever."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import Response

from serving.http.problems import Problem
from serving.pages.govuk_frontend import SHEET

LOOK = Path(__file__).with_name("look")
CACHED = {"Cache-Control": "public, max-age=31536000, immutable"}


@dataclass(frozen=True)
class Asset:
    """A style sheet or image that pages link to."""

    name: str
    ending: str
    kind: str
    text: str

    @cached_property
    def file(self) -> str:
        """Its name in addresses, which changes with its content."""
        return f"{self.name}-{hashlib.sha256(self.text.encode()).hexdigest()[:12]}.{self.ending}"

    @property
    def address(self) -> str:
        """Where it is."""
        return f"/assets/{self.file}"


@cache
def assets() -> tuple[Asset, ...]:
    """Return the style sheets, in order, and the icon; without the fetched sheet pages are unstyled but work."""
    govuk = [Asset("govuk", "css", "text/css", SHEET.read_text("utf-8"))] if SHEET.is_file() else []
    onroll = Asset("onroll", "css", "text/css", (LOOK / "onroll.css").read_text("utf-8"))
    return (*govuk, onroll, Asset("icon", "svg", "image/svg+xml", (LOOK / "icon.svg").read_text("utf-8")))


def routes() -> APIRouter:
    """Return the route that serves assets; addresses of earlier content get 404."""
    router = APIRouter(include_in_schema=False)

    @router.get("/assets/{name}")
    def asset(name: str) -> Response:
        file = next((a for a in assets() if a.file == name), None)
        if file is None:
            raise Problem(404, "There is nothing under this address.")
        return Response(file.text, media_type=file.kind, headers=CACHED)

    return router
