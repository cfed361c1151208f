"""Promotion: check a version's dossier by every gate, and log the outcome."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from histories.calendar import london_day
from histories.errors import Faults
from histories.io.account import account
from histories.io.digest import file_digest
from histories.settings import Settings
from training.bundle import bundle_digest, read_bundle, read_recipe
from training.fitting.helped import NEVER
from training.gates import GATES, Verdict
from training.gates.gate import check_all
from training.gates.limits import load_limits
from training.papers.rendering import STEMS
from training.release.registry import (
    EVIDENCE,
    champion,
    folder_of,
    history,
    keep_evidence,
    move,
    moving,
    note,
    tag_gates,
    verify,
)
from training.release.resolve import WITHDRAWN, aliases, withdrawn


def promote(settings: Settings, name: str, version: int, *, who: str, why: str) -> dict[str, Any]:
    """Make a version the champion if it passes every gate; the outcome is logged either way.

    Parameters
    ----------
    who : str
        The approver, who must not be the trainer.

    Returns
    -------
    dict
        The log entry; ``action`` is ``promoted`` or ``refused``, ``gates`` holds the verdicts.

    Raises
    ------
    Faults
        If there is no such version, or the log does not verify.
    """
    folder_of(settings, name, version)
    with moving(settings, name):
        begun = len(history(settings, name))
        parts, limits = dossier(settings, name, version, who=who, why=why), load_limits(settings.gates)
        verdicts = check_all(GATES, parts, limits)
        failed = [v for v in verdicts if not v.passed]
        tag_gates(settings, name, version, [v.code for v in failed])
        if not parts["log"]["whole"]:
            raise Faults([v.fault(f"{name} {version}") for v in failed])
        fields = {
            "by": who,
            "why": why,
            "account": account(),
            "trained_by": parts["recipe"].get("trained_by"),
            "gates": [asdict(v) for v in verdicts],
            "limits": limits,
            "bundle": parts["bundle"]["digest"],
            "evidence": parts["evidence_digest"],
            **{k: parts["manifest"].get(f"{k}_digest") for k in ("data", "catalogue")},
        }
        if failed:
            return note(settings, name, version=version, action="refused", **fields)
        return move(settings, name, "champion", version, since=begun, action="promoted", **fields)


def gates(settings: Settings, name: str, version: int, *, who: str = "", why: str = "") -> list[Verdict]:
    """Return the verdict of every gate on a version, without promoting it."""
    return check_all(GATES, dossier(settings, name, version, who=who, why=why), load_limits(settings.gates))


def dossier(settings: Settings, name: str, version: int, *, who: str, why: str) -> dict[str, Any]:
    """Return the dossier of a version for the gates.

    Damaged parts, and evidence whose hash is not the logged one, are left out, so that gates that need them fail.
    """
    folder, log = folder_of(settings, name, version), history(settings, name)
    entries = [e for e in log if e.get("version") == version]
    registered = next((e for e in entries if e.get("action") == "registered"), {})
    manifest, recipe, papers, booster, harm = {}, {}, {}, "", ""
    try:
        booster, stored_manifest = read_bundle(folder)
        manifest, recipe = asdict(stored_manifest), read_recipe(folder)
        paper_files = {name: folder / f"{stem}.json" for name, stem in STEMS.items()}
        papers = {n: json.loads(f.read_text(encoding="utf-8")) for n, f in paper_files.items() if f.is_file()}
    except Faults as faults:
        harm = "; ".join(f"{Path(f.where).name}: {f.what}" for f in faults.faults)
    digest_in_log = _evidence_digest(entries)
    serving = champion(settings, name)
    followed = verify(settings, name)
    return {
        "version": version,
        "approver": who,
        "reason": why,
        "manifest": manifest,
        "recipe": recipe,
        "booster": booster,
        "papers": papers,
        "bundle": {
            "whole": not harm,
            "why": harm,
            "digest": bundle_digest(folder),
            "registered": registered.get("bundle"),
        },
        "evidence": _evidence(settings, name, version, digest_in_log),
        "evidence_digest": digest_in_log,
        "log": {
            "whole": followed.whole,
            "why": f"line {followed.bad}: {followed.why}",
            "lines": followed.lines,
            "version": registered.get("version"),
            "champion": serving,
            "served_since": _served_since(log),
            "alias": _alias(settings, name, serving),
            "champion_bundle": next(
                (e.get("bundle") for e in log if e.get("version") == serving and e.get("action") == "registered"), None
            ),
        },
    }


def _served_since(log: list[dict[str, Any]]) -> str:
    """Return the day from which a version served, so that lists may have led to help; ``NEVER`` if none has."""
    champions = [e for e in log if e.get("alias") == "champion" and e.get("action") != WITHDRAWN]
    return min((str(london_day(datetime.fromisoformat(e["at"]))) for e in champions), default=NEVER)


def _alias(settings: Settings, name: str, serving: int) -> int:
    """Return the version of the champion's alias; a withdrawn champion has none, and is still the one to beat."""
    lacking = serving if withdrawn(settings.releases, name, "champion") else 0
    return aliases(settings.releases, name).get("champion", lacking)


def _evidence_digest(entries: list[dict[str, Any]]) -> str | None:
    """Return the hash of a version's newest evidence from its log entries."""
    return next((e["evidence"] for e in reversed(entries) if e.get("action") in ("registered", "judged")), None)


def _evidence(settings: Settings, name: str, version: int, digest_in_log: str | None) -> dict[str, Any]:
    file = settings.releases / name / EVIDENCE / f"v{version}.json"
    if not digest_in_log or not file.is_file() or file_digest(file) != digest_in_log:
        return {}
    return json.loads(file.read_text(encoding="utf-8"))


def current_evidence(settings: Settings, name: str, version: int) -> dict[str, Any]:
    """Return a version's evidence; empty if there is none or its hash is not the logged one."""
    entries = [e for e in history(settings, name) if e.get("version") == version]
    return _evidence(settings, name, version, _evidence_digest(entries))


def record_evidence(settings: Settings, name: str, version: int, evidence: dict[str, Any]) -> dict[str, Any]:
    """Store new evidence of a version, log its hash, and return the log entry."""
    with moving(settings, name):
        digest = keep_evidence(settings, name, version, evidence)
        fields = {"by": account(), "why": "judged again", "evidence": digest, "data": evidence["histories"]}
        return note(settings, name, version=version, action="judged", **fields)
