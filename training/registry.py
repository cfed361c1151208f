"""The registry: versions, aliases and the log of every promotion, in MLflow and in the released folders together."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from histories.faults import Fault, Faults
from histories.settings import Settings
from histories.writing import new_file, new_folder
from training.bundle import Manifest, write_bundle
from training.papers import Material, files_of
from training.release import ALIASES, MOVES, aliases, moves
from training.training import Trained


def client(settings: Settings) -> Any:
    """Return MLflow's client for the settings; importing MLflow takes seconds, so it happens here."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    import logging

    logging.getLogger("alembic").setLevel(logging.WARNING)
    import mlflow

    if settings.tracking_uri.startswith("sqlite:///"):
        Path(settings.tracking_uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    mlflow.set_tracking_uri(settings.tracking_uri)
    return mlflow.MlflowClient()


def register(settings: Settings, trained: Trained, run_id: str, material: Material) -> tuple[int, Path]:
    """Register a trained model as a new version, release it, and name it challenger, or champion when there is none.

    Returns
    -------
    version, folder
    """
    from mlflow.exceptions import MlflowException

    api = client(settings)
    name = trained.manifest.name
    try:
        api.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    found = api.create_model_version(name, source=f"runs:/{run_id}/bundle", run_id=run_id)
    version = int(found.version)
    trained.manifest.version = str(version)
    folder = settings.releases / name / f"v{version}"
    with new_folder(folder) as beside:
        write_bundle(beside, trained.booster, trained.manifest, files_of(material.named(str(version))))
    alias = "challenger" if "champion" in aliases(settings.releases, name) else "champion"
    _move(
        settings,
        name,
        alias,
        version,
        who="train",
        why="first model" if alias == "champion" else "newly trained",
    )
    return version, folder


def promote(settings: Settings, name: str, version: int, *, who: str, why: str) -> dict[str, Any]:
    """Make a version the champion; the log keeps who, when, why and which version served before.

    Raises
    ------
    Faults
        When there is no such version, or no name or reason.
    """
    faults = []
    if not (settings.releases / name / f"v{version}" / "manifest.json").is_file():
        faults.append(
            Fault(
                "there is no such version",
                f"{name} {version}",
                "Run 'onroll models list' to see what there is.",
            )
        )
    if not who.strip() or not why.strip():
        faults.append(Fault("who and why must be said", "models promote", "Give --by and --reason."))
    if faults:
        raise Faults(faults)
    return _move(settings, name, "champion", version, who=who, why=why)


def rollback(settings: Settings, name: str, *, who: str, why: str) -> dict[str, Any]:
    """Give the champion's alias back to the version that had it before.

    Raises
    ------
    Faults
        When there was no champion before.
    """
    now = aliases(settings.releases, name).get("champion")
    past = [
        e
        for e in history(settings, name)
        if e["alias"] == "champion" and e["version"] == now and e["before"] is not None
    ]
    if not past:
        raise Faults(Fault("no earlier champion is known", name, "Promote a version by its number instead."))
    return promote(settings, name, int(past[-1]["before"]), who=who, why=why)


def history(settings: Settings, name: str) -> list[dict[str, Any]]:
    """Return every move of an alias, oldest first."""
    return moves(settings.releases, name)


def versions(settings: Settings, name: str) -> list[dict[str, Any]]:
    """Return every released version with its aliases and headline figures, oldest first."""
    named = aliases(settings.releases, name)
    found = []
    for folder in sorted((settings.releases / name).glob("v*"), key=lambda f: int(f.name[1:])):
        m = Manifest(**json.loads((folder / "manifest.json").read_text(encoding="utf-8")))
        figures = m.figures
        found.append({
            "version": int(m.version), "aliases": sorted(a for a, v in named.items() if v == int(m.version)), "definition": m.definition,
            "horizon_days": m.horizon_days, "trained_on": f"{m.trained_on[0]} to {m.trained_on[-1]}", "until": m.until,
            "average_precision": figures["average_precision"], "interval": figures["intervals"]["average_precision"],
        })  # fmt: skip
    return found


def _move(settings: Settings, name: str, alias: str, version: int, *, who: str, why: str) -> dict[str, Any]:
    """Move an alias: first the log, then MLflow, then the file that the service reads, which is replaced at once."""
    folder = settings.releases / name
    now = aliases(settings.releases, name)
    entry = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "alias": alias,
        "version": version,
        "before": now.get(alias),
        "by": who,
        "why": why,
    }
    with (folder / MOVES).open("a", encoding="utf-8") as log:
        log.write(json.dumps(entry) + "\n")
    client(settings).set_registered_model_alias(name, alias, str(version))
    moved = {**now, alias: version}
    if alias == "champion" and moved.get("challenger") == version:
        del moved["challenger"]
        client(settings).delete_registered_model_alias(name, "challenger")
    with new_file(folder / ALIASES) as beside:
        beside.write_text(json.dumps(moved), encoding="utf-8")
    return entry
