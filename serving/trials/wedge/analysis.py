"""The analysis of a stepped wedge: every child in the unit that the lot gave its step, whatever was done since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from features.groups.disclosure import HIDDEN
from histories.errors import Fault, Faults
from histories.io.quantities import quantity
from serving.store.trials.trials import Registered
from serving.trials.analysis import NOTES, OF_ARMS, check_allocation, flow_of
from serving.trials.figures import Figures, conclusion_line, flow_lines, flow_shown, is_few, rounded
from serving.trials.plan import TrialPlan
from serving.trials.sentences import earlier_lines, never_started_lines, stopped_lines, stopped_of
from serving.trials.wedge.effects import effects, interval
from serving.trials.wedge.lot import step_named

LEFT_OUT = "in_a_unit_without_an_outcome_in_some_period"


@dataclass(frozen=True, kw_only=True)
class WedgeAnalysis:
    """The result of a stepped wedge.

    Attributes
    ----------
    flow : dict
        CONSORT counts, by step in place of arm; see ``serving.trials.analysis.Analysis``.
    periods : list of dict
        Mean outcome of the units ``with_help`` and ``without`` in each period; None where there are none.
    effect : float
    interval : tuple of float
        95% interval of the effect; an end is infinite if the test refuses nothing there.
    p : float
        Of the randomisation test over orders.
    few : set of tuple
        The periods with few children behind a mean, each with ``with_help`` or ``without``.
    left_out : int
        Units without a known outcome in some period.
    earlier : int
        How often the trial was analysed before.
    stopped : dict or None
        ``day`` and ``reason`` if it was stopped before its end.
    """

    plan: TrialPlan
    digest: str
    flow: dict[str, Any]
    periods: list[dict[str, float | None]]
    effect: float
    interval: tuple[float, float]
    p: float
    few: set[tuple[int, str]]
    left_out: int
    earlier: int
    never_started: list[str]
    stopped: dict[str, Any] | None = None

    @property
    def figures(self) -> Figures:
        """The comparison: the effect of having begun help."""
        few = bool(self.few)
        return Figures(plan=self.plan, who="Help", difference=self.effect, interval=self.interval, p=self.p, few=few)

    @property
    def notes(self) -> list[str]:
        """What to know when reading the result."""
        return [*NOTES, OF_ARMS["wedge"]]

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
            "periods": self._means(exact=exact),
            **self.figures.to_dict(exact=exact),
            "stopped": self.stopped,
            "units_left_out": self.left_out,
            "analysed_before": self.earlier,
            "never_started": self.never_started,
            "notes": self.notes,
        }

    def _means(self, *, exact: bool) -> list[dict[str, float | None]]:
        return [
            {
                key: None if mean is None or ((n, key) in self.few and not exact) else rounded(mean, exact=exact)
                for key, mean in means.items()
            }
            for n, means in enumerate(self.periods)
        ]

    def text(self, *, exact: bool) -> str:
        """Return the result as text; see ``to_dict``."""
        lines = [self.plan.question, *flow_lines(flow_shown(self.flow, exact=exact))]
        for number, means in enumerate(self._means(exact=exact), 1):
            shown = [f"{key.replace('_', ' ')} {mean:.3f}" for key, mean in means.items() if mean is not None]
            lines.append(f"period {number}: {', '.join(shown) or HIDDEN}")
        if self.left_out:
            lines.append(f"left out: {quantity(self.left_out, 'unit')} without a known outcome in some period")
        lines.append(conclusion_line(self.figures.to_dict(exact=exact), "randomisation test over orders"))
        lines += [*stopped_lines(self.plan, self.stopped), *earlier_lines(self.earlier)]
        return "\n".join([*lines, *never_started_lines(self.never_started), *self.notes])


def analyse_wedge(
    plan: TrialPlan,
    known: Registered,
    members: pl.DataFrame,
    outcomes: Sequence[pl.DataFrame],
    exceptions: Mapping[str, set[str]],
) -> WedgeAnalysis:
    """Analyse a stepped wedge by intention to treat.

    Parameters
    ----------
    members : polars.DataFrame
        See ``serving.store.trials.trials.allocations``.
    outcomes : sequence of polars.DataFrame
        See ``serving.trials.outcomes``; one a period.
    exceptions : mapping
        Children by reason.

    Raises
    ------
    Faults
        If the allocation was changed, or too few units have a known outcome in every period.
    """
    check_allocation(members, plan, known)
    long = pl.concat([rows.with_columns(period=pl.lit(n)) for n, rows in enumerate(outcomes)])
    of_units = members.select("pupil_id", "unit", "arm").join(long, on="pupil_id", maintain_order="left")
    cells = of_units.filter(pl.col("value").is_not_null()).group_by("unit", "arm", "period").agg(pl.col("value").mean())
    whole = cells.group_by("unit", "arm").agg(pl.col("period").n_unique()).filter(pl.col("period") == len(outcomes))
    units = whole.sort("unit")
    # Of a trial that was stopped early, units whose step had not come are alike.
    begins = np.array([min(step_named(arm), len(outcomes)) for arm in units["arm"]])
    if len(units) < 3 or len({*begins.tolist()}) < 2:
        do = "Name the histories of these children, or analyse later."
        raise Faults(Fault("too few units have a known outcome in every period", f"trial {plan.name}", do))
    grid = cells.sort("period").join(units.select("unit"), on="unit").sort("unit", "period")
    outcome = grid["value"].to_numpy().reshape(len(units), len(outcomes))
    known_children = of_units.filter(pl.col("value").is_not_null()).group_by("unit").agg(pl.col("pupil_id").n_unique())
    children = units.join(known_children, on="unit", maintain_order="left")["pupil_id"].to_numpy().astype(float)
    found = effects(begins[:, None], outcome[..., None], children, plan.seed)
    joined = _flowing(members, long, units["unit"].to_list())
    return WedgeAnalysis(
        plan=plan,
        digest=known.digest,
        flow=flow_of(plan, known, joined, exceptions),
        periods=_by_period(begins, outcome, children),
        effect=float(found.effect[0]),
        interval=interval(begins, outcome, children, plan.seed),
        p=float(found.p[0]),
        few=_few(plan, of_units.filter(pl.col("unit").is_in(units["unit"].implode()))),
        left_out=known.units - len(units),
        earlier=known.analysed,
        never_started=known.never_started,
        stopped=stopped_of(known),
    )


def _flowing(members: pl.DataFrame, long: pl.DataFrame, units: list[str]) -> pl.DataFrame:
    """Return the members with ``value`` and ``lost``: a child of a unit that was left out is not analysed, whatever is known of the child."""
    values = long.group_by("pupil_id").agg(pl.col("value").mean(), pl.col("lost").drop_nulls().first())
    joined = members.join(values, on="pupil_id", how="left", maintain_order="left")
    out = ~pl.col("unit").is_in(units) & pl.col("value").is_not_null()
    return joined.with_columns(
        pl.when(out).then(None).otherwise(pl.col("value")).alias("value"),
        pl.when(out).then(pl.lit(LEFT_OUT)).otherwise(pl.col("lost")).alias("lost"),
    )


def _by_period(begins: np.ndarray, outcome: np.ndarray, children: np.ndarray) -> list[dict[str, float | None]]:
    periods = []
    for period in range(outcome.shape[1]):
        on = begins <= period
        periods.append(
            {
                key: float(np.average(outcome[part, period], weights=children[part])) if part.any() else None
                for key, part in (("with_help", on), ("without", ~on))
            }
        )
    return periods


def _few(plan: TrialPlan, of_units: pl.DataFrame) -> set[tuple[int, str]]:
    """Return the periods with few children behind a mean, each with ``with_help`` or ``without``."""
    known = of_units.filter(pl.col("value").is_not_null())
    helped = pl.col("arm").map_elements(step_named, return_dtype=pl.Int64) <= pl.col("period")
    cells = known.group_by("period", pl.when(helped).then(pl.lit("with_help")).otherwise(pl.lit("without")).alias("of"))
    yes_or_no = plan.outcome != "attendance"
    return {(int(n), str(of)) for (n, of), part in cells if is_few(part["value"], yes_or_no=yes_or_no)}
