"""The registry: versions, aliases and the promotion log, in MLflow and in the release folders."""

from __future__ import annotations

import json
import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from histories.errors import Fault, Faults
from histories.io.account import account
from histories.io.atomic_write import locked, new_file, new_folder
from histories.io.digest import file_digest
from histories.settings import Settings
from training.bundle import MANIFEST, Manifest, bundle_digest, read_bundle, write_bundle
from training.papers import Material, card_in_short, files_of
from training.pipeline import Trained
from training.release.promotion_log import HEAD, LogState, append, verify_to
from training.release.resolve import ALIASES, MOVES, aliases, check_version, logged
from training.release.standing import WITHDRAWN, before_the_champion

MAX_DESCRIPTION = 5000  # characters; MLflow's tables take no more
CUT = "\n…"
WHOLE_CARD = "The whole card is `data/onroll/card.md` among the model's artifacts."
SERVED = (
    "Ranks children on school rolls by their risk of going missing from education. What serves is decided by the promotion log: move aliases "
    "with `onroll models promote` and `onroll models rollback` only. `onroll models verify` reports aliases that were moved here."
)
EVIDENCE = "evidence"  # folder beside the versions


def client(settings: Settings) -> Any:
    """Return an MLflow client; imported here because importing MLflow takes seconds."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    import logging

    logging.getLogger("alembic").setLevel(logging.WARNING)
    import mlflow

    if settings.tracking_uri.startswith("sqlite:///"):
        Path(settings.tracking_uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    mlflow.set_tracking_uri(settings.tracking_uri)
    return mlflow.MlflowClient()


def register(
    settings: Settings,
    trained: Trained,
    *,
    run_id: str,
    model_id: str,
    material: Material,
    evidence: dict[str, Any] | None = None,
) -> tuple[int, Path, dict[str, Any]]:
    """Register a trained model as a new version, release it, and make it the challenger, or the champion if there is none and no second person is set.

    Parameters
    ----------
    run_id, model_id : str
        The run, and the model logged in it, in MLflow; see ``training.release.tracking``.
    evidence : dict, optional
        Evidence for the gates; see ``training.release.gate_evidence``.

    Returns
    -------
    version, folder, line
        ``line`` is the one of the log.
    """
    from mlflow.exceptions import MlflowException

    api = client(settings)
    name = trained.manifest.name
    try:
        api.create_registered_model(name, description=SERVED)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
        if not api.get_registered_model(name).description:
            api.update_registered_model(name, SERVED)
    m = trained.manifest
    created = api.create_model_version(
        name,
        source=f"models:/{model_id}",
        run_id=run_id,
        model_id=model_id,
        tags={"definition": m.definition, "horizon_days": m.horizon_days, "candidate": m.candidate},
    )
    version = int(created.version)
    api.update_model_version(name, created.version, description_of(m, material.named(created.version)))
    trained.manifest.version = str(version)
    folder = settings.releases / name / f"v{version}"
    with new_folder(folder) as temporary:
        papers = files_of(material.named(str(version)))
        write_bundle(temporary, trained.booster, trained.manifest, papers, trained.recipe)
    made = f"adopted from bundle {m.parent['bundle'][:16]}" if m.parent else "newly trained"
    with moving(settings, name):
        first = not champion(settings, name)
        serves = first and not _waits(settings)
        why = "first model; not approved by anyone" if serves else "first model; waits for a second person"
        line = move(
            settings,
            name,
            "champion" if serves else "challenger",
            version,
            action="registered",
            by=trained.recipe["trained_by"],
            why=why if first else made,
            run_id=run_id,
            bundle=bundle_digest(folder),
            data=trained.manifest.data_digest,
            catalogue=trained.manifest.catalogue_digest,
            evidence=keep_evidence(settings, name, version, evidence) if evidence else None,
        )
    return version, folder, line


def _waits(settings: Settings) -> bool:
    """Return whether the first version waits: nobody alone makes a champion where a second person is set."""
    return settings.second_person


def origin_of(manifest: Manifest) -> str:
    """Say what a model was trained on, and where it was adopted from, for MLflow."""
    days = f"{manifest.trained_on[0]} to {manifest.trained_on[-1]}"
    if not manifest.parent:
        return f"Trained on {days}"
    parent = manifest.parent
    return f"Adopted from {parent['name']} version {parent['version']} of another authority (bundle {parent['bundle']}), trained there on {days}"


def description_of(manifest: Manifest, material: Material) -> str:
    """Return what MLflow's page of a version says: where it comes from, its input, and its card in short."""
    text = f"{origin_of(manifest)}. Input: the matrix of 'onroll features'. {WHOLE_CARD}\n\n{card_in_short(material)}"
    if len(text) <= MAX_DESCRIPTION:
        return text
    kept = text[: MAX_DESCRIPTION - len(CUT)]
    return kept[: max(kept.rfind("\n"), len(WHOLE_CARD))] + CUT


def moving(settings: Settings, name: str, *, wait: bool = True) -> AbstractContextManager[bool]:
    """Lock a model's aliases and log, so that one process at a time reads and changes them."""
    return locked(settings.releases / name / ".promotion", wait=wait)


def keep_evidence(settings: Settings, name: str, version: int, evidence: dict[str, Any]) -> str:
    """Write a version's evidence beside the releases, and return its hash for the log."""
    file = settings.releases / name / EVIDENCE / f"v{version}.json"
    with new_file(file) as temporary:
        temporary.write_text(json.dumps(evidence, indent=1, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8")
    return file_digest(file)


def champion(settings: Settings, name: str) -> int:
    """Return the logged champion's version, or the last one if it was withdrawn; 0 if there has been none."""
    moved = (e for e in reversed(history(settings, name)) if e.get("alias") == "champion")
    return next((int(e["version"]) for e in moved if e.get("action") != WITHDRAWN), 0)


def serving_folder(settings: Settings, name: str) -> Path | None:
    """Return the champion's folder; None if there has been none."""
    version = champion(settings, name)
    return folder_of(settings, name, version) if version else None


def folder_of(settings: Settings, name: str, version: int) -> Path:
    """Return the folder of a version.

    Raises
    ------
    Faults
        If there is no such version.
    """
    folder = settings.releases / name / f"v{version}"
    if not (folder / MANIFEST).is_file():
        do = "Run 'onroll models list' to see the versions."
        raise Faults(Fault("there is no such version", f"{name} {version}", do))
    return folder


def rollback(settings: Settings, name: str, *, who: str, why: str) -> dict[str, Any]:
    """Make the previous champion the champion again; gates do not apply.

    A second rollback goes to the champion before that one: versions that were rolled back from or withdrawn are skipped, and serve again
    only by a promotion through the gates.

    Raises
    ------
    Faults
        If there was no earlier champion, its files are damaged, the champion was withdrawn meanwhile, or the approver or reason is missing.
    """
    if not who.strip() or not why.strip():
        raise Faults(Fault("an approver and a reason are required", "models rollback", "Give --by and --reason."))
    with moving(settings, name):
        begun, version = len(history(settings, name)), earlier_champion(settings, name)
        read_bundle(folder_of(settings, name, version))
        _, bundle = check_version(settings.releases, name, version)  # the log must not vouch for a changed folder
        fields = {"action": "rolled back", "by": who, "why": why, "account": account(), "bundle": bundle}
        return move(settings, name, "champion", version, since=begun, **fields)


def earlier_champion(settings: Settings, name: str) -> int:
    """Return the version that a rollback makes the champion.

    Raises
    ------
    Faults
        If there is none.
    """
    version = before_the_champion(history(settings, name))
    if version is None:
        raise Faults(Fault("there is no earlier champion", name, "Promote a version by its number instead."))
    return version


def history(settings: Settings, name: str) -> list[dict[str, Any]]:
    """Return every line of the log, oldest first."""
    return logged(settings.releases, name)


def versions(settings: Settings, name: str) -> list[dict[str, Any]]:
    """Return every released version with its aliases and headline figures, oldest first."""
    named = aliases(settings.releases, name)
    rows = []
    for folder in sorted((settings.releases / name).glob("v*"), key=lambda f: int(f.name[1:])):
        m = Manifest(**json.loads((folder / "manifest.json").read_text(encoding="utf-8")))
        figures = m.figures
        rows.append(
            {
                "version": int(m.version),
                "aliases": sorted(a for a, v in named.items() if v == int(m.version)),
                "definition": m.definition,
                "horizon_days": m.horizon_days,
                "trained_on": f"{m.trained_on[0]} to {m.trained_on[-1]}",
                "until": m.until,
                "average_precision": figures["average_precision"],
                "interval": figures["intervals"]["average_precision"],
            }
        )
    return rows


def note(settings: Settings, name: str, **fields: Any) -> dict[str, Any]:
    """Append a line to a model's log and record its end in MLflow.

    Raises
    ------
    Faults
        If the log does not verify.
    """
    check_log(settings, name)
    line = append(settings.releases / name / MOVES, settings.signing_key, **fields)
    client(settings).set_registered_model_tag(name, HEAD, f"{line['n']} {line['hash']}")
    return line


def check_log(settings: Settings, name: str) -> None:
    """Raise ``Faults`` if a model's log does not verify."""
    chain = verify(settings, name)
    if not chain.whole:
        raise Faults(chain.fault(f"{name}, {MOVES}"))


def verify(settings: Settings, name: str) -> LogState:
    """Verify a model's log from the first line to the end recorded in MLflow."""
    return verify_to(settings.releases / name / MOVES, _registered(settings, name, "tags").get(HEAD, ""))


def tag_gates(settings: Settings, name: str, version: int, failed: list[str]) -> None:
    """Show in MLflow which gates a version failed when it was last put forward; the log holds the verdicts themselves."""
    client(settings).set_model_version_tag(
        name, str(version), "gates", f"failed {', '.join(failed)}" if failed else "passed"
    )


def check_mlflow_aliases(settings: Settings, name: str) -> list[Fault]:
    """Return each alias that names another version in MLflow than the one that is served."""
    served = aliases(settings.releases, name)
    named = {alias: int(version) for alias, version in _registered(settings, name, "aliases").items()}
    return [
        Fault(
            f"MLflow's alias names version {named.get(alias, 'none')}, and version {served.get(alias, 'none')} is served",
            f"{name}@{alias}",
            "Move aliases with 'onroll models promote' or 'rollback' only: they check gates and write the log.",
            "alias_differs_in_mlflow",
        )
        for alias in sorted(served.keys() | named.keys())
        if named.get(alias) != served.get(alias)
    ]


def _registered(settings: Settings, name: str, field: str) -> dict[str, str]:
    """Return the tags or aliases of a registered model in MLflow; empty when MLflow does not know the model."""
    from mlflow.exceptions import MlflowException

    try:
        return dict(getattr(client(settings).get_registered_model(name), field))
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return {}


def move(settings: Settings, name: str, alias: str, version: int, **fields: Any) -> dict[str, Any]:
    """Move an alias: first in the log, then in MLflow, then in the file that the service reads, which is replaced atomically.

    ``fields`` are those of ``promotion_log.append``, ``since`` among them.
    """
    now = aliases(settings.releases, name)
    entry = note(settings, name, alias=alias, version=version, before=now.get(alias), **fields)
    client(settings).set_registered_model_alias(name, alias, str(version))
    moved = {**now, alias: version}
    if alias == "champion" and moved.get("challenger") == version:
        del moved["challenger"]
        client(settings).delete_registered_model_alias(name, "challenger")
    write_aliases(settings, name, moved)
    return entry


def write_aliases(settings: Settings, name: str, versions_of: dict[str, int]) -> None:
    """Replace the file of aliases that the service reads."""
    with new_file(settings.releases / name / ALIASES) as temporary:
        temporary.write_text(json.dumps(versions_of), encoding="utf-8")
