"""The order in which units begin help: a permutation that follows from the seed, the registration's salt and the number of units."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

import numpy as np

from histories.errors import Fault, Faults
from histories.io.quantities import quantity

MIN_ORDERS = 1000  # with fewer, the randomisation test cannot tell much
STEP = "step_"


def sizes_of(units: int, steps: int) -> list[int]:
    """Return how many units begin at each step, the same but for one.

    Examples
    --------
    >>> sizes_of(11, 4)
    [3, 3, 3, 2]
    """
    return [units // steps + (step < units % steps) for step in range(steps)]


def steps_of(units: int, steps: int, seed: int, salt: str) -> list[int]:
    """Return the step, from 1, at which each unit begins, by the number of the unit.

    Examples
    --------
    >>> sorted(steps_of(5, 2, 7, "00"))
    [1, 1, 1, 2, 2]
    """
    state = np.random.SeedSequence([seed, int(salt, 16), units, steps])
    order = np.argsort(np.random.Generator(np.random.PCG64(state)).random(units), kind="stable")
    begins = np.empty(units, int)
    begins[order] = np.repeat(np.arange(1, steps + 1), sizes_of(units, steps))
    return [int(step) for step in begins]


def name_of(step: int) -> str:
    """Return a step as the store has it."""
    return f"{STEP}{step}"


def step_named(name: str) -> int:
    """Return the number of a step."""
    return int(name.removeprefix(STEP))


def orders(units: int, steps: int) -> int:
    """Return how many different orders the lot can draw.

    Examples
    --------
    >>> orders(6, 3)
    90
    """
    found, left = 1, units
    for size in sizes_of(units, steps):
        found, left = found * comb(left, size), left - size
    return found


def must_have_orders(units: Sequence[str], steps: int) -> None:
    """Raise ``Faults`` if there are so few units that the test could not tell an effect from chance."""
    count = len(set(units))
    if count < steps or orders(count, steps) < MIN_ORDERS:
        do = "Take smaller units, more children (first), or other steps."
        what = f"{quantity(count, 'unit')} can begin in too few orders at {steps} steps"
        raise Faults(Fault(what, "trial plan, unit", do))
