"""Withdrawal: no version serves, at once, until a person promotes one or rolls back."""

from __future__ import annotations

from typing import Any

from histories.errors import Fault, Faults
from histories.io.account import account
from histories.settings import Settings
from training.release.registry import client, moving, note, write_aliases
from training.release.resolve import WITHDRAWN, aliases


def withdraw(settings: Settings, name: str, *, who: str, why: str) -> dict[str, Any]:
    """Take the champion's alias away, so that no version serves.

    The log comes first: a service stops as soon as it reads the line, whatever the file of aliases says.

    Parameters
    ----------
    who, why : str
        Who withdraws it, and the reason; both are in the log.

    Returns
    -------
    dict
        The log entry; its ``before`` is the version that served.

    Raises
    ------
    Faults
        If no version serves, the log does not verify, or the person or reason is missing.
    """
    if not who.strip() or not why.strip():
        raise Faults(Fault("a person and a reason are required", "models withdraw", "Give --by and --reason."))
    with moving(settings, name):
        remaining = aliases(settings.releases, name)
        version = remaining.pop("champion", None)
        if version is None:
            raise Faults(Fault("no version serves", name, "There is nothing to withdraw; see 'onroll models list'."))
        fields = {"action": WITHDRAWN, "by": who, "why": why, "account": account()}
        entry = note(settings, name, alias="champion", version=0, before=version, **fields)
        write_aliases(settings, name, remaining)
        client(settings).delete_registered_model_alias(name, "champion")
        return entry
