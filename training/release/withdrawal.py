"""Withdrawal: no version serves, at once, until a person promotes one or rolls back.

It only takes away, so nothing stands in its way: no other command that runs, no MLflow that cannot be reached, no log and no audit that
disagree. What disagrees is reported once nothing serves.
"""

from __future__ import annotations

from typing import Any

from histories.errors import Fault, Faults
from histories.io.account import account
from histories.settings import Settings
from training.release.promotion_log import HEAD, append, follow, readable
from training.release.registry import client, moving, verify, write_aliases
from training.release.resolve import MOVES, aliases
from training.release.standing import SERVES, WITHDRAWN, standings


def withdraw(settings: Settings, name: str, *, who: str, why: str) -> dict[str, Any]:
    """Take the champion's alias away, so that no version serves; call ``tell_mlflow`` afterwards.

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
        If no version serves, or the person or reason is missing.
    """
    if not who.strip() or not why.strip():
        raise Faults(Fault("a person and a reason are required", "models withdraw", "Give --by and --reason."))
    with moving(settings, name, wait=False):
        remaining, log = _aliases(settings, name), settings.releases / name / MOVES
        standing = standings(readable(log)) or dict.fromkeys((v for v in [remaining.get("champion")] if v), SERVES)
        version = next((v for v, state in standing.items() if state == SERVES), None)
        if version is None:
            raise Faults(Fault("no version serves", name, "There is nothing to withdraw; see 'onroll models list'."))
        fields: dict[str, Any] = {"action": WITHDRAWN, "by": who, "why": why, "account": account()}
        moved: dict[str, Any] = {"alias": "champion", "version": 0, "before": version}
        entry = append(log, settings.signing_key, even_if_broken=True, **moved, **fields)
        remaining.pop("champion", None)
        write_aliases(settings, name, remaining)
        return entry


def tell_mlflow(settings: Settings, name: str, entry: dict[str, Any]) -> list[Fault]:
    """Show a withdrawal in MLflow, and return what disagrees: a log that does not verify, or an MLflow that cannot be told."""
    state, told = follow(settings.releases / name / MOVES), []
    try:
        state = verify(settings, name)  # to the end that MLflow holds
        api = client(settings)
        if state.whole:  # else the end that MLflow holds still shows what was changed
            api.set_registered_model_tag(name, HEAD, f"{entry['n']} {entry['hash']}")
        api.delete_registered_model_alias(name, "champion")
    except Exception as error:  # whatever is wrong there, the withdrawal stands
        do = "Nothing serves all the same. 'onroll models verify' says when both agree again; the next promotion moves the alias there."
        told.append(Fault(f"MLflow could not be told ({type(error).__name__})", f"{name}@champion", do))
    return [*([] if state.whole else [state.fault(f"{name}, {MOVES}")]), *told]


def _aliases(settings: Settings, name: str) -> dict[str, int]:
    """Return the aliases; none if their file cannot be read."""
    try:
        return dict(aliases(settings.releases, name))
    except (OSError, ValueError, TypeError):
        return {}
