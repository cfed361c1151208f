"""The analysis of a trial: every child in the arm that the lot gave, whatever was done for the child since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from features.groups.disclosure import HIDDEN
from histories.errors import Fault, Faults
from histories.io.quantities import quantity
from serving.store.trials.trials import Registered
from serving.trials.allocation import drawn_by
from serving.trials.effects import effects
from serving.trials.figures import Figures, conclusion_line, flow_lines, flow_shown, is_few, rounded
from serving.trials.plan import TrialPlan
from serving.trials.sentences import earlier_lines, never_started_lines, stopped_lines, stopped_of

NOTES = (
    "By intention to treat: every child stays in the arm that the lot gave, whatever was done since, safety exceptions included. That makes an effect look smaller, never larger.",
    "Children whose outcome is not known are left out and counted; if help changes who is lost, the difference is biased.",
)
OF_ARMS = {
    "help": "The effect is that of being helped now rather than as usual, for the children of this list; other lists and teams may differ.",
    "order": "The effect is that of one order rather than another, for a team that reaches this part of this list; other lists and teams may differ.",
    "wedge": "The effect is that of having begun help in these units, within periods and within units; it is taken to be the same in each period.",
}


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """The result of a trial.

    Attributes
    ----------
    flow : dict
        CONSORT counts: ``assessed``, ``not_eligible``, ``allocated``, and by arm ``allocated``, ``units``, ``exceptions``, ``erased``,
        ``lost`` by reason, ``analysed``.
    means : dict
        Mean outcome of each arm.
    interval : tuple of float or None
        95% interval of the difference; None if an arm has fewer than two units.
    p : float
        Of the randomisation test.
    few : bool
        Whether few children are behind a mean.
    earlier : int
        How often the trial was analysed before.
    never_started : list of str
        Plans of the authority that were registered before this trial started, and not started.
    stopped : dict or None
        ``day`` and ``reason`` if it was stopped before its end.
    """

    plan: TrialPlan
    digest: str
    flow: dict[str, Any]
    means: dict[str, float]
    interval: tuple[float, float] | None
    p: float
    few: bool
    earlier: int
    never_started: list[str]
    stopped: dict[str, Any] | None = None

    @property
    def notes(self) -> list[str]:
        """What to know when reading the result."""
        return [*NOTES, OF_ARMS[self.plan.arms]]

    @property
    def figures(self) -> Figures:
        """The comparison: the mean of the first arm, minus that of the second."""
        first, second = (arm.replace("_", " ").capitalize() for arm in self.means)
        one, other = self.means.values()
        return Figures(
            plan=self.plan,
            who=first if self.plan.arms == "help" else f"{first} against {second.lower()}",
            difference=one - other,
            interval=self.interval,
            p=self.p,
            few=self.few,
        )

    def to_dict(self, *, exact: bool) -> dict[str, Any]:
        """Return JSON-ready data without any child; unless ``exact``, as it may be shown to anybody."""
        return {
            "name": self.plan.name,
            "question": self.plan.question,
            "plan": self.digest,
            "outcome": self.plan.outcome,
            "arms": self.plan.arms,
            "unit": self.plan.unit,
            "flow": flow_shown(self.flow, exact=exact),
            **self._means(exact=exact),
            **self.figures.to_dict(exact=exact),
            "stopped": self.stopped,
            "analysed_before": self.earlier,
            "never_started": self.never_started,
            "notes": self.notes,
        }

    def _means(self, *, exact: bool) -> dict[str, float | None]:
        hidden = self.few and not exact
        return {arm: None if hidden else rounded(mean, exact=exact) for arm, mean in self.means.items()}

    def text(self, *, exact: bool) -> str:
        """Return the result as text; see ``to_dict``."""
        figures = self.figures.to_dict(exact=exact)
        means = (
            f"{arm.replace('_', ' ')} {mean:.3f}" for arm, mean in self._means(exact=exact).items() if mean is not None
        )
        lines = [self.plan.question, *flow_lines(flow_shown(self.flow, exact=exact))]
        lines += [f"mean outcome: {', '.join(means) or HIDDEN}", conclusion_line(figures, "randomisation test")]
        lines += [*stopped_lines(self.plan, self.stopped), *earlier_lines(self.earlier)]
        return "\n".join([*lines, *never_started_lines(self.never_started), *self.notes])


def check_allocation(members: pl.DataFrame, plan: TrialPlan, known: Registered) -> None:
    """Raise ``Faults`` unless every stored arm is the one that the lot gives."""
    drawn = drawn_by(plan, members["unit"].to_list(), known.salt, known.units)
    changed = sum(arm != stored for arm, stored in zip(drawn, members["arm"], strict=True))
    if changed:
        do = "Somebody changed the database or the plan's seed: run 'onroll audit verify', and restore a backup."
        raise Faults(
            Fault(
                f"the lot gave {quantity(changed, 'child')} another arm than the stored one", f"trial {plan.name}", do
            )
        )


def analyse(
    plan: TrialPlan,
    known: Registered,
    members: pl.DataFrame,
    outcome: pl.DataFrame,
    exceptions: Mapping[str, set[str]],
) -> Analysis:
    """Analyse a trial by intention to treat.

    Parameters
    ----------
    known : Registered
    members : polars.DataFrame
        See ``serving.store.trials.trials.allocations``.
    outcome : polars.DataFrame
        See ``serving.trials.outcomes``.
    exceptions : mapping
        Children by reason.

    Raises
    ------
    Faults
        If the allocation was changed, or an arm has no child with a known outcome.
    """
    check_allocation(members, plan, known)
    first, second = plan.arm_names
    joined = members.join(outcome, on="pupil_id", how="left", maintain_order="left")
    analysed = joined.filter(pl.col("value").is_not_null())
    if set(analysed["arm"]) != {first, second}:
        do = "Name the histories of these children, or analyse later."
        raise Faults(Fault("an arm has no child with a known outcome", f"trial {plan.name}", do))
    units = analysed.group_by("unit").agg(pl.col("arm").first(), pl.col("value").sum(), pl.len()).sort("unit")
    found = effects(
        (units["arm"] == first).to_numpy()[:, None],
        units["value"].to_numpy()[:, None],
        units["len"].to_numpy().astype(float),
        plan.seed,
    )
    low, high = float(found.low[0]), float(found.high[0])
    return Analysis(
        plan=plan,
        digest=known.digest,
        flow=flow_of(plan, known, joined, exceptions),
        means={first: float(found.help_now[0]), second: float(found.usual[0])},
        interval=(low, high) if np.isfinite(low) else None,
        p=float(found.p[0]),
        few=any(is_few(part["value"], yes_or_no=plan.outcome != "attendance") for part in analysed.partition_by("arm")),
        earlier=known.analysed,
        never_started=known.never_started,
        stopped=stopped_of(known),
    )


def flow_of(
    plan: TrialPlan, known: Registered, joined: pl.DataFrame, exceptions: Mapping[str, set[str]]
) -> dict[str, Any]:
    """Return CONSORT counts of children with ``value``, null if the outcome is ``lost``."""
    started = known.started or {}
    allocated = sum(started["arms"].values())
    excepted = set().union(*exceptions.values())
    arms = {}
    for arm in plan.arm_names:
        part = joined.filter(pl.col("arm") == arm)
        lost = part.filter(pl.col("value").is_null())["lost"].fill_null("not_in_the_histories").value_counts(sort=True)
        arms[arm] = {
            "allocated": started["arms"].get(arm, 0),
            "units": part["unit"].n_unique(),
            "exceptions": len(excepted & set(part["pupil_id"])),
            "erased": started["arms"].get(arm, 0) - len(part),
            "lost": dict(lost.iter_rows()),
            "analysed": len(part.filter(pl.col("value").is_not_null())),
        }
    return {
        "assessed": started["assessed"],
        "not_eligible": started["assessed"] - allocated,
        "allocated": allocated,
        "split_homes": started["split_homes"],
        "exceptions": {why: len(pupils & set(joined["pupil_id"])) for why, pupils in exceptions.items()},
        "arms": arms,
    }
