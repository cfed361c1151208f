"""The permission table: who may call which route. A route that is not here cannot be called.

This module has the interface's rows; each page declares its own (``serving.pages.views``).
"""

from __future__ import annotations

from serving.access.permission import OPEN, Permission
from serving.http.schemas import ARROW
from serving.pages.views import PAGES
from serving.roles import IDENTITIES, ROLES

INTERFACE = (
    Permission(
        method="POST",
        route="/api/v1/score",
        roles=IDENTITIES,
        sees="scores of the rows sent, of pupils in the caller's scope",
        most=32 * 1024**2,
        reads=("application/json", ARROW),
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
    Permission(
        method="GET",
        route="/schema.json",
        roles=ROLES,
        sees="the description of this interface for BentoML's clients",
    ),
    Permission(method="GET", route="/livez", roles=OPEN, sees="that the process runs"),
    Permission(method="GET", route="/readyz", roles=OPEN, sees="which model version serves"),
    Permission(method="GET", route="/metrics", roles=OPEN, sees="counts by route template"),
    Permission(method="GET", route="/assets/{name}", roles=OPEN, sees="a style sheet, or the icon"),
)
RULES = (*INTERFACE, *(permission for page in PAGES for permission in page.permissions()))


# Most requests are for a route without a path parameter; a dictionary finds those without trying every rule.
_PLAIN = {r.route: [x for x in RULES if x.fits(r.route)] for r in RULES if "{" not in r.route}


def find(method: str, path: str) -> tuple[Permission | None, tuple[str, ...]]:
    """Return the rule of a request, and the methods that its path has."""
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
