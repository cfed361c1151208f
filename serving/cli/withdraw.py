"""The verb ``models withdraw``: nothing serves, at once; then what disagrees is reported."""

from __future__ import annotations

from typing import Any

import click

from histories.errors import Fault
from histories.io.terminal import json_option, result
from histories.settings import Settings

UNRECORDED = "The withdrawal stands all the same. Run 'onroll models verify', then 'onroll models accept' once you know who made which line."


@click.command()
@click.option("--by", "who", required=True, help="Who withdraws it.")
@click.option("--reason", "why", required=True, help="Why.")
@json_option
def withdraw(who: str, why: str, as_json: bool) -> None:
    """Withdraw the champion: no score is served until a promotion or rollback.

    The running service stops within a second or two, whatever else is wrong: MLflow, the audit and the log are looked at afterwards. Pages
    keep deadlines and cases, and say that the model was withdrawn. Exit code 1: it is withdrawn, and something disagrees or goes on serving.
    """
    from dataclasses import asdict

    from histories.settings import settings
    from serving.store.audit.kept_text import must_name_nobody
    from training.release.withdrawal import tell_mlflow
    from training.release.withdrawal import withdraw as withdraw_model

    current = settings()
    must_name_nobody({"--by": who, "--reason": why})  # by shapes alone: a withdrawal waits for no database
    name = current.model_name
    entry = withdraw_model(current, name, who=who, why=why)
    faults = [*_still_serving(current), *_record(current, entry), *tell_mlflow(current, name, entry)]
    text = f"version {entry['before']} is withdrawn: {name}@champion gives no score"
    lines = [text, *(["but:"] if faults else []), *map(str, faults)]
    result({**entry, "faults": [asdict(f) for f in faults]}, as_json=as_json, text="\n".join(lines))
    if faults:
        raise SystemExit(1)


def _still_serving(settings: Settings) -> list[Fault]:
    """Return a fault if what ONROLL_MODEL names gives scores after a withdrawal: a folder of another version, or another model's alias."""
    from histories.errors import Faults
    from training.release.resolve import find_release, must_not_be_withdrawn

    try:
        release = find_release(settings.model, settings.releases, settings.verify_keys)
        must_not_be_withdrawn(release, settings.releases)
    except Faults:
        return []
    do = f"A service with this setting goes on: set ONROLL_MODEL={settings.model_name}@champion and restart it, or stop it."
    return [Fault("what this setting names was not withdrawn", f"ONROLL_MODEL, {settings.model}", do, "still_serves")]


def _record(settings: Settings, entry: dict[str, Any]) -> list[Fault]:
    """Record the withdrawal in the audit, and return why that could not be done as usual.

    Where the audit contradicts the log, the withdrawal is recorded without the line's hash, which would vouch for the lines before it.
    """
    from histories.errors import Faults
    from serving.store import Store
    from serving.store.audit.model_log import record
    from serving.store.caller import command_line

    try:
        record(settings, settings.model_name, entry)
    except Faults as refused:
        faults = [Fault(f.what, f.where, UNRECORDED, f.code) for f in refused.faults]
    except Exception as error:  # an unreachable database, for one
        faults = [Fault(f"the withdrawal is not in the audit ({type(error).__name__})", "audit", UNRECORDED)]
    else:
        return []
    try:
        details = {k: entry[k] for k in ("before", "by", "why", "account")}
        Store.of(settings).note(command_line(), "model.withdrawn", model=settings.model_name, **details)
    except Exception as error:
        faults.append(Fault(f"nor is a note of it ({type(error).__name__})", "audit", UNRECORDED))
    return faults
