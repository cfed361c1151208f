"""Allocation by lot: each unit's arm comes from the seed, the registration's salt and the unit alone, independent of the order of children and of who else takes part."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from histories.errors import Fault, Faults
from histories.io.quantities import quantity
from serving.trials.plan import HELP_NOW, USUAL

MIN_UNITS = 20  # fewer units can fall into arms so uneven that the test finds nothing


def unit_of(kind: str, pupil_id: str, urn: str, homes: Mapping[str, str]) -> str:
    """Return the unit of a child, as a hash.

    Parameters
    ----------
    kind : {"child", "family", "school"}
    homes : mapping
        Of children who share a home: what they share.
    """
    key = {"child": pupil_id, "family": homes.get(pupil_id, pupil_id), "school": urn}[kind]
    return hashlib.sha256(f"{kind}:{key}".encode()).hexdigest()


def arm_of(unit: str, seed: int, salt: str) -> str:
    """Return a unit's arm: a fair coin of its own (NumPy's PCG64, seeded by the plan's seed, the salt and the unit).

    Examples
    --------
    >>> [arm_of(f"{n:064x}", 7, "00") for n in range(4)] == [arm_of(f"{n:064x}", 7, "00") for n in range(4)]
    True
    """
    state = np.random.SeedSequence([seed, int(salt, 16), int(unit, 16)])
    return HELP_NOW if np.random.Generator(np.random.PCG64(state)).random() < 0.5 else USUAL


def check_units(kind: str, pupils: Sequence[str], units: Sequence[str], homes: Mapping[str, str]) -> int:
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
    if len(set(units)) < MIN_UNITS:
        do = f"At least {MIN_UNITS} are needed: take more children (first), or a smaller unit."
        faults.append(Fault(f"there are only {len(set(units))} units to allocate", "trial plan, unit", do))
    if kind == "child" and split:
        do = 'Set unit = "family", so that they stay together.'
        faults.append(Fault(f"{quantity(split, 'home')} with several children on the list", "trial plan, unit", do))
    if faults:
        raise Faults(faults)
    return split
