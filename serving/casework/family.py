"""Who is involved with a child now, and which other children live at the child's address, from the records as known on a day."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date

import narwhals as nw
import polars as pl
import pyarrow as pa

from features.attendance.register import MEASURES
from histories.calendar import day_number, day_of
from histories.codes import ABSENCE_CODES
from histories.reading.as_of import valid_marks, visible
from histories.reading.frames import collect
from histories.reading.histories import Histories
from histories.rules.h017_crowded_home import MAX as MAX_AT_HOME

SERVICES = ("cla", "cpp", "cin", "assessment", "early_help")  # social care records that stay open, most urgent first
MISSING_CASE = "cme"  # the authority has an open case of missing education, as its records say
REACH = 130  # days in which the newest mark is looked for first
WEEKS = 4  # until the newest mark, for which a child's attendance is counted


@dataclass(frozen=True, kw_only=True)
class Involvement:
    """A service that is involved with a child; ``kind`` is one of ``SERVICES``, or ``MISSING_CASE`` since the report of the case."""

    pupil_id: str
    kind: str
    since: date


@dataclass(frozen=True, kw_only=True)
class AtHome:
    """A child who shares an address with other children.

    Attributes
    ----------
    home : str
        A random name of the address, the same for the children who share it; another one each time.
    possible, missed : int
        Sessions in the ``WEEKS`` up to ``until``.
    until : date or None
        Day of the newest mark of any of these children; None if there is no register.
    """

    pupil_id: str
    home: str
    possible: int = 0
    missed: int = 0
    until: date | None = None


def find_involvements(histories: Histories, pupils: list[str], as_of: date) -> list[Involvement]:
    """Return the services whose record of a child is open as of a day, by child and then most urgent first."""
    if "social_care" not in histories.present or not pupils:
        return []
    rows = collect(visible(histories, "social_care", histories.given(_snapshots(pupils, as_of))))
    open_now = rows.filter(_open(day_number(as_of)) & pl.col("kind").is_in(SERVICES))
    first = open_now.group_by("pupil_id", "kind").agg(pl.col("start_date").min())
    found = [Involvement(pupil_id=p, kind=k, since=day_of(d)) for p, k, d in first.iter_rows()]
    return sorted(found, key=_urgency)


def find_missing_cases(histories: Histories, pupils: list[str], as_of: date) -> list[Involvement]:
    """Return the cases of missing education that are open as of a day, each child's since the first report, by child.

    A child on a roll with such a case is on no list, see ``CohortRule.exclude_open_cases``, and must still be seen.
    """
    if "cme" not in histories.present or not pupils:
        return []
    rows = collect(visible(histories, "cme", histories.given(_snapshots(pupils, as_of))))
    first = rows.filter(pl.col("resolved_on").is_null()).group_by("pupil_id").agg(pl.col("reported_on").min())
    return [Involvement(pupil_id=p, kind=MISSING_CASE, since=day_of(d)) for p, d in first.sort("pupil_id").iter_rows()]


def find_at_home(histories: Histories, pupils: list[str], as_of: date) -> list[AtHome]:
    """Return the children who share their address with another child as of a day, with how often they attended.

    Addresses of more than ``MAX_AT_HOME`` children are hostels, homes or placeholders, and make nobody a sibling (rule H017).
    """
    together = find_homes(histories, pupils, as_of)
    attended, until = _attendance(histories, [pupil for home in together for pupil in home], as_of)
    at_home = []
    for home in together:
        name = secrets.token_hex(16)
        for pupil in home:
            possible, missed = attended.get(pupil, (0, 0))
            at_home.append(AtHome(pupil_id=pupil, home=name, possible=possible, missed=missed, until=until))
    return at_home


def find_homes(histories: Histories, pupils: list[str], as_of: date) -> list[list[str]]:
    """Return which of some children share an address as of a day, by home; see ``find_at_home``."""
    if "addresses" not in histories.present or not pupils:
        return []
    rows = collect(visible(histories, "addresses", histories.given(_snapshots(pupils, as_of))))
    # The last address that began and has not ended, as for the features of the family.
    current = rows.filter(_open(day_number(as_of)) & pl.col("household_id").is_not_null())
    homes = current.sort("start_date", "household_id").unique("pupil_id", keep="last")
    groups = homes.group_by("household_id").agg(pl.col("pupil_id").sort()).sort("household_id")
    groups = groups.filter(pl.col("pupil_id").list.len().is_between(2, MAX_AT_HOME))
    return [list(home) for home in groups["pupil_id"].to_list()]


def _attendance(histories: Histories, pupils: list[str], as_of: date) -> tuple[dict[str, tuple[int, int]], date | None]:
    """Return the possible and the missed sessions of each child in the newest weeks, and the day of the newest mark."""
    if "attendance" not in histories.present or not pupils:
        return {}, None
    day = day_number(as_of)
    keys = histories.given(_snapshots(pupils, as_of)).select("pupil_id")
    marks = histories.frame("attendance").filter((nw.col("date") < day) & (nw.col("known") < day))
    marks = marks.join(keys, on="pupil_id", how="semi")
    # A condition on the code alone would be compared for every mark of all years before the day is looked at.
    is_possible = nw.col("code").is_in(list(MEASURES["possible"]))
    newest_day = nw.when(is_possible).then(nw.col("date")).max().alias("date")
    of_reach = marks.filter(nw.col("date") >= day - REACH)
    newest = collect(of_reach.select(newest_day))["date"][0]
    if newest is None:
        newest = collect(marks.select(newest_day))["date"][0]
    if newest is None:
        return {}, None
    is_recent = nw.when(nw.col("date") > newest - 7 * WEEKS).then(is_possible).otherwise(nw.lit(False))
    recent = collect(valid_marks(marks.filter(is_recent)).select("pupil_id", "code"))
    missed = pl.col("code").is_in(list(ABSENCE_CODES)).sum()
    counts = recent.group_by("pupil_id").agg(pl.len().alias("possible"), missed.alias("missed"))
    return {pupil: (possible, absent) for pupil, possible, absent in counts.iter_rows()}, day_of(newest)


def _snapshots(pupils: list[str], as_of: date) -> pa.Table:
    days = pa.array([day_number(as_of)] * len(pupils), pa.int32())
    return pa.table({"pupil_id": pa.array(sorted(pupils)), "as_of": days})


def _open(day: int) -> pl.Expr:
    return (pl.col("start_date") < day) & (pl.col("end_date").is_null() | (pl.col("end_date") >= day))


def _urgency(involvement: Involvement) -> tuple[str, int]:
    return involvement.pupil_id, SERVICES.index(involvement.kind)
