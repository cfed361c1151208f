"""A second person's confirmation of acts that one should not do alone; requests and confirmations are entries of the audit.

They need no table of their own: nobody can add a confirmation without the audit's key, and none can be taken away unnoticed.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from histories.errors import Fault, Faults
from histories.settings import Settings
from serving.store.audit import audit_log
from serving.store.caller import command_line
from serving.store.ledger.believed import believed
from serving.store.tables import AuditEntry
from serving.store.unit_of_work import Change, NotThere, View

if TYPE_CHECKING:
    from serving.store.store import Store

REQUESTED, CONFIRMED, USED = (f"approval.{word}" for word in ("requested", "confirmed", "used"))
LIFETIME = timedelta(days=3)


class NeedsSecondPerson(Faults):
    """Somebody else must confirm this first."""


@dataclass(frozen=True, kw_only=True)
class Approval:
    """A request that has not been used, and is not too old.

    Attributes
    ----------
    approval_id : str
    act : dict
        What is to be done: the command, and what its outcome depends on.
    requested_by : str
    confirmed_by : str or None
    """

    approval_id: str
    act: dict[str, Any]
    requested_by: str
    confirmed_by: str | None


def open_approvals(view: View) -> list[Approval]:
    """Return the requests that can still be confirmed or used, oldest first."""
    since = (view.now - LIFETIME).isoformat(timespec="milliseconds")
    requested: dict[str, Any] = {}
    confirmed: dict[str, str] = {}
    for entry in believed(view.connection, view.chain, AuditEntry.action.startswith("approval.")):
        approval_id = entry["details"]["approval"]
        if entry["action"] == REQUESTED and entry["at"] >= since:
            requested[approval_id] = entry
        elif entry["action"] == CONFIRMED and entry["who"] != requested.get(approval_id, entry)["who"]:
            confirmed[approval_id] = entry["who"]
        elif entry["action"] == USED:
            requested.pop(approval_id, None)
    return [
        Approval(approval_id=i, act=e["details"]["act"], requested_by=e["who"], confirmed_by=confirmed.get(i))
        for i, e in requested.items()
    ]


def confirm(change: Change, approval_id: str) -> Approval:
    """Confirm a request of somebody else.

    Raises
    ------
    NotThere
        When there is no such open request.
    Faults
        When it is the caller's own.
    """
    approval = next((a for a in open_approvals(change) if a.approval_id == approval_id), None)
    if approval is None:
        raise NotThere("open request")
    if approval.requested_by == change.caller.key_id:
        do = "Let another person, with an account of their own on this machine, confirm it."
        raise Faults(Fault("nobody confirms their own request", approval_id, do))
    change.record(CONFIRMED, approval=approval_id)
    return approval


def use(change: Change, act: Mapping[str, Any]) -> tuple[bool, str]:
    """Use up the caller's confirmed request of an act, or request one.

    Returns
    -------
    bool, str
        Whether the act may be done now, and the request's id.
    """
    change.chain.lock(change.connection)  # so that one confirmation is not used twice
    mine = [a for a in open_approvals(change) if a.requested_by == change.caller.key_id and a.act == dict(act)]
    approval = next((a for a in mine if a.confirmed_by), None) or next(iter(mine), None)
    approval_id = approval.approval_id if approval else secrets.token_hex(4)
    confirmed = approval is not None and approval.confirmed_by is not None
    if confirmed:
        change.record(USED, approval=approval_id)
    else:
        change.record(REQUESTED if approval is None else "approval.waited", approval=approval_id, act=dict(act))
    return confirmed, approval_id


def require(store: Store, settings: Settings, act: Mapping[str, Any]) -> None:
    """Return if the act needs no second person, or one has confirmed it; a confirmation serves once.

    Raises
    ------
    NeedsSecondPerson
        When nobody has confirmed it yet, or the audit does not verify; a request is then open.
    """
    if not settings.second_person:
        return
    with store.change(command_line()) as change:
        verified = audit_log.verify(change.connection, store.chain, store.anchors)
        wrong = bool(verified.bad) or verified.meddled  # anchors that were lost make no confirmation
        confirmed, approval_id = (False, "") if wrong else use(change, act)
        if wrong:
            change.record("approval.refused", approval="", entry=verified.bad)
    if wrong:
        do = "Run 'onroll audit verify'."
        raise NeedsSecondPerson(Fault("the audit, which holds the confirmations, does not verify", "audit", do))
    if not confirmed:
        do = f"Let somebody else run 'onroll approvals confirm {approval_id}' within {LIFETIME.days} days, then repeat this command."
        raise NeedsSecondPerson(Fault("a second person must confirm this", str(act["command"]), do))
