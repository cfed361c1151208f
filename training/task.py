"""A prediction task: definition of missing, outcome window, as-of dates, cohort, and what data may be used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import polars as pl

from features import HORIZON, CohortRule, Definition, default_as_of
from features.catalogue import catalogue
from features.counting.block_cache import BlockStore
from features.matrix import as_table, tallied_blocks
from features.outcome.cohort import cohort
from features.outcome.known_until import NOTHING, newest_known
from features.outcome.label import outcomes
from features.outcome.leavings import Leavings
from features.outcome.stopping import stopping_rule
from histories.errors import Fault, Faults, Usage
from histories.reading.histories import Histories
from training.fitting.helped import (
    AS_THEY_CAME,
    UNTREATED,
    HelpCounts,
    check_way,
    counted,
    days_without_help,
    handled,
    help_given,
    help_recorded_until,
    weighted,
)
from training.fitting.one_matrix import in_one_matrix
from training.fitting.partial_windows import FROM_HORIZON, MIN_DAYS
from training.fitting.sampling import sample, share_that_fits
from training.rolls_end import newest_record

ProgressCallback = Callable[..., None]


def quiet(steps: int = 1, description: str | None = None, **told: object) -> None:
    """Show no progress."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a model predicts, and from which data.

    Attributes
    ----------
    definition : Definition
        What counts as going missing.
    horizon : int
        Days of the outcome window.
    as_of : tuple of date
        The as-of dates; if empty, the start of every term with records.
    rule : CohortRule or None
        Who is in the cohort.
    until : date or None
        Use nothing recorded on or after this day.
    known_on : date or None
        The day of knowledge of the features; see ``histories.reading.as_of.seen``.
    helped : str
        How outcomes that help changed are handled; see ``fitting.helped``.
    """

    definition: Definition = field(default_factory=Definition.load)
    horizon: int = HORIZON
    as_of: tuple[date, ...] = ()
    rule: CohortRule | None = None
    until: date | None = None
    known_on: date | None = None
    helped: str = AS_THEY_CAME

    def days(self, histories: Histories) -> list[date]:
        """Return the as-of dates.

        Raises
        ------
        Faults
            If there are none, or the day of knowledge lies after ``until``.
        """
        if self.known_on and self.until and self.known_on > self.until:
            do = "Give a --known no later than --until, from which nothing may be used."
            raise Usage(Fault("the day of knowledge lies after --until", "train --known", do))
        candidates = list(self.as_of) or default_as_of(histories, self.until)
        usable = [d for d in candidates if self.until is None or d < self.until]
        if not usable:
            do = "Give more years of histories, a later --until, or --as-of."
            raise Faults(Fault("there is no as-of date to train on", "train", do))
        return usable

    def with_counts(
        self, histories: Histories, came: pl.DataFrame, parts: pl.DataFrame | None = None
    ) -> tuple[pl.DataFrame, HelpCounts]:
        """Return labels as ``helped`` teaches them, and what they had seen of help before.

        Parameters
        ----------
        came : polars.DataFrame
            The ``labels`` of ``as_they_came``.
        parts : polars.DataFrame, optional
            The result of ``partly_known``, to be counted too.
        """
        whole = came if parts is None else pl.concat([came, parts.select(came.columns)])
        counts = counted(whole, self.helped, self.horizon, help_recorded_until(histories, self.until))
        return handled(came, self.helped), counts

    def as_they_came(self) -> Task:
        """Return the task whose outcomes are those that came."""
        check_way(self.helped, self.horizon)
        return replace(self, helped=AS_THEY_CAME)

    def labels(
        self, histories: Histories, members: pl.DataFrame | None = None, leavings: Leavings | None = None
    ) -> pl.DataFrame:
        """Return the snapshots whose outcome is known, without building features.

        Parameters
        ----------
        members : polars.DataFrame, optional
            The cohort of the days by day and pupil, if already computed.
        leavings : Leavings, optional
            The leavings known before ``until``, if already read.

        Returns
        -------
        polars.DataFrame
            ``pupil_id, as_of, label, outcome, known_on, happened_on, authority, urn``, sorted by day and pupil; ``untreated_days`` if the histories tell who
            was helped (``fitting.helped``). If windows are long enough for
            their known parts to teach (``fitting.partial_windows``), also ``recorded_on, window_days, matured_on``.

        Raises
        ------
        Faults
            When no window is fully known.
        """
        days = self.days(histories)
        if members is None:
            members = pl.DataFrame(cohort(histories, days, self.rule, self.known_on))
        leavings = Leavings.read(histories, self.until) if leavings is None else leavings
        labels = self._labels(self.horizon, members, leavings)
        if labels.is_empty():
            raise Faults(self._no_label(histories, days))
        return self._without_help(histories, labels)

    def partly_known(self, histories: Histories, leavings: Leavings | None = None) -> pl.DataFrame | None:
        """Return the labels of the days whose windows are not fully known yet, each with the part that is known as its window.

        Parameters
        ----------
        leavings : Leavings, optional
            As for ``labels``.

        Returns
        -------
        polars.DataFrame or None
            The columns of ``labels``; None if the horizon is short or nothing is known of any later window.
        """
        if self.horizon < FROM_HORIZON:
            return None
        newest = self.newest_labelled(histories)
        known_days = {day: self.horizon - (day - newest).days for day in self.days(histories)}
        later = [day for day, days in known_days.items() if MIN_DAYS <= days < self.horizon]
        if not later:
            return None
        leavings = Leavings.read(histories, self.until) if leavings is None else leavings
        members = pl.DataFrame(cohort(histories, later, self.rule, self.known_on))
        by_day = {day: members.filter(pl.col("as_of") == day) for day in later}
        labels = pl.concat(self._labels(known_days[day], by_day[day], leavings) for day in later).sort(
            "as_of", "pupil_id"
        )
        return None if labels.is_empty() else self._without_help(histories, labels)

    def _without_help(self, histories: Histories, labels: pl.DataFrame) -> pl.DataFrame:
        """Return labels as ``helped`` says, with ``untreated_days`` if the histories tell who was helped."""
        check_way(self.helped, self.horizon)
        if "interventions" not in histories.present:
            return labels
        given = help_given(histories, self.until)
        return handled(days_without_help(labels, given, self.horizon), self.helped)

    def _labels(self, window_days: int, members: pl.DataFrame, leavings: Leavings) -> pl.DataFrame:
        labels = outcomes(members, leavings, self.definition, window_days).filter(pl.col("label").is_not_null())
        columns = ["pupil_id", "as_of", "label", "outcome", "known_on", "happened_on"]
        if self.horizon >= FROM_HORIZON:
            matured = pl.col("as_of") + timedelta(days=window_days + self.definition.known_after_days)
            labels = labels.with_columns(
                pl.lit(window_days, pl.Int64).alias("window_days"), matured.alias("matured_on")
            )
            columns += ["recorded_on", "window_days", "matured_on"]
        return labels.select(*columns, "authority", "urn").collect()

    def newest_labelled(self, histories: Histories) -> date:
        """Return the newest as-of date whose outcome is known by now, in the authority whose rolls reach furthest."""
        return newest_known(histories, self.definition, self.horizon, self.until).whole

    def newest_learned(self, histories: Histories) -> date:
        """Return the newest as-of date that can teach by now: of a long horizon, one with a known part (``partly_known``)."""
        newest = self.newest_labelled(histories)
        return newest if self.horizon < FROM_HORIZON else newest + timedelta(days=self.horizon - MIN_DAYS)

    def _no_label(self, histories: Histories, days: list[date]) -> Fault:
        newest, delay = self.newest_labelled(histories), self.definition.known_after_days
        what = (
            f"no window is fully known yet: {newest_record(histories, self.definition, self.until)}, and an outcome is known "
            f"{self.horizon} + {delay} days after its as-of date"
        )
        do = f"Give as-of dates up to {newest} (the earliest given is {min(days)}), a shorter --horizon, or newer histories."
        if newest < NOTHING:
            what, do = (
                newest_record(histories, self.definition, self.until),
                "Import the register of cases, or choose another definition.",
            )
        return Fault(what, "train", do)

    def labelled(
        self,
        histories: Histories,
        labels: pl.DataFrame | None = None,
        *,
        memory: str | None = None,
        seed: int = 1,
        kept: BlockStore | None = None,
        advance: ProgressCallback = quiet,
    ) -> pl.DataFrame:
        """Return features, labels and the columns that lists need, for snapshots whose outcome is known.

        Parameters
        ----------
        labels : polars.DataFrame, optional
            The result of ``labels``, if already computed.
        memory : str, optional
            The memory limit, such as ``4GiB``. If the snapshots would not fit, those without the outcome are sampled by seed and
            weighted (``training.fitting.sampling``).
        kept : BlockStore, optional
            Cache of counted blocks of children.

        Returns
        -------
        polars.DataFrame
            ``pupil_id, as_of``, the features, ``already_stopping`` (``features.outcome.stopping``), ``label, outcome, known_on, happened_on, authority, urn, weight``, sorted by day and pupil;
            the features lie in one matrix (``training.fitting.one_matrix``), and a missing one is NaN.

        Raises
        ------
        Faults
            When no window is fully known.
        """
        y = self.labels(histories) if labels is None else labels
        y = sample(y, share_that_fits(len(y), int(y["label"].sum()), len(catalogue().features), memory), seed)
        how = {"rule": self.rule, "known_on": self.known_on, "kept": kept, "advance": advance}
        days = self.days(histories)
        stopping = stopping_rule().holds().alias("already_stopping")
        blocks = (
            pl.DataFrame(as_table(b))
            .with_columns(b.select(stopping))
            .join(y, on=["pupil_id", "as_of"], maintain_order="left")
            for b in tallied_blocks(histories, days, **how)
        )
        frame = in_one_matrix(blocks, catalogue().names, len(y))  # the blocks come by day and pupil
        return weighted(frame, self.horizon) if self.helped == UNTREATED else frame
