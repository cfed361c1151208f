"""Splits over time: rolling origins, built backwards from the newest fully known outcomes.

At an origin, a model is trained on outcomes known before a day and predicts that day. No label is used before it was known.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

import polars as pl

from histories.errors import Fault, Faults
from histories.io.quantities import quantity

MIN_POSITIVES = 8  # with fewer positives a model is not worth training
JUDGED = 4  # newest origins: candidates are judged on them
BEFORE = 2  # earlier origins: used to calibrate and to choose


@dataclass(frozen=True)
class Origin:
    """A day whose snapshots are predicted by models trained before it.

    Attributes
    ----------
    day : date
        The predicted as-of date.
    learned : tuple of date
        The training dates: as-of dates with at least one outcome known before the day.
    judged : bool
        Whether candidates are judged on it, or only calibrated and chosen.
    partly : tuple of date
        Training dates of whose windows only a part was known before the day; see ``partial_windows.with_parts``.
    """

    day: date
    learned: tuple[date, ...]
    judged: bool
    partly: tuple[date, ...] = ()


@dataclass(frozen=True)
class Splits:
    """The origins, oldest first, and every date with labels.

    Attributes
    ----------
    dates : list of date
    origins : list of Origin
    later : list of date
        Dates after these of whose windows only a part is known; the released model learns from them, and nothing is judged on them.
    """

    dates: list[date]
    origins: list[Origin]
    later: list[date] = field(default_factory=list)

    @property
    def test(self) -> list[date]:
        """The days on which candidates are judged."""
        return [o.day for o in self.origins if o.judged]

    def text(self) -> str:
        """Draw each origin's training and predicted dates as text: one line per origin, one letter per date."""
        lines = [
            f"outcomes are known for {len(self.dates)} dates, {self.dates[0]} to {self.dates[-1]}",
            self.key,
            *(f"{o.day}  {self.letters(o)}" for o in self.origins),
            f"released   {self.letters()}",
        ]
        return "\n".join(lines)

    @property
    def key(self) -> str:
        """What the letters stand for."""
        partly = "P trained on the part that was known, " * bool(self.later)
        return f"L trained on, {partly}. not yet fully known on that day, C predicted for calibration, J predicted and judged"

    def letters(self, origin: Origin | None = None) -> str:
        """Return a letter for every date up to an origin's day, or for every date of the released model; ``key`` explains them."""
        if origin is None:
            return "L" * len(self.dates) + "P" * len(self.later)
        letters = {d: "." for d in self.dates if d < origin.day}
        letters |= dict.fromkeys(origin.learned, "L") | dict.fromkeys(origin.partly, "P")
        letters[origin.day] = "J" if origin.judged else "C"
        return "".join(letters.get(d, " ") for d in self.dates)


def split(labelled: pl.DataFrame) -> Splits:
    """Build the origins backwards from the newest labelled date.

    Parameters
    ----------
    labelled : polars.DataFrame
        ``as_of, label, known_on``; every row has a label.

    Raises
    ------
    Faults
        When there are too few dates or too few children who went missing.
    """
    dates = sorted(labelled["as_of"].unique().to_list())
    do = "Give more years of histories, more as-of dates (--as-of), or a definition that counts more (--definition)."
    newest = origins(labelled, JUDGED + BEFORE)
    judged = newest[BEFORE:] if len(newest) > BEFORE else newest[1:]
    if len(judged) < 2:
        what = f"only {quantity(len(judged), 'as-of date')} can be judged, each with {MIN_POSITIVES} outcomes known before it; two are needed"
        raise Faults(Fault(what, "train", do))
    faults = []
    for what, part in (("calibrate on", newest[: -len(judged)]), ("judge on", judged)):
        positives = int(labelled.filter(pl.col("as_of").is_in([o.day for o in part]))["label"].sum())
        if positives < 3:
            faults.append(
                Fault(f"only {quantity(positives, 'snapshot')} to {what} went missing; 3 are needed", "train", do)
            )
    if faults:
        raise Faults(faults)
    return Splits(dates, [replace(o, judged=o in judged) for o in newest])


def origins(labelled: pl.DataFrame, newest: int) -> list[Origin]:
    """Return the newest labelled dates with enough known outcomes before them, oldest first."""
    dates = sorted(labelled["as_of"].unique().to_list())
    usable = []
    for day in dates[-newest:]:
        past = known_before(labelled, day)
        if (past["label"].sum() or 0) >= MIN_POSITIVES:
            usable.append(Origin(day, tuple(sorted(past["as_of"].unique().to_list())), False))
    return usable


def known_before(frame: pl.DataFrame, day: date) -> pl.DataFrame:
    """Return the labelled snapshots whose outcome was known before a day."""
    return frame.filter((pl.col("known_on") < day) & (pl.col("as_of") < day))
