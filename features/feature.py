"""A feature is one declaration; a tally is what it counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import narwhals as nw

from features.sentences import Sentence, default_sentences

Role = Literal["reason", "context", "never_shown"]


@dataclass(frozen=True, kw_only=True)
class Tally:
    """A whole number counted for each snapshot from the rows of one table that were known before the day.

    Attributes
    ----------
    table : str
        The table; its rows are as known before the as-of date and have begun, corrections applied, ends hidden until known and past.
    where : callable, optional
        Returns the condition on a row; columns of the table, ``as_of`` and ``age`` (days from the row's own date to the as-of date).
    value : callable, optional
        Returns the value that is summed (default: 1 per row) or compared.
    days : int, optional
        Only rows whose own date lies in ``[as_of - days, as_of)``.
    how : {"sum", "max", "min"}
        How values are aggregated; the max or min of no rows is missing.
    """

    table: str
    where: Callable[[], nw.Expr] | None = None
    value: Callable[[], nw.Expr] | None = None
    days: int | None = None
    how: Literal["sum", "max", "min"] = "sum"


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One feature of a snapshot.

    Attributes
    ----------
    name : str
        Snake case, unique.
    theme : str
        A key of ``features.catalogue.THEMES``.
    expression : callable
        Returns the Narwhals expression over tallies.
    says : tuple of Sentence
        The sentences a worker may read about it, each with the values for which it is true; the first that fits is shown.
    raises, lowers : str
        Instead of ``says``: the sentence for a value other than zero, and the one for zero.
    sources : tuple of str
        Tables it needs; without one of them it is missing, never zero.
    window : int or None
        Days it looks back, for its evidence.
    gap : int
        Days before the as-of date that it leaves out, for its evidence.
    direction : int
        1 when more of it can only raise the risk, -1 when it can only lower it, 0 when free.
    role : str
        ``reason`` may be shown as a reason, ``context`` is shown apart, ``never_shown`` is not shown.
    unit : str
        What the number counts.
    missing : str
        When it is missing although its tables are there; never when this is empty.
    known_if : callable, optional
        Returns the condition on which the records tell it; elsewhere it is missing, whatever the expression says.
    """

    name: str
    theme: str
    expression: Callable[[], nw.Expr]
    sources: tuple[str, ...]
    says: tuple[Sentence, ...] = ()
    raises: str = ""
    lowers: str = ""
    window: int | None = None
    gap: int = 0
    direction: int = 0
    role: Role = "reason"
    unit: str = "count"
    missing: str = ""
    known_if: Callable[[], nw.Expr] | None = None

    def value(self) -> nw.Expr:
        """Return the expression of the matrix: missing where the records do not tell it."""
        value = self.expression().cast(nw.Float64)
        return nw.when(self.known_if()).then(value) if self.known_if else value

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """The sentences about it."""
        return self.says or default_sentences(self.name, self.raises, self.lowers)

    def text(self, raises: bool) -> str:
        """Return the template of the first sentence allowed on one side of a score; empty if there is none."""
        return next((s.text for s in self.sentences if s.may_appear(raises)), "")


def ratio(part: str, whole: str) -> Callable[[], nw.Expr]:
    """Return one tally as a share of another; missing if the other is zero."""

    def share() -> nw.Expr:
        return nw.when(nw.col(whole) > 0).then(nw.col(part).cast(nw.Float64) / nw.col(whole).cast(nw.Float64))

    return share


def age() -> nw.Expr:
    """Return the days from a row's own date to the as-of date."""
    return nw.col("age")


def is_open() -> nw.Expr:
    """Return whether a spell had begun, and had not ended as far as was known."""
    return (nw.col("age") >= 0) & nw.col("end_date").is_null()


def plain(tally: str) -> Callable[[], nw.Expr]:
    """Return a tally unchanged."""
    return lambda: nw.col(tally).cast(nw.Float64)
