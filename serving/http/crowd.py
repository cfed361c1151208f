"""Limits on what waits for a client: how many at once, and how many of one network, so that one cannot crowd out another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Crowd(Generic[T]):
    """Members in order of arrival; if there are too many, the oldest of the network with the most has to go."""

    def __init__(self) -> None:
        self._networks: dict[T, str] = {}
        self._counts: Counter[str] = Counter()

    def __contains__(self, member: T) -> bool:
        return member in self._networks

    def __iter__(self) -> Iterator[T]:
        return iter(self._networks)

    def join(self, member: T, network: str, most: int, most_of_network: int) -> T | None:
        """Add a member, and return the one that now has to go; it stays until it leaves.

        Parameters
        ----------
        member : object
        network : str
            Where it comes from; see ``addresses.network_of``.
        most, most_of_network : int
            How many there may be.
        """
        self._networks[member] = network
        self._counts[network] += 1
        if self._counts[network] > most_of_network:
            return self._oldest(network)
        return self._oldest(self._counts.most_common(1)[0][0]) if len(self._networks) > most else None

    def leave(self, member: T) -> None:
        """Forget a member; one that is not there is no error."""
        network = self._networks.pop(member, None)
        if network is not None:
            self._counts[network] -= 1
            if not self._counts[network]:
                del self._counts[network]

    def _oldest(self, network: str) -> T | None:
        return next(member for member, of in self._networks.items() if of == network)


def largest_of_heaviest(
    members: Iterable[T], holder: Callable[[T], str], size: Callable[[T], int], candidates: Iterable[T]
) -> T | None:
    """Return the largest candidate of the holder whose members are together the largest; the newest of equals.

    Parameters
    ----------
    members : iterable
    holder : callable
        To whom a member belongs.
    size : callable
    candidates : iterable
        Those that may be returned, in order of arrival; without one, None is.

    Examples
    --------
    >>> sizes = {"a1": 5, "b1": 4, "b2": 2, "a2": 0, "b3": 4}
    >>> largest_of_heaviest(sizes, lambda member: member[0], sizes.get, sizes)
    'b3'
    >>> largest_of_heaviest(sizes, lambda member: member[0], sizes.get, ["a1", "b2"])
    'b2'
    """
    weights: Counter[str] = Counter()
    for member in members:
        weights[holder(member)] += size(member)
    newest_first = reversed(list(candidates))
    return max(newest_first, key=lambda member: (weights[holder(member)], size(member)), default=None)
