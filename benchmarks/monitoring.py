"""How often the alarms about outcomes are up when the risks are right, and when they are wrong, over drawn worlds.

``python -m benchmarks.monitoring [WORLDS] [CHILDREN]`` (defaults 200 and 10,000). In a world every child has a rate of going missing of its own, most of them tiny, and
leaves at a random moment; eight weekly lists state each child's true risk within 120 days. Then the outcomes come as stated, twice or half as often, or without any
relation to the order of the list. Prints the share of worlds with each alarm up, and how often the interval of observed over expected contains the truth.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl

from histories.calendar import HORIZON
from serving.monitoring.alarms import ALARMS, load_limits
from serving.monitoring.evidence import Current, Evidence
from serving.monitoring.judge import Judgement, together
from serving.monitoring.outcomes import Outcomes
from serving.monitoring.promises import compare

CODES = ("A001", "A002", "A003")
WEEKS, PLACES = 8, 25
SHAPE, MEAN_RISK = 0.05, 0.005  # of the gamma distribution of rates; a few children carry most of the risk
NO_ONE = Outcomes(pl.DataFrame(), pl.DataFrame({"label": []}, schema={"label": pl.Float64}))
TIMES = {"as stated": 1.0, "twice as often": 2.0, "half as often": 0.5, "in another order": 1.0}


def lists(rng: np.random.Generator, children: int, kind: str) -> pl.DataFrame:
    """Draw the outcomes of eight weekly lists."""
    rate = rng.gamma(SHAPE, MEAN_RISK / SHAPE / HORIZON, children)
    true = rng.permutation(rate) if kind == "in another order" else rate
    moment = rng.exponential(1 / np.maximum(true * TIMES[kind], 1e-12))
    parts = []
    for week in range(WEEKS):
        still = np.flatnonzero(moment >= 7 * week)
        risk = 1 - np.exp(-rate[still] * HORIZON)
        rank = np.empty(len(still), int)
        rank[np.argsort(-risk, kind="stable")] = np.arange(1, len(still) + 1)
        label = (moment[still] < 7 * week + HORIZON).astype(float)
        day = date(2024, 1, 8) + timedelta(weeks=week)
        columns = {"pupil_id": still, "risk": risk, "rank": rank, "label": label}
        parts.append(pl.DataFrame(columns).with_columns(as_of=pl.lit(day), places=pl.lit(PLACES), horizon=HORIZON))
    return pl.concat(parts)


class Drawn(Evidence):
    """The evidence of one authority, whose lists are drawn; the version that made the newest is the last."""

    def current(self) -> list[Current]:
        """Return the newest version."""
        return [Current(authority="801", version=list(self.judgement.outcomes)[-1])]

    def outcomes(self, of: Current) -> Outcomes:
        """Return what is drawn of the version."""
        return self.judgement.outcomes[of.version]

    def outcomes_of_versions(self, of: Current) -> Outcomes:
        """Return all that is drawn."""
        return together(self.judgement.outcomes.values())


def states(scored: pl.DataFrame, base_rate: float) -> Iterator[tuple[str, bool]]:
    """Yield whether each alarm is up."""
    manifests: Any = {"1": SimpleNamespace(base_rate=base_rate)}
    judgement = Judgement(outcomes={"1": Outcomes(scored, NO_ONE.unscored.with_columns(as_of=None))})
    judgement.manifests = manifests
    limits = load_limits()
    for alarm in ALARMS:
        if alarm.code in CODES:
            yield alarm.code, alarm.results(Drawn(judgement=judgement), limits[alarm.code])[0].state == "up"


def measure(worlds: int, children: int, kind: str) -> dict[str, float]:
    """Return the share of worlds with each alarm up, and the share whose interval contains the truth."""
    rng = np.random.Generator(np.random.PCG64(5))
    shares = dict.fromkeys((*CODES, "interval"), 0.0)
    for _ in range(worlds):
        scored = lists(rng, children, kind)
        # The risk of a week is 1 - exp(-rate), so that twice the rate is a little less than twice the risk.
        truth = float(1 - (1 - scored["risk"]).pow(TIMES[kind]).mean()) / float(scored["risk"].mean())  # type: ignore[arg-type, operator]
        ratio = compare(scored).ratio
        shares["interval"] += bool(ratio and ratio.low <= truth <= ratio.high)
        for code, up in states(scored, MEAN_RISK):
            shares[code] += up
    return {name: n / worlds for name, n in shares.items()}


def main(worlds: int = 200, children: int = 10_000) -> None:
    """Print a table."""
    print(f"| outcomes, {worlds} worlds of {children:,} children | {' | '.join(CODES)} | interval contains the truth |")
    for kind in TIMES:
        shares = measure(worlds, children, kind)
        print(f"| {kind} | {' | '.join(f'{shares[c]:.1%}' for c in CODES)} | {shares['interval']:.1%} |", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
