"""How often the interval of missed need covers the truth, and how wide it is: ``python -m benchmarks.checks``.

Every possible draw of each row is weighted by its probability: nothing is simulated. A row is a list below its cut, in one or two bands.
"""

from __future__ import annotations

import sys
from itertools import product

import numpy as np
from scipy.stats import hypergeom

from serving.trials.checks.estimates import Stratum, total

# Bands as (children, drawn), and the shares of their children who needed help.
BANDS = {
    "8,000 in one band, 60 drawn": ((8000, 60),),
    "8,000 in one band, 200 drawn": ((8000, 200),),
    "400 and 7,600, 30 drawn of each": ((400, 30), (7600, 30)),
    "400 and 7,600, 60 and 40 drawn": ((400, 60), (7600, 40)),
}
SHARES = ((0.0, 0.0), (0.02, 0.001), (0.05, 0.005), (0.1, 0.02), (0.3, 0.05))


def main() -> None:
    """Print the table."""
    sys.stdout.write(
        "| below the cut | needed help | covered | mean interval | if none was found |\n|---|---|---|---|---|\n"
    )
    for (text, bands), shares in product(BANDS.items(), SHARES):
        if len(bands) == 1:
            shares = (shares[1],)
        need = [round(share * size) for share, (size, _) in zip(shares, bands, strict=True)]
        covered, low, high = _over_draws(bands, need)
        none = total([Stratum(size=size, known=n, yes=0) for size, n in bands])
        cells = (text, " and ".join(f"{n:,}" for n in need), f"{covered:.1%}", f"{low:,.0f} to {high:,.0f}")
        sys.stdout.write(
            " | ".join([f"| {cells[0]}", *cells[1:], f"at most {none.high:,.0f} |" if none else "|"]) + "\n"
        )


def _over_draws(bands: tuple[tuple[int, int], ...], need: list[int]) -> tuple[float, float, float]:
    """Return how often the interval covers, and the mean of its ends, over draws that are not too unlikely to matter."""
    chances = [
        {yes: p for yes in range(n + 1) if (p := float(hypergeom.pmf(yes, size, k, n))) > 1e-9}
        for (size, n), k in zip(bands, need, strict=True)
    ]
    covered = low = high = 0.0
    for yes in product(*chances):
        chance = float(np.prod([of[y] for of, y in zip(chances, yes, strict=True)]))
        found = total([Stratum(size=size, known=n, yes=y) for (size, n), y in zip(bands, yes, strict=True)])
        if found is None:
            raise ValueError("a band without checks")
        covered += chance * (found.low <= sum(need) <= found.high)
        low, high = low + chance * found.low, high + chance * found.high
    return covered, low, high


if __name__ == "__main__":
    main()
