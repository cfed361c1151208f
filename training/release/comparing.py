"""Compare two versions' lists: who is on both, enters or leaves, and which themes moved them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from features.counting.block_cache import BlockStore
from features.matrix import tallied
from features.outcome.cohort import CohortRule
from histories.errors import Fault, Faults
from histories.reading.histories import Histories
from training.risk_model import RiskModel
from training.task import ProgressCallback, quiet

THEMES_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Compared:
    """The changes from one version's list to another's.

    Attributes
    ----------
    children, both : int
        Number in the cohort, and on both lists.
    enters, leaves : list of dict
        ``pupil_id, authority, rank_before, rank_after``, and ``themes`` with the contribution ``before`` and ``after`` in log-odds, its ``change``,
        and ``beside``: the change minus the mean change over both lists, since a child also enters when others fall. Themes are
        sorted by their effect.
    rank_correlation : float
        Spearman's, over the whole cohort.
    themes : list of dict
        ``theme``, and its mean contribution in log-odds ``before`` and ``after`` over the children of either list.
    """

    first: str
    second: str
    as_of: date
    capacity: int
    children: int
    both: int
    rank_correlation: float
    enters: list[dict[str, Any]]
    leaves: list[dict[str, Any]]
    themes: list[dict[str, Any]]

    @property
    def overlap(self) -> float:
        """Share of the first list that is on the second."""
        return self.both / max(self.both + len(self.leaves), 1)

    def to_dict(self) -> dict[str, Any]:
        """Return the data of ``--json``, which includes pupil ids."""
        return {**self.__dict__, "as_of": str(self.as_of), "overlap": self.overlap}

    def text(self) -> str:
        """Return the comparison as text."""
        head = f"{self.capacity} a list as of {self.as_of}: {self.both} on both ({self.overlap:.0%}), {len(self.enters)} enter, {len(self.leaves)} leave; rank correlation over all {self.children:,} {self.rank_correlation:.3f}"
        lines = [head]
        for title, moved in (("enters", self.enters), ("leaves", self.leaves)):
            for m in moved:
                why = ", ".join(f"{t['theme']} {t['beside']:+.2f}" for t in m["themes"])
                lines.append(
                    f"{title}  {m['pupil_id']}  authority {m['authority']}  rank {m['rank_before']} -> {m['rank_after']}  {why}"
                )
        return "\n".join(lines)


def compare_lists(
    histories: Histories,
    first: RiskModel,
    second: RiskModel,
    as_of: date,
    capacity: int,
    *,
    rule: CohortRule | None = None,
    kept: BlockStore | None = None,
    advance: ProgressCallback = quiet,
) -> Compared:
    """Score the cohort of a day with two versions and compare their lists.

    Parameters
    ----------
    capacity : int
        Children on the list of each authority.

    Raises
    ------
    Faults
        If the cohort is empty.
    """
    frame = tallied(histories, [as_of], rule=rule, kept=kept, advance=advance)
    if frame.is_empty():
        raise Faults(Fault("the cohort is empty on this day", "models compare --as-of", "Choose a school day."))
    advance(description="both lists")
    before, after = (m.ranked(frame).select("pupil_id", "authority", "rank", "margin") for m in (first, second))
    ranks = before.join(after.select("pupil_id", "rank", "margin"), on="pupil_id", suffix="_after")
    on, on_after = pl.col("rank") <= capacity, pl.col("rank_after") <= capacity
    themes = _Themes(frame, ranks.filter(on | on_after).select("pupil_id"), first, second)
    return Compared(
        first=_named(first),
        second=_named(second),
        as_of=as_of,
        capacity=capacity,
        children=len(ranks),
        both=ranks.filter(on & on_after).height,
        rank_correlation=float(ranks.select(pl.corr("margin", "margin_after", method="spearman")).item()),
        enters=themes.moved(ranks.filter(~on & on_after).sort("rank_after", "pupil_id"), 1.0),
        leaves=themes.moved(ranks.filter(on & ~on_after).sort("rank", "pupil_id"), -1.0),
        themes=themes.means(),
    )


def _named(model: RiskModel) -> str:
    return f"{model.manifest.name} {model.manifest.version}"


class _Themes:
    """Exact contributions by theme in two versions, for children on either list; with the bases they sum to the margins."""

    def __init__(self, frame: pl.DataFrame, listed: pl.DataFrame, first: RiskModel, second: RiskModel) -> None:
        rows = listed.join(frame, on="pupil_id", how="left", maintain_order="left")
        self.at = {pupil: k for k, pupil in enumerate(rows["pupil_id"].to_list())}
        self.before, self.after = (_by_theme(model, rows) for model in (first, second))
        self.mean = {t: float((self.after[t] - self.before[t]).mean()) for t in self.before}

    def means(self) -> list[dict[str, Any]]:
        """Return each theme's mean contribution in both versions, the largest change first."""
        rows = [
            {"theme": t, "before": float(self.before[t].mean()), "after": float(self.after[t].mean())}
            for t in self.before
        ]
        return sorted(rows, key=_change, reverse=True)

    def moved(self, ranks: pl.DataFrame, sign: float) -> list[dict[str, Any]]:
        """Return the themes that moved each child most, up (sign 1) or down (-1)."""
        changes = []
        for row in ranks.iter_rows(named=True):
            k = self.at[row["pupil_id"]]
            themes: list[dict[str, Any]] = []
            for t, mean in self.mean.items():
                before, after = float(self.before[t][k]), float(self.after[t][k])
                change = after - before
                themes.append({"theme": t, "before": before, "after": after, "change": change, "beside": change - mean})
            themes.sort(key=lambda change: (-sign * change["beside"], change["theme"]))
            changes.append(
                {
                    "pupil_id": row["pupil_id"],
                    "authority": row["authority"],
                    "rank_before": row["rank"],
                    "rank_after": row["rank_after"],
                    "themes": themes[:THEMES_SHOWN],
                }
            )
        return changes


def _change(row: dict[str, Any]) -> float:
    return abs(row["after"] - row["before"])


def _by_theme(model: RiskModel, rows: pl.DataFrame) -> dict[str, np.ndarray]:
    parts = model.scorer.contributions(rows.select(model.manifest.features).to_numpy().astype(np.float64))
    of = {f["name"]: f["theme"] for f in model.manifest.catalogue}
    themes = np.array([of[n] for n in model.manifest.features])
    return {t: parts[:, :-1][:, themes == t].sum(axis=1) for t in dict.fromkeys(of.values())}
