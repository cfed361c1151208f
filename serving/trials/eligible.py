"""Who takes part in a trial: the first children of the plan's list, each with a unit."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from histories.errors import Fault, Faults
from histories.io.quantities import quantity
from serving.store import Store
from serving.store.caller import Caller
from serving.store.scores.complete_lists import CompleteList, scores_of
from serving.store.trials import duties, trials
from serving.trials.allocation import check_units, units_of
from serving.trials.order import SOON_DAYS
from serving.trials.plan import Plan, TrialPlan
from serving.trials.sample import Sample
from serving.trials.stored_list import in_order, sources_of, stored_list


@dataclass(frozen=True, kw_only=True)
class Eligible:
    """Who takes part.

    Attributes
    ----------
    of : CompleteList
    rows : polars.DataFrame
        ``pupil_id, unit, number, authority, risk, as_of, rank, due, deadline``, by rank. ``number`` is that of the child by keyed reference, ``due`` when its first
        duty is due; ``deadline``: it is helped whatever the arm.
    assessed : int
        Children of the list.
    split_homes : int
        Homes whose children are in several units.
    share_a_home : int
        Children of ``rows`` who are known to share their address with another child; of the others nobody knows.
    sources : dict
        The newest day of each table that the list was made from.
    """

    of: CompleteList
    rows: pl.DataFrame
    assessed: int
    split_homes: int
    share_a_home: int
    sources: dict[str, str]

    @property
    def digest(self) -> str:
        """SHA-256 of the children with their units: nobody can be added, left out or moved after the registration, when the lot can be foreseen."""
        lines = sorted(f"{pupil}:{unit}" for pupil, unit in self.rows.select("pupil_id", "unit").iter_rows())
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    @property
    def units(self) -> int:
        """How many units there are."""
        return self.rows["unit"].n_unique()

    @property
    def sample(self) -> Sample:
        """The children as the simulation needs them."""
        unit = self.rows["unit"].rank("dense").to_numpy().astype(int) - 1
        excepted = self.rows["deadline"].to_numpy()
        return Sample(unit=unit, risk=self.rows["risk"].to_numpy(), excepted=excepted, due=due_days(self.rows))


def due_days(rows: pl.DataFrame) -> np.ndarray:
    """Return the day on which the first duty of each child is due as a number, infinite without one."""
    return np.array([day.toordinal() if day else np.inf for day in rows["due"]], float)


def eligible(store: Store, caller: Caller, plan: Plan, day: date | None = None) -> Eligible:
    """Return the first children of the plan's list, each with a unit.

    Parameters
    ----------
    day : date, optional
        The day of the allocation; by default that of the list.

    Raises
    ------
    Faults
        If there is no such list, or ``check_units`` refuses its units.
    """
    wanted = plan.of
    with store.view(caller) as view:
        of = stored_list(view, wanted, plan.file)
        sources = sources_of(view, of)
        scores, homes, due = scores_of(view, [of]), trials.homes(view), duties.due(view)
        first = in_order(scores, wanted).head(wanted.first)
        pupils = first["pupil_id"].to_list()
        urns = _places(plan, trials.urns(view, pupils))
        units = units_of(wanted.unit, pupils, urns, homes, view.chain.reference)
        number = {p: n for n, p in enumerate(sorted(pupils, key=view.chain.reference))}
        view.record("trial.list_seen", pupils=pupils, name=wanted.name)
    split = check_units(wanted.unit, pupils, units, homes, steps=wanted.steps)
    rows = first.select("pupil_id", "authority", "risk", "as_of", "rank").with_columns(
        pl.Series("unit", units, pl.String),
        pl.Series("number", [number[p] for p in pupils], pl.Int64),
        pl.Series("due", [due.get(p) for p in pupils], pl.Date),
        pl.Series("deadline", [p in excepted_by(wanted, due, day or wanted.as_of) for p in pupils], pl.Boolean),
    )
    return Eligible(
        of=of,
        rows=rows,
        assessed=len(scores),
        split_homes=split,
        share_a_home=len(homes.keys() & set(pupils)),
        sources=sources,
    )


def excepted_by(plan: TrialPlan, due: dict[str, date], day: date) -> set[str]:
    """Return the children whom a duty excepts: any that runs; of a trial of orders, which all reach the list's end, one due within days."""
    soon = day + timedelta(days=SOON_DAYS)
    return {pupil for pupil, on in due.items() if plan.arms != "order" or on <= soon}


def _places(plan: Plan, urns: dict[str, str]) -> dict[str, str]:
    """Return the school of each child, or its area if that is the unit."""
    if plan.of.unit != "area":
        return urns
    outside = len({urn for urn in urns.values() if urn not in plan.of.area_of})
    if outside:
        do = "Add them, or take fewer children (first)."
        raise Faults(Fault(f"{quantity(outside, 'school')} of the list in no area", f"{plan.file}, areas", do))
    return {pupil: plan.of.area_of[urn] for pupil, urn in urns.items()}
