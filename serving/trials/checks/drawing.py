"""Who can be drawn for a random check, and the lot: it follows from the plan's seed, the registration's salt, and the size of each band."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from histories.errors import Fault, Faults
from histories.io.quantities import quantity
from serving.store.scores.complete_lists import CompleteList
from serving.trials.checks.plan import Checks, ChecksPlan
from serving.trials.stored_list import in_order

# Why a child below the cut is not drawn: somebody looks at the child or at its home anyway. The first that holds counts.
EXCLUDED = ("deadline", "open_case", "in_trial", "sibling_above_the_cut")


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The children among whom the lot draws.

    Attributes
    ----------
    of : CompleteList
    rows : polars.DataFrame
        ``pupil_id, authority, as_of, band, number``: children below the cut, numbered within their band.
    above : int
        Children above the cut.
    excluded : dict
        Children below the cut who are in no band, by reason.
    """

    of: CompleteList
    rows: pl.DataFrame
    above: int
    excluded: dict[str, int]

    @property
    def sizes(self) -> list[int]:
        """Children of each band."""
        bands = self.rows["band"].to_list()
        return [bands.count(band) for band in range(max(bands, default=0) + 1)]

    @property
    def digest(self) -> str:
        """SHA-256 of the children with their bands and numbers: nobody can be put in place of another once the lot can be foreseen."""
        lines = sorted(":".join(map(str, row)) for row in self.rows.select("pupil_id", "band", "number").iter_rows())
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def frame_of(
    plan: ChecksPlan,
    of: CompleteList,
    scores: pl.DataFrame,
    *,
    looked_at: Mapping[str, Collection[str]],
    homes: Mapping[str, str],
    reference: Callable[[str], str],
) -> Frame:
    """Return the children of a list among whom the lot draws.

    Parameters
    ----------
    scores : polars.DataFrame
        The list: ``pupil_id, authority, as_of, rank, list``.
    looked_at : mapping
        Children who are looked at anyway, by reason.
    homes : mapping
        Of children who share a home: what they share.
    reference : callable
        The keyed reference of an identifier, by which the children of a band are numbered: a number says nothing about a child.
    """
    ordered = in_order(scores, plan)
    above, below = ordered.head(plan.cut), ordered.slice(plan.cut)
    seen = {homes[pupil] for pupil in above["pupil_id"] if pupil in homes}
    siblings = {pupil for pupil in below["pupil_id"] if homes.get(pupil) in seen}
    reasons = {**looked_at, "sibling_above_the_cut": siblings}
    excluded, left = dict.fromkeys(EXCLUDED, 0), []
    for place, pupil in enumerate(below["pupil_id"], plan.cut + 1):
        why = next((reason for reason in EXCLUDED if pupil in reasons[reason]), None)
        if why:
            excluded[why] += 1
        else:
            left.append({"pupil_id": pupil, "band": band_of(plan, place)})
    schema = {"pupil_id": pl.String, "band": pl.Int64, "number": pl.Int64}
    numbered = pl.DataFrame(_numbered(left, reference), schema=schema)
    rows = below.select("pupil_id", "authority", "as_of").join(numbered, on="pupil_id", maintain_order="left")
    return Frame(of=of, rows=rows, above=len(above), excluded=excluded)


def band_of(plan: ChecksPlan, place: int) -> int:
    """Return the band of a place on the list, counted from 0 at the cut."""
    return sum(place > end for end in plan.ends)


def _numbered(rows: Sequence[dict[str, int | str]], reference: Callable[[str], str]) -> list[dict[str, int | str]]:
    """Number the children of each band in the order of their references."""
    by_band: dict[int | str, list[dict[str, int | str]]] = {}
    for row in sorted(rows, key=lambda row: reference(str(row["pupil_id"]))):
        by_band.setdefault(row["band"], []).append(row)
    return [{**row, "number": number} for band in by_band.values() for number, row in enumerate(band)]


def must_be_enough(plan: Checks, sizes: Sequence[int]) -> None:
    """Raise ``Faults`` for each band with fewer children than are to be drawn."""
    sizes = [*sizes, *[0] * (len(plan.of.checks) - len(sizes))]
    faults = [
        Fault(
            f"band {band} has {quantity(size, 'child')} to draw from, and {checks} are to be drawn",
            f"{plan.file}, checks",
            "Draw fewer, or make the band wider.",
        )
        for band, (size, checks) in enumerate(zip(sizes, plan.of.checks, strict=True), 1)
        if checks > size
    ]
    if faults:
        raise Faults(faults)


def drawn_numbers(seed: int, salt: str, *, band: int, size: int, checks: int) -> set[int]:
    """Return the numbers of a band that the lot draws, without replacement: each number has the same chance.

    Examples
    --------
    >>> sorted(drawn_numbers(7, "00", band=0, size=100, checks=3))
    [6, 32, 37]
    """
    state = np.random.SeedSequence([seed, int(salt, 16), band])
    lots = np.random.Generator(np.random.PCG64(state)).random(size)
    return {int(number) for number in np.argsort(lots, kind="stable")[:checks]}


def check_drawn(plan: ChecksPlan, salt: str, sizes: Sequence[int], stored: pl.DataFrame, strangers: int) -> None:
    """Raise ``Faults`` unless every stored child has a number that the lot drew, each number once, and stands in the audit's entry of the draw.

    Parameters
    ----------
    strangers : int
        Stored children who do not.
    """
    wrong = strangers + len(stored) - len(stored.unique(["band", "number"]))
    for band, (size, checks) in enumerate(zip(sizes, plan.checks, strict=True)):
        numbers = drawn_numbers(plan.seed, salt, band=band, size=size, checks=checks)
        wrong += sum(number not in numbers for number in stored.filter(pl.col("band") == band)["number"])
    wrong += len(stored.filter(~pl.col("band").is_between(0, len(sizes) - 1)))
    if wrong:
        do = "Somebody changed the database or the plan's seed: run 'onroll audit verify', and restore a backup."
        what = f"the store has {quantity(wrong, 'child')} whom the lot did not draw"
        raise Faults(Fault(what, f"checks {plan.name}", do))
