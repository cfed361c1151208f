"""The plan of random checks: a TOML file, fixed before anybody is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field

from histories.errors import Fault, Faults
from histories.io.digest import file_digest
from histories.io.quantities import quantity
from histories.io.toml import read_toml
from serving.pages.settings import PageSettings
from serving.trials.plan import DO, ListPlan

# Codes of pages.toml that say that help was needed.
NEEDED = (
    "spoke_help",
    "spoke_leaving",
    "early_help",
    "transport",
    "school_place",
    "referred_cme",
    "went_missing",
)
MAX_BANDS = 5
Place = Annotated[int, Field(ge=1, le=1_000_000, strict=True)]


class ChecksPlan(ListPlan):
    """The keys of a plan of checks."""

    cut: Place = Field(description="a whole number: how many children of the list the team reviews anyway")
    ends: tuple[Place, ...] = Field(
        (), description="places of the list at which a band ends, rising; empty for one band"
    )
    checks: tuple[Place, ...] = Field(
        min_length=1, max_length=MAX_BANDS, description="a list: how many children of each band are drawn"
    )
    weeks: int = Field(6, ge=1, le=26, strict=True, description="weeks within which what workers record counts")
    estimate_on: date = Field(description="the day from which missed need is estimated")
    needed: tuple[str, ...] = Field(
        NEEDED,
        min_length=1,
        description="a list of codes of outcomes, actions and closings that say that help was needed",
    )


@dataclass(frozen=True)
class Checks:
    """A plan of checks and the hash of its file."""

    of: ChecksPlan
    digest: str
    file: str

    @classmethod
    def load(cls, file: Path) -> Checks:
        """Read a plan.

        Raises
        ------
        Faults
            With every fault of the file, or, if each key is right by itself, of their combination.
        """
        plan = ChecksPlan.of(read_toml(file), file, DO)
        faults = list(_faults(plan, str(file)))
        if faults:
            raise Faults(faults)
        return cls(plan, file_digest(file), str(file))

    def must_be_drawn_on(self, today: date) -> None:
        """Raise ``Faults`` if the list is too old, or what workers record would not be complete on the day of the estimate."""
        faults = list(self.of.too_old(today, self.file))
        complete = today + timedelta(weeks=self.of.weeks)
        if complete > self.of.estimate_on:
            what = f"checks drawn on {today} are complete on {complete}, and are estimated from {self.of.estimate_on}"
            faults.append(Fault(what, f"{self.file}, estimate_on", "Write a later day, or fewer weeks."))
        if faults:
            raise Faults(faults)

    def must_use_codes_of(self, pages: PageSettings) -> None:
        """Raise ``Faults`` if a code of ``needed`` is on none of the lists from which workers choose."""
        known = {*pages.outcomes, *pages.actions, *pages.closing}
        unknown = sum(code not in known for code in self.of.needed)
        if unknown:
            do = f"Use codes of [outcomes], [actions] and [closing]: {', '.join(sorted(known))}."
            what = f"{quantity(unknown, 'code')} here that no worker can choose"
            raise Faults(Fault(what, f"{self.file}, needed", do))


def _faults(plan: ChecksPlan, file: str) -> Iterator[Fault]:
    if len(plan.checks) != len(plan.ends) + 1:
        do = "Give a number for each band: one more than there are ends."
        yield Fault("bands and numbers of checks do not match", f"{file}, checks", do)
    if list(plan.ends) != sorted({*plan.ends}) or (plan.ends and plan.ends[0] <= plan.cut):
        yield Fault("the ends do not rise from above the cut", f"{file}, ends", DO)
    if plan.estimate_on < plan.as_of + timedelta(weeks=plan.weeks):
        yield Fault("this day comes before the checks are complete", f"{file}, estimate_on", DO)
