"""The verb ``access``: print the permissions, and check the file of authenticators."""

from __future__ import annotations

from typing import Any

import click

from histories.io.terminal import json_option, result


@click.group()
def access() -> None:
    """Show who may call which route, and check the access file."""


@access.command()
@json_option
def matrix(as_json: bool) -> None:
    """Print every route with the roles that may call it."""
    from serving.access.permissions import RULES
    from serving.access.permissions import matrix as table

    rules = [{"method": r.method, "route": r.route, "roles": r.roles, "sees": r.sees} for r in RULES]
    result({"rules": rules}, as_json=as_json, text=table())


@access.command()
@json_option
def check(as_json: bool) -> None:
    """Check the file that ONROLL_ACCESS names, and list its authenticators."""
    from histories.settings import settings
    from serving.access.configuration import Configuration
    from serving.access.tokens import Tokens

    file = settings().access
    configuration = Configuration.load(file)
    if configuration.tokens:
        Tokens(configuration.tokens, configuration)  # reads the provider's keys if they are in a file
    enabled = [name for name in ("keys", "tokens", "proxy", "development") if getattr(configuration, name)]
    result({"file": file, "ways": enabled}, as_json=as_json, text=f"{file or 'no file'}: {', '.join(enabled)}")


verbs: list[Any] = [access]
