"""The comparison of definitions as text."""

from __future__ import annotations

from training.description.definitions import Comparison
from training.terminal_table import text_table


def text(comparison: Comparison) -> str:
    """Return the comparison as aligned text."""
    shown = {c.definition.name: c for c in comparison.counted}
    rows = [
        (
            n,
            f"{c.counted:,}",
            f"{c.snapshots:,}",
            f"{c.rate.value:.2%}" if c.rate else "",
            _days(c.days_known_counted),
            _days(c.days_known),
        )
        for n, c in shown.items()
    ]
    parts = [
        f"Windows of {comparison.horizon} days from {len(comparison.as_of)} days, {comparison.as_of[0]} to {comparison.as_of[-1]}",
        text_table(
            ("definition", "counts", "of snapshots", "rate", "days until known: missing", "all (median, nine in ten)"),
            rows,
        ),
        "Who is counted by two definitions",
        text_table(
            ("definitions", "", "both", "only the first", "only the second", "Jaccard"),
            [
                (
                    o.first,
                    o.second,
                    f"{o.both:,}",
                    f"{o.only_first:,}",
                    f"{o.only_second:,}",
                    "" if o.jaccard is None else f"{o.jaccard:.2f}",
                )
                for o in comparison.overlaps
            ],
            left=2,
        ),
    ]
    if comparison.learned:
        size = (
            f"{comparison.capacity:.1%} of each list"
            if comparison.capacity < 1
            else f"{comparison.capacity:g} children a list"
        )
        parts += [
            f"A light model by each definition, judged on {', '.join(str(d) for d in comparison.judged_on)} by the same definition; lists of {size}",
            text_table(
                ("learned", "average precision", "precision", "recall"),
                [
                    (m.definition, *(str(i) if i else "" for i in (m.average_precision, m.precision, m.recall)))
                    for m in comparison.learned
                ],
            ),
            "Share of the list (row) that is on the list of another (column), and average precision when judged by it",
            text_table(
                ("learned", *shown),
                [
                    (
                        m.definition,
                        *(
                            f"{m.in_common[n]:.0%}, {m.judged_by[n]:.3f}"
                            if n in m.in_common and m.judged_by[n] is not None
                            else ""
                            for n in shown
                        ),
                    )
                    for m in comparison.learned
                ],
            ),
        ]
    parts += comparison.without_outcome
    parts += [f"{name}: {why}." for name, why in comparison.left_out.items()]
    return "\n".join([*parts, "Counts are exact: for choosing a definition, not for publication."])


def _days(days: dict[str, float | None]) -> str:
    return "" if days["median"] is None else f"{days['median']:.0f}, {days['nine_tenths']:.0f}"
