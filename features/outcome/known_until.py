"""Until when it is known who left: once the record of the rolls has stopped, nobody is known to have stayed.

Marks and suspensions go on where the record of the rolls has stopped; they do not say who left. Training, evaluation, descriptions, monitoring and trials
all ask here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from weakref import WeakKeyDictionary

import narwhals as nw
import polars as pl

from features.outcome.definition import Definition
from histories.calendar import day_number, day_of
from histories.reading.as_of import correction_order
from histories.reading.frames import collect
from histories.reading.histories import Histories
from histories.reading.once import once
from histories.tables import TABLES

ALL = "*"  # of all authorities
YEAR = 364
SLACK = 60  # days, as long as definitions wait for records: the longest silence of a small school is seldom its last
# With fewer days of records in a year nothing follows from a silence of months: records then count as going on.
MIN_DAYS = 10
# So many rows on each of those few days are extracts, such as the School Census: nothing is known between them, or after the last.
MIN_EXTRACT = 5
NOTHING = date(1900, 1, 1)  # until when something is known of an authority whose records are missing
MIN_SCHOOL_DAYS = 30  # of one school, whose few records come in bursts
LIMITS = {"authority": pl.String, "limit": pl.Int32}
STOPPED = {"urn": pl.String, "stopped": pl.Int32}


@dataclass(frozen=True, kw_only=True)
class KnownUntil:
    """Until when it is recorded who left.

    Attributes
    ----------
    rolls : dict of date
        By authority, that of the school before that of the home, until when it is recorded who left: the newest record of any table, or the newest of its
        rolls if these have stopped, silent for longer than ever in the year before. Definitions wait longer for records than rolls are usually silent,
        so that no window counts meanwhile that is not known. Under ``ALL`` that of the authority that reaches furthest.
    cases : dict of date
        Likewise of cases of missing education; empty if the histories hold none.
    schools : dict of date
        The newest record of each school whose rolls have stopped: the school has been silent for two months longer than ever in the year before, while
        its authority's rolls went on.
    """

    rolls: dict[str, date]
    cases: dict[str, date]
    schools: dict[str, date]

    @classmethod
    def read(cls, histories: Histories, until: date | None = None) -> KnownUntil:
        """Read until when rolls and cases are recorded; computed once for histories and a day.

        Parameters
        ----------
        until : date, optional
            Ignore everything recorded on or after this day, also that the rolls went on.
        """
        of_histories = _READ.setdefault(histories, {})
        if until not in of_histories:
            end = histories.last_known()
            end = min(end, until - timedelta(days=1)) if until else end
            rolls = _spells_by_authority(histories, day_number(end))
            of_histories[until] = cls(
                rolls=_until(rolls, end),
                cases=_until(_cases(histories, rolls, day_number(end)), end, extracts=False)
                if "cme" in histories.present
                else {},
                schools=_stopped(histories, rolls, day_number(end)),
            )
        return of_histories[until]

    def days(self, definition: Definition) -> dict[str, date]:
        """Return the day by authority and of ``ALL``; ``NOTHING`` where a definition counts only cases, and an authority has none.

        Where leavings are known by cases too, these must reach as far. An authority without any case never sent its register: its children are missing
        by what the rolls say, or not known to be.
        """
        if not definition.cases:
            return self.rolls
        otherwise = {} if definition.counts_rolls else dict.fromkeys(self.rolls, NOTHING)
        days = {a: min(day, self.cases.get(a, otherwise.get(a, day))) for a, day in self.rolls.items() if a != ALL}
        return {**days, ALL: max(days.values(), default=self.rolls[ALL])}

    def limits(self, definition: Definition) -> pl.DataFrame:
        """Return ``authority, limit``: nothing is known of an authority from this day number on."""
        rows = [(a, day_number(day) + 1) for a, day in self.days(definition).items() if a != ALL]
        return pl.DataFrame(rows, schema=LIMITS, orient="row")

    def stopped(self) -> pl.DataFrame:
        """Return ``urn, stopped``: nothing is known of a school whose rolls have stopped from this day number on."""
        rows = [(urn, day_number(day) + 1) for urn, day in self.schools.items()]
        return pl.DataFrame(rows, schema=STOPPED, orient="row")


_READ: WeakKeyDictionary[Histories, dict[date | None, KnownUntil]] = WeakKeyDictionary()


@dataclass(frozen=True, kw_only=True)
class NewestKnown:
    """The newest as-of dates whose outcomes are known by now.

    Attributes
    ----------
    whole : date
        Of the authority whose records reach furthest.
    by_authority : dict
    """

    whole: date
    by_authority: dict[str, date]

    def of(self, authority: str) -> date:
        """Return that of an authority; of all together where the histories hold none of its children."""
        return self.by_authority.get(authority, self.whole)


def newest_known(histories: Histories, definition: Definition, horizon: int, until: date | None = None) -> NewestKnown:
    """Return the newest as-of dates whose outcomes are known by now.

    Parameters
    ----------
    until : date, optional
        As in ``KnownUntil.read``.
    """
    delay = timedelta(days=horizon + definition.known_after_days)
    days = KnownUntil.read(histories, until).days(definition)
    newest = {authority: day - delay for authority, day in days.items()}
    return NewestKnown(whole=newest.pop(ALL), by_authority=newest)


def spells_known(histories: Histories, limit: int) -> nw.LazyFrame:
    """Return each spell once, as scores see it as of a day number: the last row recorded before it, with its end if that was recorded by then."""
    declared = TABLES["enrolments"]
    ended, hidden = nw.col("end_known") < limit, dict.fromkeys((*declared.end_columns, *declared.end_known_from))
    rows = histories.frame("enrolments").filter(nw.col("known") < limit)
    rows = rows.with_columns(*(nw.when(ended).then(nw.col(c)).alias(c) for c in (*hidden, "end_known")))
    return rows.unique(subset=list(declared.key), keep="last", order_by=correction_order(declared))


def _spells_by_authority(histories: Histories, end: int) -> pl.DataFrame:
    """Return ``pupil_id, urn, day, authority``: the days of records of each child's spells at a school."""
    newest = _recorded(histories, "enrolments", ["pupil_id", "urn"], end)
    schools = collect(once(histories, "schools").select("urn", nw.col("authority").alias("school")))
    joined = newest.join(_homes(histories), on="pupil_id").join(schools, on="urn", how="left")
    return joined.with_columns(pl.coalesce("school", "home", pl.lit("")).alias("authority"))


def _cases(histories: Histories, rolls: pl.DataFrame, end: int) -> pl.DataFrame:
    """Return ``pupil_id, day, authority``: the days of records of each child's cases, under the authority of the last roll before or else of the home."""
    newest = _recorded(histories, "cme", ["pupil_id"], end).join(_homes(histories), on="pupil_id", how="left")
    # A roll without a day of its record may be as old as any.
    last = rolls.select("pupil_id", "authority", pl.col("day").fill_null(0).alias("on")).sort("on", "authority")
    at = newest.sort("day").join_asof(last, left_on="day", right_on="on", by="pupil_id", check_sortedness=False)
    return at.with_columns(pl.coalesce("authority", "home", pl.lit("")).alias("authority"))


def _homes(histories: Histories) -> pl.DataFrame:
    return collect(once(histories, "pupils").select("pupil_id", nw.col("authority").alias("home")))


def _until(rows: pl.DataFrame, end: date, *, extracts: bool = True) -> dict[str, date]:
    of_each = _silences(rows, "authority")  # without those whose records have no day
    has_stopped = (pl.col("days") >= MIN_DAYS) & (day_number(end) - pl.col("newest") > pl.col("longest"))
    if extracts:
        several = (pl.col("days") > 1) & (pl.col("rows") >= MIN_EXTRACT * pl.col("days"))
        has_stopped |= (pl.col("days") < MIN_DAYS) & several & (pl.col("longest") > SLACK)
    stopped = {a: day_of(day) for a, day in of_each.filter(has_stopped).select("authority", "newest").iter_rows()}
    found = {authority: stopped.get(authority, end) for authority in rows["authority"].unique()}
    return {**found, ALL: max(found.values(), default=end)}


def _silences(rows: pl.DataFrame, by: str) -> pl.DataFrame:
    """Return, by school or authority, the ``newest`` day of a record, and of the year up to it the numbers of such ``days`` and ``rows`` and the ``longest`` silence."""
    days = rows.drop_nulls("day").group_by(by, "day").agg(pl.len().alias("rows")).sort(by, "day")
    newest = days.with_columns(pl.max("day").over(by).alias("newest"))
    of_year = newest.filter(pl.col("day") >= pl.col("newest") - YEAR)
    longest = pl.col("day").diff().max().fill_null(0).alias("longest")
    return of_year.group_by(by).agg(pl.len().alias("days"), pl.sum("rows"), longest, pl.first("newest")).sort(by)


def _days(histories: Histories, table: str, at: list[str], end: int) -> nw.LazyFrame:
    """Return the days, up to a last one, on which rows and their ends were recorded; null where a row that is known by then has no day of its record."""
    declared, known = TABLES[table], nw.col("known")
    if declared.plannable and {"attendance", "termly_attendance"} & histories.present:
        # Without a day of its record, a place from next September proves nothing about the time before.
        known = nw.when(~nw.col(declared.known_from[0]).is_null()).then("known")
    rows = histories.frame(table).filter(nw.col("known") <= end)
    ended = rows.select(*at, nw.col("end_known").alias("day")).filter(nw.col("day") <= end)
    return nw.concat([rows.select(*at, known.alias("day")), ended])


def _recorded(histories: Histories, table: str, at: list[str], end: int) -> pl.DataFrame:
    return collect(_days(histories, table, at, end).unique())


def _stopped(histories: Histories, rolls: pl.DataFrame, end: int) -> dict[str, date]:
    """Return the schools with children that have been silent for two months longer than ever in the year before their newest record, beside their authority's."""
    whole = rolls.select("authority", pl.max("day").over("authority").alias("whole")).unique()
    at = rolls.select("urn", "authority").unique().join(whole, on="authority").group_by("urn").agg(pl.max("whole"))
    silent = pl.col("whole") - pl.col("newest") > pl.col("longest") + SLACK
    stopped = (
        _silences(rolls, "urn").join(at, on="urn").filter((pl.col("days") >= MIN_SCHOOL_DAYS) & silent).sort("urn")
    )
    running = _with_children(histories, end) if len(stopped) else frozenset()
    return {urn: day_of(day) for urn, day in stopped.select("urn", "newest").iter_rows() if urn in running}


def _with_children(histories: Histories, end: int) -> frozenset[str]:
    """Return the schools of which somebody has not left, as known on a day: a school that closed has nothing to record."""
    rows = spells_known(histories, end + 1)
    running = rows.filter(nw.col("end_known").is_null() | (nw.col("end_known") > end)).select("urn").unique()
    return frozenset(collect(running)["urn"].to_list())
