"""How often a trial finds an effect that is there, and one that is not: ``python -m benchmarks.trials [WORLDS]``.

Each row is one plan, analysed in every world as ``onroll trial analyse`` does.
"""

from __future__ import annotations

import sys
from datetime import date
from itertools import product

import numpy as np

from serving.trials.plan import TrialPlan
from serving.trials.power import power_of
from serving.trials.sample import Sample

EXPECTED = {
    "contact": ("40% to 60%", {"control": 0.4, "treated": 0.6}),
    "attendance": ("80% to 88%", {"control": 0.8, "treated": 0.88}),
    "missing": ("risk of 20% to 50% halved", {"ratio": 0.5}),
    "missing, rare": ("risk of 1% to 5% halved", {"ratio": 0.5}),
}
UNITS = {"child": (400, 1), "family": (250, 2), "school": (50, 12)}


BASE = {
    "name": "benchmark",
    "question": "Does help now help?",
    "authority": "801",
    "as_of": date(2026, 9, 7),
    "analyse_on": date(2027, 9, 1),
    "seed": 5,
}
# Orders by risk against at random: the effect of reaching a child, how many of 400 are reached, and whose risks they are.
ORDERS = {
    "risk of 20% to 50% halved for 150 of 400": (0.5, 150, (0.2, 0.5)),
    "risk of 2% to 80% halved for 150 of 400": (0.5, 150, (0.02, 0.8)),
    "risk of 2% to 80% cut to a tenth for 150 of 400": (0.1, 150, (0.02, 0.8)),
}
# Stepped wedges: the units, the children of each, and the steps.
WEDGES = {"school": (24, 12, 4), "area": (10, 60, 3)}
WEDGE_EFFECTS = {
    "attendance": ("80% to 88%", {"control": 0.8, "treated": 0.88}),
    "contact": ("40% to 55%", {"control": 0.4, "treated": 0.55}),
}


def main(worlds: int) -> None:
    """Print the tables."""
    sys.stdout.write("| outcome | effect | units | power | false findings | interval contains none |\n")
    sys.stdout.write("|---|---|---|---|---|---|\n")
    for (outcome, (effect, expected)), (unit, (units, each)) in product(EXPECTED.items(), UNITS.items()):
        rng = np.random.default_rng(3)
        low, high = (0.01, 0.05) if "rare" in outcome else (0.2, 0.5)
        risk = rng.uniform(low, high, units * each)
        excepted = rng.random(units * each) < 0.05
        sample = Sample(unit=np.repeat(np.arange(units), each), risk=risk, excepted=excepted)
        plan = TrialPlan(**BASE, first=units * each, unit=unit, outcome=outcome.split(",")[0], **expected)
        _row((outcome, effect, f"{units} × {each} ({unit})"), plan, sample, worlds)
    for (effect, (ratio, reached, risks)), (unit, (units, each)) in product(
        ORDERS.items(), {"child": (400, 1), "school": (50, 8)}.items()
    ):
        rng = np.random.default_rng(3)
        how = {"arms": "order", "orders": ("risk", "random"), "reached": reached, "ratio": ratio}
        plan = TrialPlan(**BASE, first=400, unit=unit, outcome="missing", **how)
        excepted = rng.random(400) < 0.02
        sample = Sample(unit=np.repeat(np.arange(units), each), risk=rng.uniform(*risks, 400), excepted=excepted)
        _row(("order, missing", effect, f"{units} × {each} ({unit})"), plan, sample, worlds)
    for (outcome, (effect, expected)), (unit, (units, each, steps)) in product(WEDGE_EFFECTS.items(), WEDGES.items()):
        areas = {f"a{n}": (str(n),) for n in range(units)} if unit == "area" else {}
        how = {"arms": "wedge", "steps": steps, "step_weeks": 3, "areas": areas}
        plan = TrialPlan(**BASE, first=units * each, unit=unit, outcome=outcome, **how, **expected)
        excepted = np.random.default_rng(3).random(units * each) < 0.05
        risk = np.full(units * each, 0.2)
        sample = Sample(unit=np.repeat(np.arange(units), each), risk=risk, excepted=excepted)
        _row((f"wedge, {outcome}", effect, f"{units} × {each} ({unit}), {steps} steps"), plan, sample, worlds)


def _row(words: tuple[str, str, str], plan: TrialPlan, sample: Sample, worlds: int) -> None:
    power = power_of(plan, sample, worlds)
    shares = (f"{s.value:.1%}" for s in (power.power, power.size, power.covered))
    sys.stdout.write(f"| {' | '.join([*words, *shares])} |\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
