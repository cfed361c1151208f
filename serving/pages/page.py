"""A page as one declaration: route, roles, menu entry, wording, template and handlers.

The router, the permission table, the menu and the printed matrix all read it, so a page cannot have one without the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving.access.permission import OPEN, Permission

TEMPLATES = Path(__file__).with_name("templates")
MAX_BODY = 64 * 1024  # bytes of a form
Handler = Callable[..., Any]  # a FastAPI endpoint


class WronglyDeclared(RuntimeError):
    """Pages have invalid declarations, so the service does not start; the message lists every fault."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A form that a page submits, or a file that it offers.

    Attributes
    ----------
    method, route : str
    handler : callable
        A FastAPI endpoint; it takes the page's context as ``serving.pages.context.Context``.
    sees : str
        What the answer holds, for the printed matrix.
    roles : tuple of str
        Who may call it; the page's roles when empty.
    dear : bool
        Whether callers take turns for its answers; only for what has no body.
    """

    method: str
    route: str
    handler: Handler
    sees: str
    roles: tuple[str, ...] = ()
    dear: bool = False


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page.

    Attributes
    ----------
    name : str
        Names the template (``templates/NAME.html``) and the part of the wording (``[NAME]``, with a ``title``).
    route : str
    roles : tuple of str
        Who may open it; ``OPEN`` for everybody.
    sees : str
        What the page holds, for the printed matrix.
    handler : callable
        A FastAPI endpoint that shows the page.
    menu : int or None
        Place in the menu, from 1; the entry's text is the wording's ``NAME.menu``. None keeps it off the menu.
    home_of : tuple of str
        Roles that start here after they sign in.
    dear : bool
        Whether callers take turns for it.
    endpoints : tuple of Endpoint
        Its forms and files.
    """

    name: str
    route: str
    roles: tuple[str, ...]
    sees: str
    handler: Handler
    menu: int | None = None
    home_of: tuple[str, ...] = ()
    dear: bool = False
    endpoints: tuple[Endpoint, ...] = ()

    def all_endpoints(self) -> tuple[Endpoint, ...]:
        """Return the page itself, its forms and its files."""
        shown = Endpoint(
            method="GET", route=self.route, handler=self.handler, sees=self.sees, roles=self.roles, dear=self.dear
        )
        return (shown, *self.endpoints)

    def permissions(self) -> Iterator[Permission]:
        """Yield its rows of the permission table."""
        for endpoint in self.all_endpoints():
            yield Permission(
                method=endpoint.method,
                route=endpoint.route,
                roles=endpoint.roles or self.roles,
                sees=endpoint.sees,
                most=MAX_BODY,
                reads=("application/x-www-form-urlencoded",),
                page=True,
                shown=endpoint.handler is self.handler,
                dear=endpoint.dear,
            )


def check(pages: Sequence[Page], words: Sequence[str], templates: Path = TEMPLATES) -> None:
    """Check that page declarations are complete and do not conflict.

    Parameters
    ----------
    pages : sequence of Page
    words : collection of str
        Keys of the wording, such as ``team.title``.
    templates : Path

    Raises
    ------
    WronglyDeclared
        With every fault and how to correct it.
    """
    faults = [fault for page in pages for fault in _faults_of(page, set(words), templates)]
    routes = [(e.method, e.route) for page in pages for e in page.all_endpoints()]
    faults += [f"{method} {route} is declared twice" for method, route in _repeated(routes)]
    faults += [f"two pages are named {name}" for name in _repeated([p.name for p in pages])]
    faults += [f"two pages have place {n} in the menu" for n in _repeated([p.menu for p in pages if p.menu])]
    faults += [f"two pages are the home of {role}" for role in _repeated([r for p in pages for r in p.home_of])]
    if faults:
        raise WronglyDeclared("; ".join(faults))


def _faults_of(page: Page, words: set[str], templates: Path) -> Iterator[str]:
    if not (templates / f"{page.name}.html").is_file():
        yield f"page {page.name} has no template: write templates/{page.name}.html"
    needed = [f"{page.name}.title", *([f"{page.name}.menu"] if page.menu else [])]
    yield from (f"page {page.name} lacks wording: add {key}" for key in needed if key not in words)
    for endpoint in page.all_endpoints():
        roles = endpoint.roles or page.roles
        what = f"page {page.name}, {endpoint.method} {endpoint.route}"
        if not roles or not set(roles) <= set(OPEN):
            yield f"{what}: name roles from {', '.join(OPEN)}"
        if not endpoint.sees:
            yield f"{what}: say what the answer holds"
        if not endpoint.route.startswith("/"):
            yield f"{what}: begin the route with /"
    if not set(page.home_of) <= set(page.roles):
        yield f"page {page.name} is the home of a role that may not open it"


def _repeated(values: Sequence[Any]) -> list[Any]:
    return sorted({v for v in values if values.count(v) > 1})
