"""The verb ``sessions``: who is signed in to the pages, and ending their sessions."""

from __future__ import annotations

from typing import Any

import click

from histories.io.quantities import quantity
from histories.io.terminal import json_option, result


@click.group()
def sessions() -> None:
    """List and end the sessions of people who use the pages."""


@sessions.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List who is signed in, with role, authority, times and the session's id."""
    from histories.calendar import london_minute
    from histories.settings import settings
    from serving.store import Store
    from serving.store.caller import command_line
    from serving.store.sign_in import sessions as stored

    with Store.of(settings()).view(command_line()) as view:
        listed = stored.sessions(view)
    lines = [
        f"{s['session_id']}  {s['person_id']}  {s['role']}  {s['authority'] or 'all'}  "
        f"since {london_minute(s['opened_at'])}, seen {london_minute(s['seen_at'])}, ends {london_minute(s['ends_at'])}"
        for s in listed
    ]
    result({"sessions": listed}, as_json=as_json, text="\n".join(lines) or "nobody is signed in")


@sessions.command()
@click.argument("session_id", required=False)
@click.option("--person", help="End all sessions of this person, as 'onroll sessions list' names them.")
@click.option("--all", "everybody", is_flag=True, help="End all sessions.")
@json_option
def end(session_id: str | None, person: str | None, everybody: bool, as_json: bool) -> None:
    """End one session, those of a person, or all, from the next request on.

    The person may sign in again: use 'onroll access close' for somebody who has left.
    """
    from histories.errors import Fault, Faults, Usage
    from histories.settings import settings
    from serving.store import Store
    from serving.store.caller import command_line
    from serving.store.sign_in.sessions import end_sessions

    if [bool(session_id), bool(person), everybody].count(True) != 1:
        do = "Give a session's id, --person WHO, or --all."
        raise Usage(Fault("it is not clear which sessions to end", "sessions end", do))
    with Store.of(settings()).change(command_line()) as change:
        count = end_sessions(change, session_id=session_id, person_id=person)
    if not count and not everybody:
        raise Faults(Fault("there is no such session", "sessions end", "Run 'onroll sessions list' to see them."))
    result({"ended": count}, as_json=as_json, text=f"{quantity(count, 'session')} ended")


verbs: list[Any] = [sessions]
