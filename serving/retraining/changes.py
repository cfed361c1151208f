"""What a retrained version would change against the champion: the list, the reasons, the groups and the figures; no child is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from training.gates import Verdict
from training.release.comparing import Compared

APPROVAL = "G010"  # only the person who decides can meet it
# Calibration is not among them: the champion's calibrator has seen the outcomes of its own test dates, the challenger's has not.
GROUP_FIGURES = ("listing_rate", "recall", "precision")


@dataclass(frozen=True, kw_only=True)
class GroupChange:
    """One group's figures on the same snapshots; each is a dict of ``value, low, high``, or None if hidden or not computable."""

    group: str
    title: str
    children: int | None
    champion: dict[str, dict[str, float] | None]
    challenger: dict[str, dict[str, float] | None]


@dataclass(frozen=True, kw_only=True)
class Changes:
    """The differences between the champion and the challenger.

    Attributes
    ----------
    champion, challenger : int
        Versions.
    figures : dict
        The challenger's paired lead; see ``training.release.gate_evidence.compare_paired``. Empty if the champion is damaged.
    lists : dict
        Sizes and overlap of the lists of one day, and the themes behind them.
    groups : list of GroupChange
    verdicts : list of Verdict
        Of every gate.
    """

    champion: int
    challenger: int
    figures: dict[str, Any]
    lists: dict[str, Any]
    groups: list[GroupChange]
    verdicts: list[Verdict]

    @property
    def failed(self) -> list[Verdict]:
        """The gates that fail, without the approval that a person gives."""
        return [v for v in self.verdicts if not v.passed and v.code != APPROVAL]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data, without any child."""
        return {
            "champion": self.champion,
            "challenger": self.challenger,
            "figures": self.figures,
            "lists": self.lists,
            "groups": [vars(g) for g in self.groups],
            "gates": [vars(v) for v in self.verdicts],
            "failed": [v.code for v in self.failed],
        }

    def text(self) -> str:
        """Return the comparison as text."""
        lists = self.lists
        lines = [
            f"version {self.challenger} is the challenger of version {self.champion}; nothing was promoted",
            f"list of {lists['as_of']}, first {lists['capacity']} of each authority: {lists['both']} on both, "
            f"{lists['enters']} enter, {lists['leaves']} leave; rank correlation {lists['rank_correlation']:.3f}",
        ]
        lead = self.figures.get("average_precision")
        if lead:
            low, high = lead["interval"]
            noise = " (within noise)" if lead["within_noise"] else ""
            lines.append(f"average precision {lead['lead']:+.4f}, 95% interval {low:+.4f} to {high:+.4f}{noise}")
        lines += [f"{v.code} FAILED {v.title}: {v.measured}; required: {v.limit}" for v in self.failed]
        passed = sum(v.passed for v in self.verdicts)
        lines.append(f"{passed} gates passed, {len(self.failed)} failed; {APPROVAL} waits for a person")
        return "\n".join(lines)


def changes_of(
    champion: int, challenger: int, evidence: Mapping[str, Any], compared: Compared, verdicts: list[Verdict]
) -> Changes:
    """Put together what changed.

    Parameters
    ----------
    evidence : mapping
        The challenger's evidence for the gates.
    compared : Compared
        Both versions' lists of one day; only their sizes and themes are used.
    """
    against = dict(evidence.get("champion") or {})
    theirs = against.pop("groups", {})
    return Changes(
        champion=champion,
        challenger=challenger,
        figures=against,
        lists={
            "as_of": str(compared.as_of),
            "capacity": compared.capacity,
            "children": compared.children,
            "both": compared.both,
            "enters": len(compared.enters),
            "leaves": len(compared.leaves),
            "overlap": compared.overlap,
            "rank_correlation": compared.rank_correlation,
            "themes": compared.themes,
        },
        groups=_groups(theirs, evidence.get("groups") or {}),
        verdicts=verdicts,
    )


def _groups(champion: Mapping[str, Any], challenger: Mapping[str, Any]) -> list[GroupChange]:
    """Pair the slices of two fairness reports on the same snapshots."""
    before = {(s["groups"][0], s["values"][0]): s["figures"] for s in champion.get("groups", [])}
    return [
        GroupChange(
            group=s["groups"][0],
            title=s["title"],
            children=s["counts"]["children"],
            champion={f: before.get((s["groups"][0], s["values"][0]), {}).get(f) for f in GROUP_FIGURES},
            challenger={f: s["figures"].get(f) for f in GROUP_FIGURES},
        )
        for s in challenger.get("groups", [])
    ]
