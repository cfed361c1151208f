"""Whether a child has already stopped coming: declared, dated rules over what was known before the day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Literal, TypeAlias

import narwhals as nw
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

    def holds(self) -> nw.Expr:
        """Return whether a snapshot is already stopping, over its tallies and their context; never null.

        An absent table proves nothing: without marks every child is on ``help_early``.
        """
        in_a_row = nw.col("trailing_absent") >= self.absent_in_a_row
        conditions = (self._half_missed(), in_a_row, self._silent(), self._not_come())
        return _any(condition.fill_null(False) for condition in conditions)

    def _half_missed(self) -> nw.Expr:
        def missed(sessions: str, unexplained: str, enough: int = self.enough_sessions) -> nw.Expr:
            of = nw.col(sessions)
            return ((of >= enough) & (nw.col(unexplained) >= of * self.unexplained_share)).fill_null(False)

        newest = missed("newest_sessions", "newest_unexplained")
        if not self.since_breaks:
            return newest
        since_summer = ("since_summer_sessions", "since_summer_unexplained")
        just_joined = (nw.col("joined_possible") <= NEWEST_SESSIONS) & (nw.col("newest_entry") <= BITS)
        return _any(
            (
                newest & missed(*since_summer, enough=1),
                missed(*since_summer),
                missed("since_break_sessions", "since_break_unexplained"),
                missed("possible_14", "fortnight_unexplained"),
                (missed("joined_possible", "joined_unexplained") & just_joined).fill_null(False),
            )
        )

    def _silent(self) -> nw.Expr:
        joined = nw.col("newest_entry")
        least = self.silent_sessions
        silent = _unmarked(14) & _held("possible_14", least) & (joined >= self.silent_days)
        if not least:
            return silent
        # Over a break of two weeks, four weeks hold what two weeks hold in term.
        return silent | (_unmarked(28) & _held("possible_28", least) & (joined >= 28))

    def _not_come(self) -> nw.Expr:
        joined, least = nw.col("newest_entry"), self.not_come_sessions
        never_present = nw.col("last_present_days").is_null() | (nw.col("last_present_days") > joined)
        if least:
            marked = nw.col("joined_possible") >= least
            # The longest of these windows that begins after the joining counts.
            held = nw.lit(False)
            for days in (7, 10, 14, 28):
                held = nw.when(joined >= days).then(_held(f"possible_{days}", least)).otherwise(held)
        else:
            marked, held = nw.col("possible_14") > 0, _held("possible_14", 0)
        expected = marked.fill_null(False) | (held & _not_excused(joined))
        return never_present & expected & joined.is_between(self.not_come_days, 60)


def _any(conditions: Iterable[nw.Expr]) -> nw.Expr:
    return nw.any_horizontal(*conditions, ignore_nulls=False)


def _unmarked(days: int) -> nw.Expr:
    """Return whether the child has no mark of the last days, not even one of a session that was not possible."""
    return (nw.col(f"possible_{days}") == 0) & _not_excused(nw.lit(days))


def _not_excused(days: nw.Expr) -> nw.Expr:
    """Return whether no session of the last days was marked as not possible for the child: taught elsewhere, no transport."""
    last = nw.col("last_not_possible_days")
    return last.is_null() | (last > days)


def _held(tally: str, least: int) -> nw.Expr:
    """Return whether the school held so many sessions, on average of the other children with marks in 60 days."""
    others = nw.col(f"school_{tally}")
    return ((others > 0) & (others >= nw.col("school_marked") * least)).fill_null(False)


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


def rule_of(since: date) -> StoppingRule:
    """Return the rule that comes with onroll and holds from a day."""
    return next(rule for rule in stopping_rules() if rule.since == since)


def already_stopping(frame: pl.DataFrame) -> pl.Series:
    """Return whether each snapshot is already stopping by the newest rule, given its tallies and their context."""
    named = stopping_rule().holds().alias("already_stopping")
    return nw.from_native(frame, eager_only=True).select(named).to_native().to_series()


def with_list(frame: pl.DataFrame, rules: Sequence[StoppingRule] | None = None) -> pl.DataFrame:
    """Add the ``list`` of each snapshot, ``act_today`` or ``help_early``, to its tallies and their context.

    The newest rule that held on the as-of date decides. Days before the first rule are seen in hindsight, by the newest.
    """
    rules = tuple(rules or stopping_rules())
    stopping = rules[-1].holds()
    for rule, later in reversed(list(pairwise(rules))):
        in_force = nw.col("as_of").is_between(rule.since, later.since, closed="left")
        stopping = nw.when(in_force).then(rule.holds()).otherwise(stopping)
    on = nw.when(stopping).then(nw.lit(ACT_TODAY)).otherwise(nw.lit(HELP_EARLY)).alias("list")
    return nw.from_native(frame, eager_only=True).with_columns(on).to_native()
