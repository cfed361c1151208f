"""The table of rules: who may call which route. What is not here cannot be called."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from starlette.routing import compile_path

NOBODY = "nobody"  # a caller without anything that says who calls
ROLES = ("worker", "lead", "analyst", "administrator")
IDENTITIES = ("worker", "lead", "administrator")  # they see children, each in its own scope
OPEN = (NOBODY, *ROLES)


@dataclass(frozen=True, kw_only=True)
class Permission:
    """Who may call one method of one route.

    Attributes
    ----------
    method, route : str
        The method and the route's template, as the application declares them.
    roles : tuple of str
        Who may call it; ``nobody`` stands for callers who say nothing of themselves.
    sees : str
        What the answer holds, for the printed matrix.
    most : int
        Bytes that a body may have.
    reads : str
        The content type of a body.
    page : bool
        Whether people see it: they come in by a session, and are refused by a page.
    """

    method: str
    route: str
    roles: tuple[str, ...]
    sees: str
    most: int = 256 * 1024
    reads: str = "application/json"
    page: bool = False

    @property
    def is_open(self) -> bool:
        """Tell whether the route answers callers who say nothing of themselves."""
        return NOBODY in self.roles

    @cached_property
    def _pattern(self) -> object:
        return compile_path(self.route)[0]

    def fits(self, path: str) -> bool:
        """Tell whether a path is of this route."""
        return self._pattern.match(path) is not None  # type: ignore[attr-defined]


def _page(method: str, route: str, roles: tuple[str, ...], sees: str) -> Permission:
    return Permission(
        method=method,
        route=route,
        roles=roles,
        sees=sees,
        most=64 * 1024,
        reads="application/x-www-form-urlencoded",
        page=True,
    )


RULES = (
    Permission(
        method="POST",
        route="/api/v1/score",
        roles=IDENTITIES,
        sees="scores of the rows sent, of pupils in the caller's scope",
        most=32 * 1024**2,
    ),
    Permission(
        method="POST", route="/api/v1/scores", roles=IDENTITIES, sees="stored scores of pupils in the caller's scope"
    ),
    Permission(method="POST", route="/api/v1/worklist", roles=IDENTITIES, sees="the ranked list of the caller's scope"),
    Permission(
        method="POST",
        route="/api/v1/counts",
        roles=ROLES,
        sees="how many pupils of the caller's scope, small counts hidden and others rounded",
    ),
    Permission(method="GET", route="/api/v1/model", roles=ROLES, sees="the model's card"),
    Permission(method="GET", route="/api/v1/openapi.json", roles=OPEN, sees="the description of this interface"),
    Permission(method="GET", route="/openapi.json", roles=OPEN, sees="the description of this interface"),
    Permission(method="GET", route="/livez", roles=OPEN, sees="that the process runs"),
    Permission(method="GET", route="/readyz", roles=OPEN, sees="which model version serves"),
    Permission(method="GET", route="/metrics", roles=OPEN, sees="counts by route template"),
    _page("GET", "/", ROLES, "the first page of the role"),
    _page("GET", "/sign-in", OPEN, "who may sign in, and how"),
    _page("POST", "/sign-in", OPEN, "a session"),
    _page("POST", "/sign-out", ROLES, "the end of a session"),
    _page("GET", "/about", OPEN, "what a score means"),
    _page("GET", "/accessibility", OPEN, "what the pages do for everybody to be able to use them"),
    _page("GET", "/work-list", IDENTITIES, "the week's list of the caller's scope"),
    _page("GET", "/work-list.csv", IDENTITIES, "the same as a file"),
    _page("GET", "/work-list.xlsx", IDENTITIES, "the same as a file"),
    _page("GET", "/pupils/{pupil_ref}", IDENTITIES, "a child of the caller's scope"),
    _page("POST", "/pupils/{pupil_ref}/{what}", IDENTITIES, "what was done for a child of the caller's scope"),
    _page("GET", "/clocks", IDENTITIES, "duties that are due, of children of the caller's scope"),
    _page("GET", "/transition", IDENTITIES, "moves to secondary school of children of the caller's scope"),
    _page(
        "GET", "/team", ("lead", "administrator"), "what became of the children who were listed, in the caller's scope"
    ),
    _page("POST", "/team", ("lead", "administrator"), "what the team can take up"),
    _page(
        "GET",
        "/model",
        ("lead", "analyst", "administrator"),
        "models and doubted records of the caller's scope, without children; the shadow for callers of no one authority",
    ),
    _page("POST", "/faults/{fault_id}", ("analyst", "administrator"), "an answer to a doubt of the caller's scope"),
    _page("POST", "/clocks/{clock_id}", IDENTITIES, "that a duty is done, of a child of the caller's scope"),
    Permission(method="GET", route="/assets/{name}", roles=OPEN, sees="a style sheet, or the icon"),
)


# Most requests are for a route without a part that varies: they need not be held against every rule.
_PLAIN = {r.route: [x for x in RULES if x.fits(r.route)] for r in RULES if "{" not in r.route}


def find(method: str, path: str) -> tuple[Permission | None, tuple[str, ...]]:
    """Return the rule of a request, and which methods its path has at all."""
    fitting = _PLAIN.get(path) or [r for r in RULES if r.fits(path)]
    return next((r for r in fitting if r.method == method), None), tuple(r.method for r in fitting)


def matrix() -> str:
    """Return the table of routes and roles as text."""
    width = max(len(f"{r.method} {r.route}") for r in RULES)
    lines = [f"{'':{width}}  {'  '.join(OPEN)}  sees"]
    for r in RULES:
        marks = "  ".join(("yes" if role in r.roles else "-").ljust(len(role)) for role in OPEN)
        lines.append(f"{f'{r.method} {r.route}':{width}}  {marks}  {r.sees}")
    return "\n".join(lines)
