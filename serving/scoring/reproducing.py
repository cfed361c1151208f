"""Make a stored score again from its model, its day and its histories, and say that it is the same, or what differs or is missing."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from features import CohortRule
from features.counting.block_cache import BlockStore
from features.matrix import tallied
from histories import location_cache
from histories.errors import Fault, Faults
from histories.reading.histories import Histories
from histories.settings import Settings
from serving.store import Store
from serving.store.caller import command_line
from serving.store.scores import stored_scores
from training.risk_model import RiskModel
from training.task import ProgressCallback, quiet


@dataclass(frozen=True, kw_only=True)
class RemadeScore:
    """What came of making a score again; no child and no value is in it.

    Attributes
    ----------
    equal : bool
        Whether the whole score, with its reasons and records, is the same.
    missing : list of str
        What there is not, or is another, so that the score could not be the same.
    differs : list of str
        The parts that came out otherwise.
    """

    score_id: str
    model: str
    model_version: str
    as_of: str
    equal: bool
    missing: list[str] = field(default_factory=list)
    differs: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return asdict(self)

    def text(self) -> str:
        """Return what a person reads."""
        said = "is equal" if self.equal else "cannot be made again" if self.missing else "came out otherwise"
        head = f"score {self.score_id} by {self.model} {self.model_version} as of {self.as_of} {said}"
        return "\n".join([head, *(f"missing: {m}" for m in self.missing), *(f"differs: {d}" for d in self.differs)])


def used_for(model: str, version: str, as_of: str) -> str:
    """Return the name under which the histories of stored scores are noted."""
    return f"scores {model} {version} {as_of}"


def remake(
    own: Settings,
    score_id: str,
    folder: Path | None = None,
    *,
    rule: CohortRule | None = None,
    advance: ProgressCallback = quiet,
) -> RemadeScore:
    """Make a stored score again.

    Parameters
    ----------
    folder : Path, optional
        The histories; without it those from which scores of the day were stored here last.
    rule : CohortRule, optional
        The rule of who was scored, where it was not the default.

    Raises
    ------
    Faults
        When there is no such score, or the histories cannot be opened.
    """
    with Store.of(own).view(command_line()) as view:
        stored = stored_scores.one(view, score_id)
    if stored is None:
        raise Faults(Fault("there is no such score", score_id, "Take its id from the child's history."))
    then = stored["score"]
    known = {k: then[k] for k in ("model", "model_version", "as_of")}
    missing = []
    try:
        model = RiskModel.load(own.releases / then["model"] / f"v{then['model_version']}")
        if model.manifest.catalogue_digest != stored["catalogue_digest"]:
            missing.append("the catalogue of features that the score was made with")
    except Faults as faults:
        missing += [f"the model: {f.what}" for f in faults.faults]
    try:
        place = folder or location_cache.find(own.whereabouts, used_for=used_for(**_named(known)))
    except Faults as faults:
        missing += [f"the histories: {f.what}; {f.do}" for f in faults.faults]
    if missing:
        return RemadeScore(score_id=score_id, **known, equal=False, missing=missing)
    opened = Histories.open(place, engine=own.engine, memory=own.memory)
    frame = model.ranked(tallied(opened, [stored["as_of"]], rule=rule, kept=BlockStore(own.blocks), advance=advance))
    child = frame.filter(pl.col("pupil_id") == stored["pupil_id"])
    if child.is_empty():
        missing = ["the child in the cohort of these histories"]
        return RemadeScore(score_id=score_id, **known, equal=False, missing=missing)
    (again,) = model.explain(opened, child, stored["as_of"])
    now = json.loads(json.dumps(again.to_dict(), allow_nan=False))
    if now["features_digest"] != stored["features_digest"]:
        missing = [
            f"the histories: features from {place} are {now['features_digest'][:16]}, the score's were {stored['features_digest'][:16]}"
        ]
    differs = [k for k in then if now.get(k) != then[k]]
    return RemadeScore(score_id=score_id, **known, equal=not missing and not differs, missing=missing, differs=differs)


def _named(known: dict[str, str]) -> dict[str, str]:
    return {"model": known["model"], "version": known["model_version"], "as_of": known["as_of"]}
