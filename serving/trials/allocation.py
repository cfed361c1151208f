"""Allocation by lot: each unit's arm comes from the seed, the registration's salt and the unit's number alone.

A unit's number is its place when the units of the plan are sorted by keyed references of their children. The registration's hash of the members
pins the numbers before the salt is drawn, so nobody can choose one. Without the audit's key a stored number says nothing about a child:
erasing a child leaves no trace with a sibling, and a number does not link old and new pseudonyms. A random number drawn at the start would do that
too, but whoever stops the command after it has drawn could draw again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from histories.errors import Fault, Faults
from histories.io.quantities import quantity
from serving.trials.plan import ARMS, TrialPlan
from serving.trials.wedge.lot import must_have_orders, name_of, steps_of

MIN_UNITS = 20  # fewer units can fall into arms so uneven that the test finds nothing


def units_of(
    kind: str,
    pupils: Sequence[str],
    urns: Mapping[str, str],
    homes: Mapping[str, str],
    reference: Callable[[str], str],
) -> list[str]:
    """Return the unit of each child: a number, the same for all children of a unit.

    Parameters
    ----------
    kind : {"child", "family", "school", "area"}
    urns : mapping
        The school, or the area, of each child.
    homes : mapping
        Of children who share a home: what they share.
    reference : callable
        The keyed reference of an identifier, by which units are sorted.

    Examples
    --------
    >>> units_of("family", ["a", "b", "c"], {}, {"a": "b", "b": "b"}, str.upper)
    ['0000', '0000', '0001']
    """
    keys = [{"child": p, "family": homes.get(p, p)}.get(kind, urns.get(p, "")) for p in pupils]
    number = {key: f"{n:04x}" for n, key in enumerate(sorted(set(keys), key=reference))}
    return [number[key] for key in keys]


def arm_of(unit: str, seed: int, salt: str, of: Sequence[str] = ARMS) -> str:
    """Return which of two arms a unit is in: a fair coin of its own (NumPy's PCG64, seeded by the plan's seed, the salt and the unit).

    Examples
    --------
    >>> [arm_of(f"{n:04x}", 7, "00") for n in range(3)]
    ['usual', 'usual', 'help_now']
    """
    state = np.random.SeedSequence([seed, int(salt, 16), int(unit, 16)])
    return of[0] if np.random.Generator(np.random.PCG64(state)).random() < 0.5 else of[1]


def drawn_by(plan: TrialPlan, units: Sequence[str], salt: str, count: int) -> list[str]:
    """Return the arm of each unit of a plan; of a stepped wedge the step at which it begins help.

    Parameters
    ----------
    count : int
        How many units the registration has: the order is that of all of them, whoever was erased since.
    """
    if plan.arms != "wedge":
        return [arm_of(unit, plan.seed, salt, plan.arm_names) for unit in units]
    begins = steps_of(count, plan.steps or 0, plan.seed, salt)
    return [name_of(begins[int(unit, 16)]) for unit in units]


def check_units(
    kind: str, pupils: Sequence[str], units: Sequence[str], homes: Mapping[str, str], *, steps: int | None = None
) -> int:
    """Return how many homes have children in several units, which can then be in both arms.

    Raises
    ------
    Faults
        If there are too few units, or the unit is the child and there are brothers and sisters: they must stay together.
    """
    together: dict[str, set[str]] = {}
    for pupil, unit in zip(pupils, units, strict=True):
        together.setdefault(homes.get(pupil, pupil), set()).add(unit)
    split = sum(len(of_home) > 1 for of_home in together.values())
    faults = []
    if steps:
        must_have_orders(units, steps)
    elif len(set(units)) < MIN_UNITS:
        do = f"At least {MIN_UNITS} are needed: take more children (first), or a smaller unit."
        faults.append(Fault(f"there are only {len(set(units))} units to allocate", "trial plan, unit", do))
    if kind == "child" and split:
        do = 'Set unit = "family", so that they stay together.'
        faults.append(Fault(f"{quantity(split, 'home')} with several children on the list", "trial plan, unit", do))
    if faults:
        raise Faults(faults)
    return split
