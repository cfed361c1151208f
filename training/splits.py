"""Splits over time: what trained a model was known before the day it is judged on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from histories.faults import Fault, Faults

FEWEST_POSITIVES = 8  # below so many a model learns nothing that can be defended


@dataclass(frozen=True)
class Splits:
    """The as-of dates of each part.

    Attributes
    ----------
    dates : list of date
        Every date with labels, oldest first.
    calibrate, test : list of date
        The dates on which a model made before them is calibrated and judged.
    """

    dates: list[date]
    calibrate: list[date]
    test: list[date]

    def known_before(self, frame: pl.DataFrame, day: date) -> pl.DataFrame:
        """Return the labelled snapshots that were fully known before a day."""
        return frame.filter((pl.col("known_on") < day) & (pl.col("as_of") < day))

    def text(self) -> str:
        """Say which dates trained and judged what, one line a part."""
        parts = (("calibrated on", self.calibrate), ("judged on", self.test))
        lines = [f"labels are known for {len(self.dates)} dates, {self.dates[0]} to {self.dates[-1]}"]
        for words, dates in parts:
            said = ", ".join(str(d) for d in dates)
            lines.append(f"{words} {said}, by a model that used only labels known before {dates[0]}")
        return "\n".join(lines)


def split(labelled: pl.DataFrame) -> Splits:
    """Cut the newest four labelled dates off: two to calibrate on, then two to judge on.

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
    if len(dates) < 6:
        raise Faults(
            Fault(f"only {len(dates)} as-of dates have labels that are fully known; six are needed", "train", do)
        )
    splits = Splits(dates, dates[-4:-2], dates[-2:])
    faults = []
    for what, frame in (
        ("to learn from before the dates of calibration", splits.known_before(labelled, splits.calibrate[0])),
        ("in the dates of calibration", labelled.filter(pl.col("as_of").is_in(splits.calibrate))),
        ("in the dates of judging", labelled.filter(pl.col("as_of").is_in(splits.test))),
    ):
        positives = int(frame["label"].sum()) if len(frame) else 0
        least = FEWEST_POSITIVES if "learn" in what else 3
        if positives < least:
            faults.append(Fault(f"only {positives} snapshots {what} went missing; {least} are needed", "train", do))
    if faults:
        raise Faults(faults)
    return splits
