"""The order in which a team works through its list, in a trial of two orders: each unit's children stand in the order of its arm.

Both arms are merged into one list in which neither comes earlier than the other: the k-th of n children of an arm stands at (k − ½)/n. Whoever works
through the list reaches as large a part of both arms, and cannot see from it which child is in which.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SOON_DAYS = 7  # a duty due within so many days goes before every order
LAST = 2**32 - 1  # of the lot's numbers, of which units have the lowest


def lots(seed: int, salt: str, children: int) -> np.ndarray:
    """Return the lot of each child by number, for an order at random."""
    state = np.random.SeedSequence([seed, int(salt, 16), LAST])
    return np.random.Generator(np.random.PCG64(state)).random(children)


def keys(order: str, risk: np.ndarray, due: np.ndarray, lot: np.ndarray) -> np.ndarray:
    """Return the place of each child in an order, 0 first.

    Parameters
    ----------
    order : {"risk", "deadline", "random"}
        ``deadline``: children with a duty that runs by the day on which it is due, then the others at random.
    risk : float array, shape (children,)
    due : float array, shape (children,)
        The day on which the first duty is due, infinite without one.
    lot : float array, shape (children,) or (children, worlds)
    """
    if order == "risk":
        return np.argsort(np.argsort(-risk, kind="stable"), kind="stable")
    if order == "random":
        return np.argsort(np.argsort(lot, axis=0, kind="stable"), axis=0, kind="stable")
    by_lot = keys("random", risk, due, lot)
    known = np.unique(due)
    day = np.searchsorted(known, due).astype(float)
    day = day[:, None] if by_lot.ndim == 2 else day
    both = day * (len(due) + 1) + by_lot
    return np.argsort(np.argsort(both, axis=0, kind="stable"), axis=0, kind="stable")


def places(first: np.ndarray, of_first: np.ndarray, of_second: np.ndarray, soon: np.ndarray) -> np.ndarray:
    """Return the place of each child in the merged list, 0 first.

    Parameters
    ----------
    first : bool array, shape (children,)
        Whether a child is in the first arm.
    of_first, of_second : arrays, shape (children,)
        The place of each child in the order of either arm.
    soon : bool array, shape (children,)
        Children who go before all others in either arm.

    Examples
    --------
    >>> arm = np.array([True, True, False, False])
    >>> places(arm, np.arange(4), np.array([0, 1, 3, 2]), np.zeros(4, bool)).tolist()
    [0, 2, 3, 1]
    """
    at = np.empty(len(first))
    for members, order in ((first, of_first), (~first, of_second)):
        here = np.flatnonzero(members)
        ranked = here[np.argsort(order[here], kind="stable")]
        at[ranked] = (np.arange(len(ranked)) + 0.5) / max(len(ranked), 1)
    return np.argsort(np.lexsort((~first, at, ~soon)), kind="stable")


def reached(
    orders: Sequence[str],
    arm: np.ndarray,
    *,
    risk: np.ndarray,
    due: np.ndarray,
    soon: np.ndarray,
    most: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return which children the team reaches in each simulated world.

    Parameters
    ----------
    orders : sequence of str
        Of the first and the second arm.
    arm : bool array, shape (children, worlds)
        Whether a child is in the first arm.
    most : int
        How many children the team reaches.

    Returns
    -------
    bool array, shape (children, worlds)
    """
    lot = rng.random(arm.shape)
    found = np.empty(arm.shape, bool)
    for world in range(arm.shape[1]):
        of_first, of_second = (keys(order, risk, due, lot[:, world]) for order in orders)
        found[:, world] = places(arm[:, world], of_first, of_second, soon) < most
    return found
