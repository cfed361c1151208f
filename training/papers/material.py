"""The input of the papers: a run, its histories, its extended report and the authority's facts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import polars as pl

from histories.calendar import london_today
from histories.reading.histories import Histories
from training.bundle import Manifest
from training.fitting.early_recall import CAPACITY, LEAD_DAYS
from training.fitting.helped import OUTCOME
from training.fitting.splits import Splits
from training.papers.authority import Authority
from training.papers.used import TableUsed, tables_used
from training.pipeline import Trained
from training.task import Task

UNREGISTERED = "(not numbered yet)"


@dataclass(frozen=True, kw_only=True)
class Material:
    """Everything that goes into the papers and the report; contains no child's row.

    Attributes
    ----------
    manifest : Manifest
    splits : Splits
    settings, story : dict
        The booster's settings, and how they were chosen.
    task : Task
    engine : str
    tables : list of TableUsed
    authorities, children : int
        Over all days.
    sampled : bool
        Whether children who did not go missing were sampled and are weighted.
    helped : int
        Snapshots that taught the model and were helped, see ``training.fitting.helped``.
    facts : Authority
    run_id : str
    on : date
        The day of the run.
    report : dict
        The result of ``training.evaluation.extended.extended_report``; empty without ``--report``.
    """

    manifest: Manifest
    splits: Splits
    settings: dict[str, Any]
    story: dict[str, Any]
    task: Task
    engine: str
    tables: list[TableUsed]
    authorities: int
    children: int
    sampled: bool = False
    helped: int = 0
    facts: Authority = field(default_factory=Authority)
    run_id: str = ""
    on: date = field(default_factory=london_today)
    report: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        histories: Histories,
        task: Task,
        trained: Trained,
        *,
        facts: Authority,
        run_id: str,
        report: dict[str, Any],
    ) -> Material:
        """Collect the material of a run."""
        frame = trained.frame
        return cls(
            manifest=trained.manifest,
            splits=trained.splits,
            settings=trained.settings,
            story=trained.story,
            task=task,
            engine=histories.engine,
            tables=tables_used(histories),
            authorities=frame["authority"].n_unique(),
            children=frame["pupil_id"].n_unique(),
            sampled=bool((frame.filter(pl.col("outcome") != OUTCOME)["weight"] != 1).any()),
            helped=trained.recipe["helped"]["helped"],
            facts=facts,
            run_id=run_id,
            report=report,
        )

    def named(self, version: str) -> Material:
        """Return a copy with the model's version in the registry."""
        return replace(self, manifest=replace(self.manifest, version=version))

    @property
    def version(self) -> str:
        """The model's version in the registry."""
        return self.manifest.version if self.manifest.version != "0" else UNREGISTERED

    @property
    def title(self) -> str:
        """The model's name and version."""
        return f"{self.manifest.name}, version {self.version}"

    @property
    def choice(self) -> str:
        """By which figure the released candidate was chosen, or where the model was adopted from."""
        if self.manifest.parent:
            return self.adopted
        near = "the safest of those within noise of the smallest mean regret in average precision"
        if self.story.get("chosen_by") == "early_recall":
            more = ", or finding more early than the one with it," if self.story.get("finds_more_early") else ""
            return (
                f"{near}{more} and of the highest early recall (outcomes {LEAD_DAYS} days away or more, {CAPACITY} children on each list of those not "
                "yet stopping); average precision alone would have taken another"
            )
        return f"{near}; none of them has a higher early recall at capacity beyond noise"

    @property
    def adopted(self) -> str:
        """Where the model was adopted from and how its calibration changed; empty for a model trained here."""
        if not (parent := self.manifest.parent):
            return ""
        change = parent["recalibration"]
        return (
            f"adopted from {parent['name']} version {parent['version']} of another authority (bundle {parent['bundle'][:16]}); only its calibration "
            f"was adapted here, by {change['intercept']:+.2f} in log-odds where events were expected and a slope of {change['slope']:.2f}"
        )

    @property
    def figures(self) -> dict[str, Any]:
        """The model's figures on the test dates."""
        return self.manifest.figures
