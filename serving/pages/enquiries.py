"""What a child's page shows of the reasonable enquiries: who was asked last, who was not, which side has asked, whose turn it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from serving.store.cases.enquiries import SIDES


@dataclass(frozen=True, kw_only=True)
class Enquiries:
    """The enquiries about a child.

    Attributes
    ----------
    asked : list of dict
        The latest entry of each source, in the order of the authority's list.
    not_asked : list of str
        Codes of sources that nobody has asked.
    counts : dict
        Enquiries by side: ``school`` and ``authority``.
    turn : str or None
        The side that asks next, by the latest enquiry.
    """

    asked: list[dict[str, Any]]
    not_asked: list[str]
    counts: dict[str, int]
    turn: str | None

    @property
    def joint(self) -> bool:
        """Whether both sides have asked."""
        return all(self.counts.values())


def enquiries(entries: Iterable[dict[str, Any]], sources: Sequence[str]) -> Enquiries:
    """Sum up the enquiries among entries of cases, which are oldest first.

    Parameters
    ----------
    sources : sequence of str
        Codes of the authority's list. Other codes, of an earlier list, come last.
    """
    # By the day of asking; of one day, as written down.
    made = sorted((e for e in entries if e["kind"] == "enquiry"), key=itemgetter("on_day"))
    latest = {e["code"]: e for e in made}
    former = [code for code in latest if code not in sources]
    return Enquiries(
        asked=[latest[code] for code in (*sources, *former) if code in latest],
        not_asked=[code for code in sources if code not in latest],
        counts={side: sum(e["asked_by"] == side for e in made) for side in SIDES},
        turn=made[-1]["next_turn"] if made else None,
    )
