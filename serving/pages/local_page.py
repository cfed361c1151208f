"""Where a sign-in may lead: a page of this service, so that no address leads anybody elsewhere, or makes them download a list."""

from __future__ import annotations

import re
from collections.abc import Iterable

from serving.access.permission import Permission

HOME = "/"
PATH = re.compile(r"(/[A-Za-z0-9][A-Za-z0-9._-]{0,99}){1,6}")


def local_page(path: str | None, permissions: Iterable[Permission]) -> str:
    """Return a path if it is that of a page that needs a sign-in, and the first page otherwise.

    Examples
    --------
    >>> known = [Permission(method="GET", route="/work-list", roles=("lead",), sees="a list", shown=True)]
    >>> [local_page(path, known) for path in ("/work-list", "//evil.example", "/work-list?x", "https://evil.example", None)]
    ['/work-list', '/', '/', '/', '/']
    """
    if path is None or not PATH.fullmatch(path):
        return HOME
    leads = any(p.shown and not p.is_open and p.fits(path) for p in permissions)
    return path if leads else HOME


def sign_in_address(to: str, *, ended: bool = False) -> str:
    """Return the address of the sign-in page, which then leads to a local page.

    Examples
    --------
    >>> sign_in_address("/"), sign_in_address("/work-list", ended=True)
    ('/sign-in', '/sign-in?ended&next=/work-list')
    """
    query = ["ended"] * ended + [f"next={to}"] * (to != HOME)
    return "/sign-in" + "?" * bool(query) + "&".join(query)
