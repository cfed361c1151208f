"""Whether a child has already stopped coming: declared, dated rules over what was known before the day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Literal, TypeAlias

import polars as pl
from pydantic import Field

from features.attendance.bits import BITS, NEWEST_SESSIONS
from histories.errors import Fault, Faults
from histories.io.settings_file import SettingsFile
from histories.io.toml import read_toml

FOLDER = Path(__file__).with_name("stopping_rules")
ListName: TypeAlias = Literal["act_today", "help_early"]
ACT_TODAY: ListName = "act_today"
HELP_EARLY: ListName = "help_early"


@dataclass(frozen=True, kw_only=True)
class StoppingRule:
    """When a child counts as already stopping; one of the conditions is enough.

    Attributes
    ----------
    since : date
        The day from which the rule holds, until another one does.
    unexplained_share : float
        Share of the last 20 possible sessions, within 60 days, missed without permission or for no reason known yet.
    enough_sessions : int
        Fewest possible sessions for which a share is computed.
    since_breaks : bool
        Whether the same share is also computed of the sessions of the last 14 days, since the last break of a week or longer, and
        since joining the school in the last 30 days; the last 20 then reach back over the summer only if the share since the summer is as high.
    absent_in_a_row : int
        Last sessions missed in a row, for whatever reason.
    silent_days : int
        Days on the roll without any mark while the school sent marks for others; marks are counted for 14 days. A mark of a session that
        was not possible for the child (D, Q, X, Y, Z) is a mark; a planned closure (#) is not.
    not_come_days : int
        Days since joining the school without ever being present; a child with such marks since is expected only if its own sessions are enough.
    silent_sessions, not_come_sessions : int
        Sessions that the school must have held in these days, by the marks of the other children: a holiday is no silence. With 0, one
        mark is enough. Not come: in the longest of 7, 10, 14 and 28 days that begins after the joining.
    """

    title: str
    text: str
    source: str
    since: date
    unexplained_share: float
    enough_sessions: int
    since_breaks: bool
    absent_in_a_row: int
    silent_days: int
    not_come_days: int
    silent_sessions: int
    not_come_sessions: int

    @classmethod
    def load(cls, file: Path) -> StoppingRule:
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
        in_a_row = pl.col("trailing_absent") >= self.absent_in_a_row
        conditions = (self._half_missed(), in_a_row, self._silent(), self._not_come())
        return pl.any_horizontal(*(condition.fill_null(False) for condition in conditions))

    def _half_missed(self) -> pl.Expr:
        def missed(sessions: pl.Expr, unexplained: pl.Expr, enough: int = self.enough_sessions) -> pl.Expr:
            return ((sessions >= enough) & (unexplained >= self.unexplained_share * sessions)).fill_null(False)

        newest = missed(pl.col("newest_sessions"), pl.col("newest_unexplained"))
        if not self.since_breaks:
            return newest
        since_summer = (pl.col("since_summer_sessions"), pl.col("since_summer_unexplained"))
        joined = pl.col("newest_entry")
        of_school = (_newest_bits("possible", joined), _newest_bits("unexplained", joined))
        return pl.any_horizontal(
            newest & missed(*since_summer, enough=1),
            missed(*since_summer),
            missed(pl.col("since_break_sessions"), pl.col("since_break_unexplained")),
            missed(pl.col("possible_14"), _newest_bits("unexplained", pl.lit(14))),
            missed(*of_school) & (of_school[0] <= NEWEST_SESSIONS) & (joined <= BITS),
        )

    def _silent(self) -> pl.Expr:
        joined = pl.col("newest_entry")
        least = self.silent_sessions
        silent = _unmarked(14) & _held("possible_14", least) & (joined >= self.silent_days)
        if not least:
            return silent
        # Over a break of two weeks, four weeks hold what two weeks hold in term.
        return silent | (_unmarked(28) & _held("possible_28", least) & (joined >= 28))

    def _not_come(self) -> pl.Expr:
        joined, least = pl.col("newest_entry"), self.not_come_sessions
        never_present = pl.col("last_present_days").is_null() | (pl.col("last_present_days") > joined)
        if least:
            marked = _newest_bits("possible", joined) >= least
            # The longest of these windows that begins after the joining counts.
            held = pl.lit(False)
            for days in (7, 10, 14, 28):
                held = pl.when(joined >= days).then(_held(f"possible_{days}", least)).otherwise(held)
        else:
            marked, held = pl.col("possible_14") > 0, _held("possible_14", 0)
        expected = marked.fill_null(False) | (held & _not_excused(joined))
        return never_present & expected & joined.is_between(self.not_come_days, 60)


def _unmarked(days: int) -> pl.Expr:
    """Return whether the child has no mark of the last days, not even one of a session that was not possible."""
    return (pl.col(f"possible_{days}") == 0) & _not_excused(pl.lit(days))


def _not_excused(days: pl.Expr) -> pl.Expr:
    """Return whether no session of the last days was marked as not possible for the child: taught elsewhere, no transport."""
    last = pl.col("last_not_possible_days")
    return last.is_null() | (last > days)


def _held(tally: str, least: int) -> pl.Expr:
    """Return whether the school held so many sessions, on average of the other children with marks in 60 days."""
    others = pl.col(f"school_{tally}")
    return ((others > 0) & (others >= least * pl.col("school_marked"))).fill_null(False)


def _newest_bits(kind: str, days: pl.Expr) -> pl.Expr:
    """Count the child's possible or unexplained sessions in the last days, at most ``BITS``."""
    of_days = pl.lit(4, pl.Int64).pow(days.clip(0, BITS).cast(pl.Int64)) - 1
    return (pl.col(f"{kind}_bits") & of_days.cast(pl.Int64)).bitwise_count_ones().cast(pl.Int64)


class StoppingFile(SettingsFile):
    """The keys of a stopping rule's TOML file."""

    title: str = Field(strict=True, description="text")
    text: str = Field(strict=True, description="text")
    source: str = Field(strict=True, description="text")
    since: date = Field(strict=True, description="a date")
    unexplained_share: float = Field(gt=0, le=1, description="a share above 0 and at most 1")
    enough_sessions: int = Field(strict=True, ge=1, le=NEWEST_SESSIONS, description="a whole number from 1 to 20")
    since_breaks: bool = Field(default=False, strict=True, description="true or false")
    absent_in_a_row: int = Field(strict=True, ge=1, le=120, description="a whole number from 1 to 120")
    silent_days: int = Field(strict=True, ge=14, le=365, description="a whole number from 14 to 365")
    not_come_days: int = Field(strict=True, ge=1, le=60, description="a whole number from 1 to 60")
    silent_sessions: int = Field(default=0, strict=True, ge=0, le=20, description="a whole number from 0 to 20")
    not_come_sessions: int = Field(default=0, strict=True, ge=0, le=20, description="a whole number from 0 to 20")


def load_rules(folder: Path = FOLDER) -> tuple[StoppingRule, ...]:
    """Read the rules of a folder, oldest first.

    Raises
    ------
    Faults
        For a file that is no rule, and for two rules from the same day.
    """
    rules = {file: StoppingRule.load(file) for file in sorted(folder.glob("*.toml"))}
    days = [rule.since for rule in rules.values()]
    twice = [str(file) for file, rule in rules.items() if days.count(rule.since) > 1]
    if twice:
        raise Faults(Fault("two rules hold from the same day", ", ".join(twice), "Give each another day in since."))
    return tuple(sorted(rules.values(), key=lambda rule: rule.since))


@cache
def stopping_rules() -> tuple[StoppingRule, ...]:
    """Return the rules that come with onroll, oldest first."""
    return load_rules()


def stopping_rule() -> StoppingRule:
    """Return the newest rule that comes with onroll, by which models are trained and judged."""
    return stopping_rules()[-1]


def list_of(rules: Sequence[StoppingRule] | None = None) -> pl.Expr:
    """Return the list of each snapshot, ``act_today`` or ``help_early``, over its tallies and their context.

    The newest rule that held on the as-of date decides. Days before the first rule are seen in hindsight, by the newest.
    """
    return _list_of(tuple(rules or stopping_rules()))


def list_on(day: date) -> pl.Expr:
    """Return the list of each snapshot of one day, by the one rule that decides then; see ``list_of``."""
    *earlier, newest = stopping_rules()
    in_force = (rule for rule, later in pairwise((*earlier, newest)) if rule.since <= day < later.since)
    return _list_of((next(in_force, newest),))


@cache
def _list_of(rules: tuple[StoppingRule, ...]) -> pl.Expr:
    stopping = rules[-1].holds()
    for rule, later in reversed(list(pairwise(rules))):
        in_force = pl.col("as_of").is_between(rule.since, later.since, closed="left")
        stopping = pl.when(in_force).then(rule.holds()).otherwise(stopping)
    return pl.when(stopping).then(pl.lit(ACT_TODAY)).otherwise(pl.lit(HELP_EARLY)).alias("list")
