"""Whether a child has already stopped coming: a declared, dated rule over what was known before the day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

import polars as pl
from pydantic import Field

from features.attendance.bits import NEWEST_SESSIONS
from histories.io.settings_file import SettingsFile
from histories.io.toml import read_toml

FILE = Path(__file__).with_name("stopping_rules") / "already_stopping.toml"
ListName: TypeAlias = Literal["act_today", "help_early"]
ACT_TODAY: ListName = "act_today"
HELP_EARLY: ListName = "help_early"


@dataclass(frozen=True, kw_only=True)
class StoppingRule:
    """When a child counts as already stopping; one of the conditions is enough.

    Attributes
    ----------
    since : date
        The day from which the rule holds.
    unexplained_share : float
        Share of the last 20 possible sessions, within 60 days, missed without permission or for no reason known yet.
    enough_sessions : int
        Fewest possible sessions for which a share is computed.
    absent_in_a_row : int
        Last sessions missed in a row, for whatever reason.
    silent_days : int
        Days on the roll without any mark while the school sent marks for others; marks are counted for 14 days.
    not_come_days : int
        Days since joining the school without ever being present.
    """

    title: str
    text: str
    source: str
    since: date
    unexplained_share: float
    enough_sessions: int
    absent_in_a_row: int
    silent_days: int
    not_come_days: int

    @classmethod
    def load(cls, file: Path = FILE) -> StoppingRule:
        """Read a rule from a TOML file.

        Raises
        ------
        Faults
            For bad TOML, unknown keys and wrong values.
        """
        return cls(**StoppingFile.of(read_toml(file), file, "Correct the file.").model_dump())

    def holds(self) -> pl.Expr:
        """Return whether a snapshot is already stopping, over its tallies and their context; never null.

        An absent table proves nothing: without marks every child is on ``help_early``.
        """
        sessions, joined = pl.col("newest_sessions"), pl.col("newest_entry")
        others_have_marks = pl.col("school_possible_14") > 0
        unexplained = (sessions >= self.enough_sessions) & (
            pl.col("newest_unexplained") >= self.unexplained_share * sessions
        )
        in_a_row = pl.col("trailing_absent") >= self.absent_in_a_row
        silent = others_have_marks & (pl.col("possible_14") == 0) & (joined >= self.silent_days)
        never_present = pl.col("last_present_days").is_null() | (pl.col("last_present_days") > joined)
        has_marks = others_have_marks | (pl.col("possible_14") > 0)
        not_come = never_present & has_marks & joined.is_between(self.not_come_days, 60)
        conditions = (unexplained, in_a_row, silent, not_come)
        return pl.any_horizontal(*(condition.fill_null(False) for condition in conditions))


class StoppingFile(SettingsFile):
    """The keys of a stopping rule's TOML file."""

    title: str = Field(strict=True, description="text")
    text: str = Field(strict=True, description="text")
    source: str = Field(strict=True, description="text")
    since: date = Field(strict=True, description="a date")
    unexplained_share: float = Field(gt=0, le=1, description="a share above 0 and at most 1")
    enough_sessions: int = Field(strict=True, ge=1, le=NEWEST_SESSIONS, description="a whole number from 1 to 20")
    absent_in_a_row: int = Field(strict=True, ge=1, le=120, description="a whole number from 1 to 120")
    silent_days: int = Field(strict=True, ge=14, le=365, description="a whole number from 14 to 365")
    not_come_days: int = Field(strict=True, ge=1, le=60, description="a whole number from 1 to 60")


@cache
def stopping_rule() -> StoppingRule:
    """Return the rule that comes with onroll."""
    return StoppingRule.load()


def list_of() -> pl.Expr:
    """Return the list of each snapshot, ``act_today`` or ``help_early``, over its tallies and their context."""
    return pl.when(stopping_rule().holds()).then(pl.lit(ACT_TODAY)).otherwise(pl.lit(HELP_EARLY)).alias("list")
