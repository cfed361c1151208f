"""The verb ``keys``: create, list and revoke keys of the HTTP interface."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import click

from histories.calendar import london_today
from histories.io.terminal import ISO_DATE, json_option, result
from serving.roles import ROLES

DAYS = 365  # that a key works when nothing else is chosen


@click.group()
def keys() -> None:
    """Create, list and revoke keys of the HTTP interface."""


@keys.command()
@click.option("--role", type=click.Choice(ROLES), required=True, help="What the holder may see; see docs/access.md.")
@click.option("--authority", help="Number of the local authority.")
@click.option(
    "--urn",
    "urns",
    multiple=True,
    help="URN of a school; repeat it for several. Without it, all schools of the authority.",
)
@click.option("--names", is_flag=True, help="Let the holder see names and other personal details on the pages.")
@click.option("--holder", default="", help="Who holds it, by name: pages, the audit and the access review say so.")
@click.option("--expires", type=ISO_DATE, help=f"Last day on which the key works; by default in {DAYS} days.")
@click.option("--never-expires", is_flag=True, help="Let the key work until it is revoked.")
@json_option
def create(
    role: str,
    authority: str | None,
    urns: tuple[str, ...],
    *,
    names: bool,
    holder: str,
    expires: datetime | None,
    never_expires: bool,
    as_json: bool,
) -> None:
    """Create a key and print it; it is never shown again."""
    from histories.errors import Fault, Usage
    from histories.settings import settings
    from serving.store import Store
    from serving.store.audit.approvals import require
    from serving.store.audit.kept_text import must_name_nobody

    if expires and never_expires:
        raise Usage(Fault("a key either expires or never does", "keys create", "Give --expires or --never-expires."))
    if expires and expires.date() < london_today():
        raise Usage(Fault("the last day is over", "keys create --expires", "Name today or a later day."))
    kept = {"--authority": authority, "--urn": " ".join(urns), "--holder": holder}
    must_name_nobody(kept)  # by shapes alone: the account that makes keys reads no pupil
    chosen = expires.date() if expires else london_today() + timedelta(days=DAYS)
    last_day = None if never_expires else chosen
    current = settings()
    store = Store.of(current)
    if role == "administrator":
        act: dict[str, Any] = {"command": "keys create", "role": role, "authority": authority, "urns": sorted(urns)}
        act |= {"names": names, "holder": holder, "expires": str(last_day)}
        require(store, current, act)
    key_id, key = store.create_key(role, authority, urns, last_day, names=names, holder=holder)
    result({"key_id": key_id, "key": key, "expires": last_day}, as_json=as_json, text=key)


@keys.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the keys, without their secrets."""
    from histories.settings import settings
    from serving.store import Store

    listed = Store.of(settings()).list_keys()
    lines = []
    for key in listed:
        status = "revoked" if key["revoked"] else key["expires"] or "no expiry"
        lines.append(f"{key['key_id']}  {key['role']:13} {key['authority'] or 'all':5} {status!s:10}  {key['holder']}")
    text = "\n".join(lines) or "no keys yet: run 'onroll keys create --role worker --authority LA'"
    result({"keys": listed}, as_json=as_json, text=text)


@keys.command()
@click.argument("key_id")
@json_option
def revoke(key_id: str, as_json: bool) -> None:
    """Revoke a key by its id."""
    from histories.settings import settings
    from serving.store import Store

    Store.of(settings()).revoke(key_id)
    result({"revoked": key_id}, as_json=as_json, text=f"{key_id} revoked")


verbs: list[Any] = [keys]
