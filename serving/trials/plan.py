"""The plan of a trial: a TOML file, fixed before anybody is allocated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from histories.errors import Fault, Faults
from histories.io.digest import file_digest
from histories.io.quantities import quantity
from histories.io.settings_file import SettingsFile
from histories.io.toml import read_toml
from serving.trials.wedge.lot import name_of

HELP_NOW, USUAL = "help_now", "usual"
ARMS = (HELP_NOW, USUAL)
ORDERS = {"risk": "by_risk", "deadline": "by_deadline", "random": "at_random"}
DO = "Correct the plan; see docs/trial.md."
Share = Annotated[float, Field(gt=0, lt=1)]
Order = Literal["risk", "deadline", "random"]
# The keys that only some plans use.
OF_ARMS = {"help": (), "order": ("orders", "reached"), "wedge": ("steps", "step_weeks")}


class ListPlan(SettingsFile):
    """The keys of every plan on a stored list."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{2,59}$", description="a name of small letters, digits and hyphens")
    question: str = Field(min_length=10, description="what is asked, in a sentence")
    authority: str = Field(description="the authority's number as text")
    as_of: date = Field(description="the day of the stored list")
    list: Literal["act_today", "help_early", "both"] = "both"
    max_days: int = Field(
        14, ge=0, le=60, strict=True, description="how old the list may be when the lot is drawn, in days"
    )
    seed: int = Field(ge=0, strict=True, description="a whole number")

    def too_old(self, today: date, file: str) -> Iterator[Fault]:
        """Yield a fault if the list is older than the plan allows."""
        age = (today - self.as_of).days
        if age > self.max_days:
            do = "Make a new plan on a newer list: on an old one children have left or been helped already."
            what = f"the list is {quantity(age, 'day')} old, and the plan allows {self.max_days}"
            yield Fault(what, f"{file}, as_of", do)


class TrialPlan(ListPlan):
    """The keys of a trial's plan."""

    first: int = Field(
        ge=1, le=100_000, strict=True, description="a whole number: how many children of the list take part"
    )
    arms: Literal["help", "order", "wedge"] = "help"
    orders: tuple[Order, ...] = Field((), description="two of risk, deadline and random, as a list")
    reached: int | None = Field(
        None, ge=1, strict=True, description="a whole number: how many children of the list the team reaches in time"
    )
    steps: int | None = Field(
        None, ge=2, le=12, strict=True, description="a whole number: in how many steps help begins"
    )
    step_weeks: int | None = Field(None, ge=1, le=26, strict=True, description="weeks from one step to the next")
    stays: float = Field(0.8, ge=0, le=1, description="the part of differences that is the same in all periods, 0 to 1")
    unit: Literal["child", "family", "school", "area"]
    areas: dict[str, tuple[str, ...]] = Field({}, description="the schools (URN as text) of each area, as lists")
    outcome: Literal["contact", "attendance", "missing"]
    weeks: int = Field(6, ge=1, le=52, strict=True, description="weeks of contact or attendance from the allocation")
    analyse_on: date = Field(description="the day from which the trial is analysed, once")
    control: Share | None = Field(None, description="the expected mean of the usual arm, between 0 and 1")
    treated: Share | None = Field(None, description="the expected mean of the help-now arm, between 0 and 1")
    ratio: Share | None = Field(
        None, description="of missing: the risk with help over the risk without, between 0 and 1"
    )
    spread: Share = Field(0.2, description="standard deviation of attendance between children, as a share")
    icc: float = Field(0.05, ge=0, lt=0.9, description="correlation within a unit, from 0 to below 0.9")
    power: float = Field(0.8, ge=0.5, le=0.99, description="the power that the trial must have, 0.5 to 0.99")

    @property
    def means(self) -> tuple[float, float]:
        """The expected means of the usual and the help-now arm; 0 where the outcome needs none."""
        return self.control or 0.0, self.treated or 0.0

    @property
    def arm_names(self) -> tuple[str, ...]:
        """The arms as the store has them; a difference is that of the first over the second."""
        if self.arms == "order":
            return tuple(ORDERS[order] for order in self.orders)
        return tuple(name_of(n) for n in range(1, (self.steps or 0) + 1)) if self.arms == "wedge" else ARMS

    @property
    def area_of(self) -> dict[str, str]:
        """The area of each school."""
        return {urn: area for area, urns in self.areas.items() for urn in urns}


@dataclass(frozen=True)
class Plan:
    """A plan and the hash of its file."""

    of: TrialPlan
    digest: str
    file: str

    @classmethod
    def load(cls, file: Path) -> Plan:
        """Read a plan.

        Raises
        ------
        Faults
            With every fault of the file, or, if each key is right by itself, of their combination.
        """
        plan = TrialPlan.of(read_toml(file), file, DO)
        faults = [*_of_outcome(plan, str(file)), *_of_arms(plan, str(file))]
        if faults:
            raise Faults(faults)
        return cls(plan, file_digest(file), str(file))

    def windows(self, day: date, horizon_days: int = 0, stopped_on: date | None = None) -> list[tuple[date, date]]:
        """Return from which day until before which an outcome counts, of a trial allocated on ``day``; of a stepped wedge by period.

        Parameters
        ----------
        horizon_days : int
            Of the list: going missing counts within its window, whenever the trial starts.
        stopped_on : date, optional
            The first day on which the trial no longer ran: contact and attendance count until then, in a stepped wedge in the periods that
            were whole. Going missing counts within the list's window all the same.
        """
        if self.of.outcome == "missing":
            return [(self.of.as_of, self.of.as_of + timedelta(days=horizon_days))]
        if self.of.arms == "wedge":
            begins = [self.begins_on(day, step) for step in range((self.of.steps or 0) + 2)]
            return [window for window in pairwise(begins) if stopped_on is None or window[1] <= stopped_on]
        end = day + timedelta(weeks=self.of.weeks)
        return [(day, min(end, stopped_on) if stopped_on else end)]

    def begins_on(self, day: date, step: int) -> date:
        """Return the day on which a step of a stepped wedge begins help; the first period is without help for all."""
        return day + timedelta(weeks=step * (self.of.step_weeks or 0))

    def end(self, day: date, horizon_days: int = 0) -> date:
        """Return the day after the last one on which an outcome counts, of a trial allocated on ``day``; see ``windows``."""
        return self.windows(day, horizon_days)[-1][1]

    def must_start_on(self, today: date) -> None:
        """Raise ``Faults`` if the list is too old, or the outcome would not be complete on the day of the analysis."""
        faults = list(self.of.too_old(today, self.file))
        complete = today + timedelta(days=1) if self.of.outcome == "missing" else self.end(today)
        if complete > self.of.analyse_on:
            do = "Plan a new trial with a later analyse_on; outcomes count from the day of allocation."
            what = f"a trial that starts on {today} has its outcomes on {complete}, and is analysed from {self.of.analyse_on}"
            faults.append(Fault(what, f"{self.file}, analyse_on", do))
        if faults:
            raise Faults(faults)


def _of_outcome(plan: TrialPlan, file: str) -> Iterator[Fault]:
    needed = ("ratio",) if plan.outcome == "missing" else ("control", "treated")
    for key in needed:
        if getattr(plan, key) is None:
            yield Fault(f"the outcome {plan.outcome} needs this key", f"{file}, {key}", DO)
    for key in {"control", "treated", "ratio"} - set(needed):
        if getattr(plan, key) is not None:
            yield Fault(f"the outcome {plan.outcome} does not use this key", f"{file}, {key}", "Remove it.")
    weeks = plan.weeks if plan.arms != "wedge" else ((plan.steps or 0) + 1) * (plan.step_weeks or 0)
    if plan.outcome != "missing" and plan.analyse_on < plan.as_of + timedelta(weeks=weeks):
        yield Fault("this day comes before the outcome is complete", f"{file}, analyse_on", DO)
    if plan.outcome == "missing" and plan.analyse_on <= plan.as_of:
        yield Fault("this day comes before the outcome is complete", f"{file}, analyse_on", DO)
    if plan.outcome == "attendance":
        for mean in plan.means:
            if 0 < mean < 1 and plan.spread**2 >= mean * (1 - mean):
                do = f"Name less than {(mean * (1 - mean)) ** 0.5:.2f}; see docs/trial.md."
                yield Fault(f"no share with a mean of {mean:g} spreads that much", f"{file}, spread", do)


def _of_arms(plan: TrialPlan, file: str) -> Iterator[Fault]:
    given, wanted = plan.model_fields_set, set(OF_ARMS[plan.arms])
    for key in sorted(wanted - given):
        yield Fault(f"the arms {plan.arms} need this key", f"{file}, {key}", DO)
    unused = {key for keys in OF_ARMS.values() for key in keys} - wanted
    unused |= {"weeks"} if plan.arms == "wedge" else {"stays"}
    for key in sorted(unused & given):
        yield Fault(f"the arms {plan.arms} do not use this key", f"{file}, {key}", "Remove it.")
    if plan.arms == "order" and (len(plan.orders) != 2 or len({*plan.orders}) != 2):
        yield Fault("a trial compares two different orders", f"{file}, orders", DO)
    if plan.arms == "order" and plan.outcome != "missing":
        do = 'Set outcome = "missing": a team reaches as many children in one order as in another.'
        yield Fault("an order cannot change this outcome as the power is computed", f"{file}, outcome", do)
    if plan.arms == "order" and plan.reached and plan.reached >= plan.first:
        do = "Name fewer than first: if the team reaches all, their order is the same."
        yield Fault("the team reaches all children", f"{file}, reached", do)
    if plan.arms == "wedge" and plan.outcome == "missing":
        do = "Choose contact or attendance: the window of going missing is longer than a step."
        yield Fault("a stepped wedge measures an outcome in each period", f"{file}, outcome", do)
    if plan.arms == "wedge" and plan.unit not in ("school", "area"):
        yield Fault("schools or areas begin help one after another", f"{file}, unit", DO)
    if (plan.unit == "area") != bool(plan.areas):
        yield Fault("the unit area, and no other, needs areas", f"{file}, areas", DO)
    urns = [urn for of in plan.areas.values() for urn in of]
    if len(urns) != len(set(urns)):
        yield Fault("a school is in two areas", f"{file}, areas", DO)
