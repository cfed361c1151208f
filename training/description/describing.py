"""Who goes missing: each group's rate against all other children's, in the form of the Children's Commissioner's table.

The table is safe to print: every figure is computed from printed counts, rounded to 5, and intervals include the rounding error
(``intervals.relative_risk``).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import polars as pl

from features import HORIZON, CohortRule, Definition, label
from features.groups.disclosure import ALL, BASE, HIDDEN, NOT_AVAILABLE, SMALLEST, partition, rounded, shown, sums
from features.groups.grouping import grouped
from features.groups.groups import GROUPS, NOT_RECORDED, Group
from features.outcome.known_until import NOTHING, newest_known
from features.outcome.not_in_cohort import CHOOSE, NOBODY
from histories.errors import Fault, Faults
from histories.reading.histories import Histories
from training.measures.intervals import ROUNDING, Interval, design_effect, relative_risk, rounded_share
from training.rolls_end import warnings_of_ended_rolls

METHOD = (
    f"Counts of {SMALLEST} or fewer, and those that would give one away, are hidden; the others are rounded to {BASE}, and all else is computed from "
    "the rounded counts. Rates: Wilson intervals. Relative risk: the group's rate over the rate of all other children, log-normal interval (Katz), "
    "widened for rounding and for children counted on several days. Against all: the rate over the rate of all children. Not adjusted for anything: groups overlap, and a ratio is no cause."
)
SOURCE = "Children's Commissioner for England, Children Missing Education: The Unrolled Story (September 2024), as quoted in her office's release and the press"


# Why a child of the cohort has no outcome; who has another is outside the definition's ages.
WHY = {
    "not_known": "whose outcome is not known",
    "left_before": "had left before the day, which was recorded later",
    "ages": "outside the definition's ages",
}


@dataclass(frozen=True, kw_only=True)
class Published:
    """A published ratio, for comparison with a row."""

    group: str
    value: str
    ratio: float
    children: str
    source: str = SOURCE


# Ratios of a group's share of the missing to its share of all pupils, under another definition and over a school year.
PUBLISHED = (
    Published(group="sen", value="any", ratio=1.4, children="children with special educational needs"),
    Published(group="idaci_fifth", value="1", ratio=1.5, children="children in the most deprived neighbourhoods"),
    Published(
        group="social_care", value="social_worker", ratio=2.7, children="children in need, who have a social worker"
    ),
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One value of a group as printed; None if hidden or not computable."""

    group: Group
    value: str
    children: int | None
    missing: int | None
    rate: Interval | None
    peers_rate: Interval | None
    relative_risk: Interval | None
    against_all: float | None
    published: Published | None = None

    @property
    def title(self) -> str:
        """The title of the value."""
        return self.group.title_of(self.value)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        figures = {n: getattr(self, n) for n in ("rate", "peers_rate", "relative_risk")}
        return {
            "value": self.value,
            "title": self.title,
            "children": self.children,
            "missing": self.missing,
            **{n: i.to_dict() if i else None for n, i in figures.items()},
            "against_all": self.against_all,
            "hidden": self.missing is None,
            "published": {"ratio": self.published.ratio, "of": self.published.children, "source": self.published.source}
            if self.published
            else None,
        }


@dataclass(frozen=True, kw_only=True)
class Description:
    """The table of all groups; ``without_outcome`` says which children of the cohort are in no figure, and why."""

    as_of: list[date]
    definition: str
    horizon: int
    children: int | None
    missing: int | None
    rate: Interval | None
    rows: list[Row]
    left_out: list[str] = field(default_factory=list)
    without_outcome: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        groups = [
            {
                "group": g.name,
                "title": g.title,
                "known_from": g.table,
                "rows": [r.to_dict() for r in self.rows if r.group is g],
            }
            for g in dict.fromkeys(r.group for r in self.rows)
        ]
        return {
            "as_of": [str(d) for d in self.as_of],
            "definition": self.definition,
            "horizon_days": self.horizon,
            "children": self.children,
            "missing": self.missing,
            "rate": self.rate.to_dict() if self.rate else None,
            "groups": groups,
            "left_out": self.left_out,
            "without_outcome": self.without_outcome,
            "method": METHOD,
            "symbols": {
                HIDDEN: "hidden to protect small numbers of children",
                NOT_AVAILABLE: "cannot be computed",
            },
        }


def describe(
    histories: Histories,
    as_of: list[date],
    definition: Definition | None = None,
    horizon: int = HORIZON,
    rule: CohortRule | None = None,
) -> Description:
    """Describe which children of the cohort went missing in the windows that start on the given days.

    Raises
    ------
    Faults
        If a window is not fully known, or the cohort is empty.
    """
    definition = definition or Definition.load()
    whole = pl.DataFrame(label(histories, as_of, definition, horizon, rule=rule))
    labelled = whole.drop_nulls("label")
    newest = newest_known(histories, definition, horizon).whole
    with_cohort = set(whole["as_of"].to_list())
    faults = [Fault(NOBODY, f"--as-of {d}", CHOOSE) for d in sorted(set(as_of) - with_cohort)]
    unknown = sorted(with_cohort - set(labelled["as_of"].to_list()))
    do = f"Use a day no later than {newest}, or a shorter --horizon."
    if newest < NOTHING:
        do = "The definition counts cases only, and the histories hold none: import the register of cases, or choose another definition."
    faults += [Fault("the window that starts on this day is not fully known", f"--as-of {d}", do) for d in unknown]
    if faults:
        raise Faults(faults)
    frame = labelled.join(pl.DataFrame(grouped(histories, as_of, rule)), on=["pupil_id", "as_of"]).sort(
        "as_of", "pupil_id"
    )
    left_out = [g.name for g in GROUPS if g.name not in frame.columns]
    table = describe_snapshots(frame, as_of, definition.name, horizon, left_out)
    return replace(
        table,
        without_outcome=[*_without_outcome(whole), *warnings_of_ended_rolls(histories, definition, horizon, as_of)],
    )


def _without_outcome(labels: pl.DataFrame) -> list[str]:
    """Return a sentence on the snapshots that have no label, rounded as all counts are."""
    counts = labels.filter(pl.col("label").is_null())["outcome"].value_counts()
    by: Counter[str] = Counter()
    for why, n in counts.iter_rows():
        by[why if why in WHY else "ages"] += n
    told = [f"{n:,} {words}" for why, words in WHY.items() if (n := shown(by[why]))]
    return [f"Children of the cohort in no figure above: {'; '.join(told)}."] if told else []


def describe_snapshots(
    frame: pl.DataFrame, as_of: list[date], definition: str, horizon: int, left_out: list[str] | None = None
) -> Description:
    """Tabulate the groups of labelled snapshots.

    Parameters
    ----------
    frame : polars.DataFrame
        ``pupil_id``, ``label`` (0 or 1) and columns of groups.
    """
    pupil = frame["pupil_id"].rank("dense").to_numpy().astype(int) - 1
    design = design_effect(frame["label"].to_numpy(), pupil)
    children, missing = len(frame), int(frame["label"].sum())
    shown = [None if n <= SMALLEST else rounded(n) for n in (children, missing)]
    overall = _rate(shown[1], shown[0], design)
    rows = [row for g in GROUPS if g.name in frame.columns for row in _rows(frame, g, design)]
    return Description(
        as_of=as_of,
        definition=definition,
        horizon=horizon,
        children=shown[0],
        missing=shown[1],
        rate=overall,
        rows=rows,
        left_out=left_out or [],
    )


def _rows(frame: pl.DataFrame, group: Group, design: float) -> list[Row]:
    counts = frame.group_by(group.name).agg(pl.len(), pl.col("label").sum().cast(pl.Int64).alias("missing"))
    seen = {v: (n, y) for v, n, y in counts.select(group.name, "len", "missing").iter_rows()}
    # A value without children has no row and reveals nothing.
    declared = [v.name for v in group.values]
    values = [v for v in declared if v in seen] + sorted(set(seen) - set(declared), key=_in_order)
    children = {v: seen[v][0] for v in values}
    missing = {v: seen[v][1] for v in values}
    few = partition(children, group.within)
    everybody = {v: children[v] - missing[v] for v in values}
    stayed = {n for n, remainder in sums(everybody, group.within).items() if remainder <= SMALLEST}
    # The number of children bounds the number missing only if it is printed.
    most = {v: c for v, c in children.items() if v not in few}
    hidden = partition(missing, group.within, high=most, sensitive=few | stayed)
    n = {v: None if v in few else rounded(c) for v, c in sums(children, group.within).items()}
    y = {v: None if v in hidden else rounded(c) for v, c in sums(missing, group.within).items()}
    order = [x for v in values for x in _broader_first(v, group, values)]
    return [
        _row(group=group, value=v, children=n[v], missing=y[v], all_children=n[ALL], all_missing=y[ALL], design=design)
        for v in order
    ]


def _row(
    group: Group,
    value: str,
    children: int | None,
    missing: int | None,
    all_children: int | None,
    *,
    all_missing: int | None,
    design: float,
) -> Row:
    rate = _rate(missing, children, design)
    published = next((p for p in PUBLISHED if (p.group, p.value) == (group.name, value)), None)
    if rate is None or all_children is None or all_missing is None or not all_missing:
        return Row(
            group=group,
            value=value,
            children=children,
            missing=missing,
            rate=rate,
            peers_rate=None,
            relative_risk=None,
            against_all=None,
            published=published,
        )
    peers, peers_missing = all_children - children, all_missing - missing  # type: ignore[operator]
    risk = relative_risk(missing, children, peers_missing, peers, design=design, rounding=ROUNDING)  # type: ignore[arg-type]
    return Row(
        group=group,
        value=value,
        children=children,
        missing=missing,
        rate=rate,
        peers_rate=_rate(peers_missing, peers, design),
        relative_risk=risk,
        against_all=rate.value / (all_missing / all_children),
        published=published,
    )


def _rate(missing: int | None, children: int | None, design: float) -> Interval | None:
    return rounded_share(missing, children, design) if missing and children and missing <= children else None


def _broader_first(value: str, group: Group, values: list[str]) -> list[str]:
    broad = group.within.get(value)
    first = next((v for v in values if group.within.get(v) == broad), None)
    return [broad, value] if broad and value == first else [value]


def _in_order(value: str) -> tuple[bool, int, str]:
    """Sort R before 1, 9 before 10, and not recorded last."""
    return value == NOT_RECORDED, int(value) if value.isdigit() else -1, value
