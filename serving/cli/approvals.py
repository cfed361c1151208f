"""The verb ``approvals``: what waits for a second person, and confirming it."""

from __future__ import annotations

from typing import Any

import click

from histories.io.terminal import json_option, result


@click.group()
def approvals() -> None:
    """List and confirm what needs a second person."""


def _text(act: dict[str, Any]) -> str:
    return f"{act['command']} ({', '.join(f'{k}: {v}' for k, v in act.items() if k != 'command')})"


@approvals.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the requests that wait, and those that are confirmed and not used yet."""
    from dataclasses import asdict

    from histories.settings import settings
    from serving.store import Store
    from serving.store.audit.approvals import open_approvals
    from serving.store.caller import command_line

    with Store.of(settings()).view(command_line()) as view:
        waiting = open_approvals(view)
        view.record("approvals.seen", count=len(waiting))
    lines = [
        f"{a.approval_id}  {_text(a.act)}  requested by {a.requested_by}, "
        f"{f'confirmed by {a.confirmed_by}' if a.confirmed_by else 'waits'}"
        for a in waiting
    ]
    data = {"approvals": [asdict(a) for a in waiting]}
    result(data, as_json=as_json, text="\n".join(lines) or "nothing waits for a second person")


@approvals.command()
@click.argument("approval_id")
@json_option
def confirm(approval_id: str, as_json: bool) -> None:
    """Confirm the request APPROVAL_ID of somebody else; they then repeat their command.

    Who you are is the account of this machine that you use, or came from with sudo.
    """
    from histories.settings import settings
    from serving.store import Store
    from serving.store.audit.approvals import confirm as confirm_request
    from serving.store.caller import command_line

    with Store.of(settings()).change(command_line()) as change:
        approval = confirm_request(change, approval_id)
    text = f"confirmed for {approval.requested_by}: {_text(approval.act)}"
    result({"approval_id": approval_id, "act": approval.act}, as_json=as_json, text=text)


verbs: list[Any] = [approvals]
