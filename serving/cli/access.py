"""The verb ``access``: who may call what, and whether the file that says who calls is right."""

from __future__ import annotations

from typing import Any

import click

from histories.io.terminal import json_option, result


@click.group()
def access() -> None:
    """Say who may call what over HTTP."""


@access.command()
@json_option
def matrix(as_json: bool) -> None:
    """Print every route and which roles may call it."""
    from serving.access.permissions import RULES
    from serving.access.permissions import matrix as table

    rules = [{"method": r.method, "route": r.route, "roles": r.roles, "sees": r.sees} for r in RULES]
    result({"rules": rules}, as_json=as_json, text=table())


@access.command()
@json_option
def check(as_json: bool) -> None:
    """Check the file that ONROLL_ACCESS names, and say which ways in it opens."""
    from histories.settings import settings
    from serving.access.configuration import Configuration
    from serving.access.tokens import Tokens

    file = settings().access
    own = Configuration.load(file)
    if own.tokens:
        Tokens(own.tokens, own)  # reads the provider's keys when they are in a file
    ways = [name for name in ("keys", "tokens", "proxy", "development") if getattr(own, name)]
    result({"file": file, "ways": ways}, as_json=as_json, text=f"{file or 'no file'}: {', '.join(ways)}")


verbs: list[Any] = [access]
