"""Reproduce a stored score from its model, day and histories; report what differs or is missing."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from features import CohortRule
from features.counting.block_cache import kept_blocks
from features.matrix import tallied
from histories import location_cache
from histories.errors import Fault, Faults
from histories.reading.histories import Histories
from histories.settings import Settings
from serving.store import Store
from serving.store.caller import command_line
from serving.store.scores import stored_scores
from training.release.resolve import check_version
from training.risk_model import RiskModel
from training.task import ProgressCallback, quiet


@dataclass(frozen=True, kw_only=True)
class ReproducedScore:
    """The outcome of reproducing a score; it names no pupil and holds no pupil's value.

    Attributes
    ----------
    equal : bool
        Whether the whole score is the same, reasons and evidence included.
    missing : list of str
        Inputs that are missing or changed and prevent reproduction.
    differs : list of str
        Fields of the score that differ.
    """

    score_id: str
    model: str
    model_version: str
    as_of: str
    equal: bool
    missing: list[str] = field(default_factory=list)
    differs: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the data of ``--json``."""
        return asdict(self)

    def text(self) -> str:
        """Return the outcome as text."""
        if self.equal:
            outcome = "was reproduced exactly"
        else:
            outcome = "cannot be reproduced" if self.missing else "was recomputed and differs"
        head = f"score {self.score_id} by {self.model} {self.model_version} as of {self.as_of} {outcome}"
        return "\n".join([head, *(f"missing: {m}" for m in self.missing), *(f"differs: {d}" for d in self.differs)])


def used_for(model: str, version: str, as_of: str) -> str:
    """Return the name under which the location of the histories behind stored scores is recorded."""
    return f"scores {model} {version} {as_of}"


def reproduce(
    settings: Settings,
    score_id: str,
    folder: Path | None = None,
    *,
    rule: CohortRule | None = None,
    advance: ProgressCallback = quiet,
) -> ReproducedScore:
    """Recompute a stored score and compare.

    Parameters
    ----------
    folder : Path, optional
        The histories; by default those used when that day's scores were last stored on this machine.
    rule : CohortRule, optional
        The cohort rule, if not the default.

    Raises
    ------
    Faults
        If there is no such score, or the histories cannot be opened.
    """
    with Store.of(settings).view(command_line()) as view:
        stored = stored_scores.one(view, score_id)
    if stored is None:
        raise Faults(Fault("there is no such score", score_id, "Take the id from the child's history."))
    original = stored["score"]
    identity = {k: original[k] for k in ("model", "model_version", "as_of")}
    missing = []
    try:
        version = int(original["model_version"])
        model = RiskModel.load(*check_version(settings.releases, original["model"], version))
        if model.manifest.catalogue_digest != stored["catalogue_digest"]:
            missing.append("the feature catalogue that the score was computed with")
    except Faults as faults:
        missing += [f"the model: {f.what}" for f in faults.faults]
    try:
        purpose = used_for(original["model"], original["model_version"], original["as_of"])
        place = folder or location_cache.find(settings.whereabouts, used_for=purpose)
    except Faults as faults:
        missing += [f"the histories: {f.what}; {f.do}" for f in faults.faults]
    if missing:
        return ReproducedScore(score_id=score_id, **identity, equal=False, missing=missing)
    histories = Histories.open(place, engine=settings.engine, memory=settings.memory)
    blocks = kept_blocks(settings)
    ranked = model.ranked(tallied(histories, [stored["as_of"]], rule=rule, kept=blocks, advance=advance))
    row = ranked.filter(pl.col("pupil_id") == stored["pupil_id"])
    if row.is_empty():
        missing = ["the child in the cohort of these histories"]
        return ReproducedScore(score_id=score_id, **identity, equal=False, missing=missing)
    (score,) = model.explained(histories, row, stored["as_of"])
    recomputed = json.loads(json.dumps(score.to_dict(), allow_nan=False))
    if recomputed["features_digest"] != stored["features_digest"]:
        digests = f"{recomputed['features_digest'][:16]}, the score's were {stored['features_digest'][:16]}"
        missing = [f"the histories: features from {place} are {digests}"]
    differs = [k for k in original if recomputed.get(k) != original[k]]
    equal = not missing and not differs
    return ReproducedScore(score_id=score_id, **identity, equal=equal, missing=missing, differs=differs)
