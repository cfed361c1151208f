"""Compare definitions of missing: their counts, overlaps, delays until known, and effect on the list.

The counts are exact, for the team that chooses a definition, and not for publication.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import date
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl

from features import HORIZON, CohortRule, Definition, cohort, default_as_of, label, matrix
from histories.errors import Fault, Faults
from histories.reading.histories import Histories
from training.fitting.candidates import boosted
from training.fitting.rolling_origin import learn_from
from training.measures.intervals import Interval, bootstrap, design_effect, wilson
from training.measures.metrics import average_precision, listed, numbers
from training.rolls_end import warnings_of_ended_rolls

KEYS = ["pupil_id", "as_of"]
LIGHT = {**boosted.DEFAULTS, "rounds": 150, "learning_rate": 0.04}
MIN = 8  # minimal number of children who went missing to train on
JUDGED = 2  # number of newest dates on which lists are compared


@dataclass(frozen=True, kw_only=True)
class Counted:
    """The counts of one definition.

    Attributes
    ----------
    snapshots, counted, children : int
        Snapshots with a known outcome, those among them that count as missing, and the distinct children among these.
    rate : Interval or None
    days_known, days_known_counted : dict
        Days from the start of the window until the outcome was known (``median`` and ``nine_tenths``), of all and of those that count.
    outcomes : dict
        Number of snapshots by outcome.
    """

    definition: Definition
    snapshots: int
    counted: int
    children: int
    rate: Interval | None
    days_known: dict[str, float | None]
    days_known_counted: dict[str, float | None]
    outcomes: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        d = self.definition
        counts = {k: v for k, v in asdict(self).items() if k != "definition"}
        return {"name": d.name, "title": d.title, "text": d.text, "source": d.source, **counts}


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """The overlap of two definitions over snapshots whose outcome is known by both."""

    first: str
    second: str
    both: int
    only_first: int
    only_second: int
    jaccard: float | None


@dataclass(frozen=True, kw_only=True)
class Learned:
    """Performance of a light model of one definition on the newest dates.

    Attributes
    ----------
    average_precision, precision, recall : Interval or None
        By the same definition, with intervals over resampled pupils; None if nobody went missing.
    judged_by : dict
        Average precision of the same list by each definition.
    in_common : dict
        Share of its list that is also on the list of each other definition's model.
    """

    definition: str
    trained_on: int
    average_precision: Interval | None
    precision: Interval | None
    recall: Interval | None
    judged_by: dict[str, float | None]
    in_common: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """All definitions on the same histories; ``left_out`` gives the reason for each that could not be counted or trained, ``without_outcome`` whose children are in no count."""

    as_of: list[date]
    judged_on: list[date]
    horizon: int
    capacity: float
    counted: list[Counted]
    overlaps: list[Overlap]
    learned: list[Learned]
    left_out: dict[str, str]
    without_outcome: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {
            "as_of": [str(d) for d in self.as_of],
            "horizon_days": self.horizon,
            "definitions": [c.to_dict() for c in self.counted],
            "overlaps": [asdict(o) for o in self.overlaps],
            "capacity": self.capacity,
            "judged_on": [str(d) for d in self.judged_on],
            "models": [asdict(m) for m in self.learned],
            "left_out": self.left_out,
            "without_outcome": self.without_outcome,
        }


def compare(
    histories: Histories,
    definitions: list[Definition],
    as_of: list[date] | None = None,
    horizon: int = HORIZON,
    *,
    rule: CohortRule | None = None,
    capacity: float = 0.01,
    seed: int = 1,
    advance: Callable[..., None] = lambda steps=1, description=None: None,
) -> Comparison:
    """Compare definitions on the same histories.

    Parameters
    ----------
    as_of : list of date, optional
        By default the start of each term.
    capacity : float
        Children on each list, or a share of it (below 1).

    Raises
    ------
    Faults
        If no window of any definition is fully known.
    """
    as_of = sorted(as_of or default_as_of(histories))
    left_out = {
        d.name: "it counts only cases, and the table cme is missing"
        for d in definitions
        if "cme" not in histories.present and not d.counts_rolls
    }
    used = [d for d in definitions if d.name not in left_out]
    labels = {}
    for definition in used:
        advance(description=f"definitions: {definition.name}")
        labels[definition.name] = pl.DataFrame(label(histories, as_of, definition, horizon, rule=rule))
    if not any(frame["label"].count() for frame in labels.values()):
        do = "Use earlier days (--as-of), a shorter --horizon, or longer histories."
        raise Faults(Fault("no window is fully known for any definition", "definitions", do))
    counted = [_counted(d, labels[d.name]) for d in used]
    overlaps = [_overlap(a.name, b.name, labels) for a, b in combinations(used, 2)]
    labelled_days = [d for d in as_of if all(f.filter(pl.col("as_of") == d)["label"].count() for f in labels.values())]
    judged_on = labelled_days[-JUDGED:] if len(labelled_days) > JUDGED else []
    if judged_on:
        advance(description="definitions: features")
        learned = _learn(
            histories=histories,
            definitions=used,
            labels=labels,
            judged_on=judged_on,
            as_of=as_of,
            rule=rule,
            capacity=capacity,
            seed=seed,
            left_out=left_out,
            advance=advance,
        )
    else:
        learned = []
        left_out["models"] = (
            f"only {len(labelled_days)} days have windows that are fully known by every definition; {JUDGED + 1} are needed"
        )
    return Comparison(
        as_of=as_of,
        judged_on=judged_on,
        horizon=horizon,
        capacity=capacity,
        counted=counted,
        overlaps=overlaps,
        learned=learned,
        left_out=left_out,
        without_outcome=_without_outcome(histories, used, horizon, as_of),
    )


def _without_outcome(histories: Histories, definitions: list[Definition], horizon: int, as_of: list[date]) -> list[str]:
    told = (warnings_of_ended_rolls(histories, d, horizon, as_of) for d in definitions)
    return list(dict.fromkeys(warning for warnings in told for warning in warnings))


def _counted(definition: Definition, frame: pl.DataFrame) -> Counted:
    labelled = frame.drop_nulls("label")
    counts = labelled.filter(pl.col("label") == 1)
    rate = None
    if len(labelled):
        pupil = labelled["pupil_id"].rank("dense").to_numpy().astype(int) - 1
        rate = wilson(len(counts), len(labelled), design_effect(labelled["label"].to_numpy(), pupil))
    outcomes = frame.group_by("outcome").len().sort("outcome")
    return Counted(
        definition=definition,
        snapshots=len(labelled),
        counted=len(counts),
        children=counts["pupil_id"].n_unique(),
        rate=rate,
        days_known=_days(labelled),
        days_known_counted=_days(counts),
        outcomes=dict(zip(outcomes["outcome"].to_list(), outcomes["len"].to_list(), strict=True)),
    )


def _days(frame: pl.DataFrame) -> dict[str, float | None]:
    days = (frame["known_on"] - frame["as_of"]).dt.total_days()
    return {"median": days.median(), "nine_tenths": days.quantile(0.9, "higher")}  # type: ignore[dict-item]


def _overlap(first: str, second: str, labels: dict[str, pl.DataFrame]) -> Overlap:
    pair = labels[first].join(labels[second], on=KEYS).drop_nulls(["label", "label_right"])
    a, b = pair["label"] == 1, pair["label_right"] == 1
    both, either = int((a & b).sum()), int((a | b).sum())
    return Overlap(
        first=first,
        second=second,
        both=both,
        only_first=int(a.sum()) - both,
        only_second=int(b.sum()) - both,
        jaccard=both / either if either else None,
    )


def _learn(
    histories: Histories,
    definitions: list[Definition],
    labels: dict[str, pl.DataFrame],
    judged_on: list[date],
    as_of: list[date],
    *,
    rule: CohortRule | None,
    capacity: float,
    seed: int,
    left_out: dict[str, str],
    advance: Callable[..., None],
) -> list[Learned]:
    """Train a light model for each definition on outcomes known before the test dates, and compare their lists."""
    x = pl.DataFrame(matrix(histories, [d for d in as_of if d <= judged_on[-1]], rule=rule, advance=advance))
    features = [c for c in x.columns if c not in KEYS]
    ahead = x.filter(pl.col("as_of").is_in(judged_on))
    for frame in labels.values():
        ahead = ahead.join(frame.drop_nulls("label").select(KEYS), on=KEYS, how="semi")
    who = pl.DataFrame(cohort(histories, judged_on, rule)).select(*KEYS, "authority")
    ahead = ahead.join(who, on=KEYS).sort("as_of", "pupil_id")
    truth = {
        n: ahead.select(KEYS).join(f, on=KEYS, how="left", maintain_order="left")["label"].to_numpy()
        for n, f in labels.items()
    }
    scores, sizes = {}, {}
    for name in (d.name for d in definitions):
        advance(description=f"definitions: a light model by {name}")
        past = x.join(
            labels[name].filter((pl.col("known_on") < judged_on[0]) & pl.col("label").is_not_null()), on=KEYS
        ).sort("as_of", "pupil_id")
        positives = int(past["label"].sum())
        if positives < MIN:
            left_out[f"models.{name}"] = (
                f"only {positives} children were known to have gone missing before {judged_on[0]}; {MIN} are needed"
            )
            continue
        booster = boosted.train(learn_from(past, features, seed), LIGHT)
        scores[name], sizes[name] = boosted.margins(booster, ahead.select(features).to_numpy()), len(past)
    lists = {n: listed(s, numbers(ahead, "authority", "as_of"), capacity, seed) for n, s in scores.items()}
    pupil = ahead["pupil_id"].rank("dense").to_numpy().astype(int) - 1
    learned = []
    for n in scores:
        precise, found_first, recalled = _figures(scores[n], truth[n], lists[n], pupil, seed)
        learned.append(
            Learned(
                definition=n,
                trained_on=sizes[n],
                average_precision=precise,
                precision=found_first,
                recall=recalled,
                judged_by={m: average_precision(scores[n], y) if y.any() else None for m, y in truth.items()},
                in_common={m: float((on & lists[n]).sum() / max(lists[n].sum(), 1)) for m, on in lists.items()},
            )
        )
    return learned


def _figures(
    score: np.ndarray, y: np.ndarray, on: np.ndarray, pupil: np.ndarray, seed: int
) -> tuple[Interval | None, Interval | None, Interval | None]:
    if not y.any():
        return None, None, None

    def figures(weight: np.ndarray) -> np.ndarray:
        hits = (weight * y * on).sum()
        with np.errstate(all="ignore"):
            return np.array(
                [average_precision(score, y, weight), hits / (weight * on).sum(), hits / (weight * y).sum()]
            )

    values, (low, high) = figures(np.ones(len(y))), bootstrap(figures, pupil, seed)
    return tuple(Interval(*(float(v) for v in three)) for three in zip(values, low, high, strict=True))  # type: ignore[return-value]
