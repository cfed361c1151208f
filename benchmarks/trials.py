"""How often a trial finds an effect that is there, and one that is not: ``python -m benchmarks.trials [WORLDS]``.

Each row is one plan, analysed in every world as ``onroll trial analyse`` does.
"""

from __future__ import annotations

import sys
from datetime import date
from itertools import product

import numpy as np

from serving.trials.plan import TrialPlan
from serving.trials.power import Sample, power_of

EXPECTED = {
    "contact": ("40% to 60%", {"control": 0.4, "treated": 0.6}),
    "attendance": ("80% to 88%", {"control": 0.8, "treated": 0.88}),
    "missing": ("risk of 20% to 50% halved", {"ratio": 0.5}),
    "missing, rare": ("risk of 1% to 5% halved", {"ratio": 0.5}),
}
UNITS = {"child": (400, 1), "family": (250, 2), "school": (50, 12)}


def main(worlds: int) -> None:
    """Print the table."""
    sys.stdout.write("| outcome | effect | units | power | false findings | interval contains none |\n")
    sys.stdout.write("|---|---|---|---|---|---|\n")
    for (outcome, (effect, expected)), (unit, (units, each)) in product(EXPECTED.items(), UNITS.items()):
        plan = TrialPlan(
            name="benchmark",
            question="Does help now help?",
            authority="801",
            as_of=date(2026, 9, 7),
            first=units * each,
            analyse_on=date(2027, 9, 1),
            seed=5,
            unit=unit,
            outcome=outcome.split(",")[0],
            **expected,
        )
        rng = np.random.default_rng(3)
        risk = rng.uniform(0.01, 0.05, units * each) if "rare" in outcome else rng.uniform(0.2, 0.5, units * each)
        excepted = rng.random(units * each) < 0.05
        power = power_of(plan, Sample(unit=np.repeat(np.arange(units), each), risk=risk, excepted=excepted), worlds)
        shares = (f"{s.value:.1%}" for s in (power.power, power.size, power.covered))
        sys.stdout.write(" | ".join([f"| {outcome}", effect, f"{units} × {each} ({unit})", *shares]) + " |\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
