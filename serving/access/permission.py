"""One line of the permission table: who may call one method of one route."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from re import Pattern

from starlette.routing import compile_path

from serving.roles import ROLES

NOBODY = "nobody"  # a caller without credentials
OPEN = (NOBODY, *ROLES)


@dataclass(frozen=True, kw_only=True)
class Permission:
    """Who may call one method of one route.

    Attributes
    ----------
    method, route : str
        The method and the route's template, as the application declares them.
    roles : tuple of str
        Who may call it; ``nobody`` stands for callers without credentials.
    sees : str
        What the answer holds, for the printed matrix.
    most : int
        Largest body, in bytes.
    reads : tuple of str
        Content types of the body.
    page : bool
        Whether it is a page or belongs to one: callers come with a session, and a refusal is a page too.
    shown : bool
        Whether it is a page to look at, and neither a form nor a file.
    dear : bool
        Whether an answer takes long enough that callers take turns for it.
    """

    method: str
    route: str
    roles: tuple[str, ...]
    sees: str
    most: int = 256 * 1024
    reads: tuple[str, ...] = ("application/json",)
    page: bool = False
    shown: bool = False
    dear: bool = False

    @property
    def is_open(self) -> bool:
        """Return whether the route answers callers without credentials."""
        return NOBODY in self.roles

    @cached_property
    def _pattern(self) -> Pattern[str]:
        return compile_path(self.route)[0]

    def fits(self, path: str) -> bool:
        """Return whether a path belongs to this route."""
        # The end of a pattern also fits before a final line feed; a whole match does not.
        return self._pattern.fullmatch(path) is not None
