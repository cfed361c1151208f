"""The verb ``access``: permissions, the file of authenticators, the access review, and closing accounts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from histories.io.quantities import quantity
from histories.io.terminal import json_option, result


@click.group()
def access() -> None:
    """Show and review who may see what, and close accounts."""


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
    warning = configuration.proxy.warning() if configuration.proxy else None
    text = f"{file or 'no file'}: {', '.join(enabled)}" + (f"\nWarning: {warning}" if warning else "")
    result({"file": file, "ways": enabled, "warning": warning}, as_json=as_json, text=text)


@access.command()
@click.option("--out", type=click.Path(path_type=Path), help="Also write the report to a CSV file.")
@json_option
def review(out: Path | None, as_json: bool) -> None:
    """Report every key and person: what they may see, whether they still may, and when they last did."""
    from histories.io.spreadsheet import write_csv
    from histories.settings import settings
    from serving.store import Store
    from serving.store.caller import command_line
    from serving.store.sign_in.review import FIELDS
    from serving.store.sign_in.review import review as reviewed

    with Store.of(settings()).view(command_line()) as view:
        rows = reviewed(view)
    if out:
        cells = [[" ".join(row["urns"] or ()) if name == "urns" else row[name] for name in FIELDS] for row in rows]
        write_csv(out, FIELDS, cells)
    lines = [
        f"{r['name'] or '':24} {'key' if r['kind'] == 'key' else r['who']:24} {r['role']:13} {r['authority'] or 'all':5} {len(r['urns'] or ()) or 'all':>4} schools  "
        f"{'names' if r['names'] else '-':5}  "
        f"{r['status']:9} expires {r['expires'] or 'never'}  last used {(r['last_used'] or 'never')[:16]}"
        for r in rows
    ]
    result({"access": rows}, as_json=as_json, text="\n".join(lines) or "nobody has access yet")


@access.command("close")
@click.argument("person")
@json_option
def close(person: str, as_json: bool) -> None:
    """Close the account of somebody who has left: sessions end, and signing in and tokens are refused.

    PERSON is the id that 'onroll access review' shows. A key must be revoked first, with 'onroll keys revoke'.
    """
    _set_active(person, active=False, as_json=as_json)


@access.command("reopen")
@click.argument("person")
@json_option
def reopen(person: str, as_json: bool) -> None:
    """Open a closed account again."""
    _set_active(person, active=True, as_json=as_json)


def _set_active(person: str, *, active: bool, as_json: bool) -> None:
    from histories.settings import settings
    from serving.store import Store
    from serving.store.caller import command_line
    from serving.store.sign_in.sessions import end_sessions
    from serving.store.sign_in.staff import set_active

    with Store.of(settings()).change(command_line()) as change:
        set_active(change, person, active=active)
        ended = 0 if active else end_sessions(change, person_id=person)
    status = "open again" if active else f"closed; {quantity(ended, 'session')} ended"
    result({"person": person, "active": active, "ended": ended}, as_json=as_json, text=f"the account is {status}")


verbs: list[Any] = [access]
