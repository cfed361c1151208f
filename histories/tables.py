"""The tables of pupils' histories, each declared once.

A table is a class, a column one line. Opening, checking, simulating, importing and ``docs/histories.md`` all read
these declarations.

Every row has two dates: when it *happened* and when it was *recorded*. As of a day D a row is visible if it was
recorded strictly before D, and the end of a spell if that end was recorded strictly before D.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

Kind = Literal["text", "date", "integer", "boolean"]
SESSIONS, AGES = (0, 1000), (0, 120)  # half days of a term or suspension; years


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: its type and meaning, whether every row needs a value, and the limits of a number."""

    kind: Kind
    meaning: str
    required: bool = False
    codes: str | None = None
    limits: tuple[int, int] | None = None
    name: str = ""


def text(meaning: str, *, required: bool = False, codes: str | None = None) -> Column:
    """Declare a text column, optionally limited to a code set in ``histories/codes``."""
    return Column(kind="text", meaning=meaning, required=required, codes=codes)


def day(meaning: str, *, required: bool = False) -> Column:
    """Declare a date column (ISO, ``2024-09-04``)."""
    return Column(kind="date", meaning=meaning, required=required)


def number(meaning: str, *, required: bool = False, limits: tuple[int, int] | None = None) -> Column:
    """Declare an integer column; a number outside its limits is told."""
    return Column(kind="integer", meaning=meaning, required=required, limits=limits)


def flag(meaning: str) -> Column:
    """Declare a boolean column."""
    return Column(kind="boolean", meaning=meaning)


@dataclass(frozen=True)
class Stage:
    """A later part of a row: columns that become known on a later date."""

    date: str
    columns: tuple[str, ...]


class Table:
    """Base of all tables; a subclass declares columns as class attributes.

    Attributes
    ----------
    table : str
        The file stem in a histories folder.
    required : bool
        Whether a histories folder must hold the table.
    key : tuple of str
        The natural key: a row with the same key and a later recording date is a correction.
    known_from : tuple of str
        Columns whose first non-null value is the day the row was recorded.
    known_delay : int
        Days added to the fallbacks in ``known_from`` (not to ``recorded_on`` itself).
    always_known : bool
        Reference data, known at all times.
    end : str or None
        The column with the end of the spell; ``end_columns`` become visible together with it.
    end_known_from : tuple of str
        Columns whose first non-null value is the day the end was recorded.
    start : str or None
        The first date of the natural key: when the spell or event began.
    recordings : tuple of str
        The dates on which something was recorded, not on which it happened.
    plannable : bool
        Whether its own dates can lie in the future: a place from September is known in May.
    """

    table: ClassVar[str]
    required: ClassVar[bool] = False
    key: ClassVar[tuple[str, ...]]
    known_from: ClassVar[tuple[str, ...]] = ()
    known_delay: ClassVar[int] = 0
    always_known: ClassVar[bool] = False
    end: ClassVar[str | None] = None
    end_columns: ClassVar[tuple[str, ...]] = ()
    end_known_from: ClassVar[tuple[str, ...]] = ()
    stages: ClassVar[tuple[Stage, ...]] = ()
    plannable: ClassVar[bool] = False
    columns: ClassVar[dict[str, Column]]
    start: ClassVar[str | None]
    recordings: ClassVar[tuple[str, ...]]

    def __init_subclass__(cls) -> None:
        cls.columns = {name: replace(c, name=name) for name, c in vars(cls).items() if isinstance(c, Column)}
        dates = [c.name for c in cls.columns.values() if c.kind == "date"]
        cls.start = next((c for c in getattr(cls, "key", ()) if c in dates), None)
        cls.recordings = tuple(c for c in dates if c.endswith(("recorded_on", "reported_on")))
        TABLES[cls.table] = cls


TABLES: dict[str, type[Table]] = {}


class Pupils(Table):
    """A child known to an authority."""

    table, required, key, known_from = "pupils", True, ("pupil_id",), ("date_of_birth",)

    pupil_id = text("the child's key: the authority's own, or onroll's pseudonym", required=True)
    upn = text("unique pupil number; may be missing, temporary or changed")
    date_of_birth = day("day of birth", required=True)
    sex = text("sex as recorded by the school; for auditing only", codes="sex")
    ethnicity = text("DfE main ethnicity code; for auditing only", codes="ethnicity")
    first_language = text("first language, ISO 639; for auditing only")
    authority = text("number of the local authority in whose area the child lives")
    young_carer = flag("cares for somebody at home, as reported by the school or a parent")


class Enrolments(Table):
    """A spell on the roll of one school."""

    table, required, key = "enrolments", True, ("pupil_id", "urn", "entry_date")
    known_from, end, plannable = ("recorded_on", "entry_date"), "leaving_date", True
    end_columns = ("leaving_date", "leaving_ground", "destination", "destination_urn")
    end_known_from = ("leaving_recorded_on", "leaving_date")

    pupil_id = text("the child", required=True)
    urn = text("the school", required=True)
    entry_date = day("first day on the roll", required=True)
    leaving_date = day("last day on the roll; empty while the spell runs")
    status = text("kind of registration", codes="enrolment_status")
    nc_year = text("national curriculum year at entry", codes="nc_year")
    leaving_ground = text("ground of deletion from the roll, as the authority writes it")
    destination = text("where the child went, as last known", codes="destination")
    destination_urn = text("the school the child went to, where it is known")
    recorded_on = day("day the entry was recorded")
    leaving_recorded_on = day("day the leaving was recorded")


class Attendance(Table):
    """One mark: a pupil, a day, a session."""

    table, key, known_from = "attendance", ("pupil_id", "date", "session"), ("recorded_on", "date")

    pupil_id = text("the child", required=True)
    date = day("the school day", required=True)
    session = text("morning or afternoon", required=True, codes="session")
    code = text("attendance code, valid on its date", required=True, codes="attendance")
    recorded_on = day("day the mark was entered or corrected")


class TermlyAttendance(Table):
    """Sessions of a pupil with one code in one term, as the School Census counts them."""

    table, key = "termly_attendance", ("pupil_id", "term_start", "code")
    known_from, known_delay = ("recorded_on", "term_end"), 122

    pupil_id = text("the child", required=True)
    term_start = day("first day of the term", required=True)
    term_end = day("last day of the term", required=True)
    code = text("attendance code", required=True, codes="attendance")
    sessions = number("sessions with that code", required=True, limits=SESSIONS)
    recorded_on = day("day of the return with the count")


class Suspensions(Table):
    """A suspension or a permanent exclusion."""

    table, key, known_from = "suspensions", ("pupil_id", "start_date", "category"), ("recorded_on", "start_date")

    pupil_id = text("the child", required=True)
    urn = text("the school that suspended")
    start_date = day("first day", required=True)
    category = text("suspension or permanent exclusion", required=True, codes="suspension_category")
    reason = text("first reason given", codes="suspension_reason")
    sessions = number("sessions of the suspension", limits=SESSIONS)
    recorded_on = day("day it was recorded")


class Sen(Table):
    """A spell of special educational provision."""

    table, key, known_from = "sen", ("pupil_id", "start_date", "provision"), ("recorded_on", "start_date")
    end, end_columns, end_known_from = "end_date", ("end_date",), ("end_date",)

    pupil_id = text("the child", required=True)
    start_date = day("first day of the provision", required=True)
    end_date = day("last day of the provision")
    provision = text("SEN support or education, health and care plan", required=True, codes="sen_provision")
    primary_need = text("primary need", codes="sen_need")
    recorded_on = day("day it was recorded")


class Fsm(Table):
    """A spell of eligibility for free school meals; for auditing only."""

    table, key, known_from = "fsm", ("pupil_id", "start_date"), ("recorded_on", "start_date")
    end, end_columns, end_known_from = "end_date", ("end_date",), ("end_date",)

    pupil_id = text("the child", required=True)
    start_date = day("first day of eligibility", required=True)
    end_date = day("last day of eligibility")
    recorded_on = day("day it was recorded")


class Addresses(Table):
    """A spell at one address."""

    table, key, known_from = "addresses", ("pupil_id", "start_date"), ("recorded_on", "start_date")
    end, end_columns, end_known_from = "end_date", ("end_date",), ("end_date",)

    pupil_id = text("the child", required=True)
    start_date = day("first day at the address", required=True)
    end_date = day("last day at the address")
    household_id = text("UPRN or the authority's own key of the home")
    lsoa = text("lower layer super output area of the home")
    temporary = flag("temporary accommodation")
    recorded_on = day("day the address was recorded")


class Areas(Table):
    """A neighbourhood (LSOA) and how deprived it is."""

    table, key, always_known = "areas", ("lsoa",), True

    lsoa = text("lower layer super output area", required=True)
    idaci_decile = number(
        "income deprivation affecting children, 1 = most deprived tenth", required=True, limits=(1, 10)
    )


class Schools(Table):
    """A school."""

    table, key, always_known = "schools", ("urn",), True

    urn = text("unique reference number of the school", required=True)
    name = text("name of the school")
    phase = text("phase of education", required=True, codes="phase")
    authority = text("number of the local authority it lies in")
    low_age = number("lowest age taught", limits=AGES)
    high_age = number("highest age taught", limits=AGES)
    trust = text("the trust that runs it")


class SocialCare(Table):
    """An episode of early help or social care."""

    table, key = "social_care", ("pupil_id", "kind", "start_date")
    known_from = ("recorded_on", "start_date")
    end, end_columns, end_known_from = "end_date", ("end_date", "end_reason"), ("end_recorded_on", "end_date")

    pupil_id = text("the child", required=True)
    kind = text("kind of episode", required=True, codes="social_care_kind")
    start_date = day("first day", required=True)
    end_date = day("last day; empty while the episode runs")
    category = text("category of need or of abuse, as the authority writes it")
    end_reason = text("why the episode ended, as the authority writes it")
    recorded_on = day("day the start was recorded")
    end_recorded_on = day("day the end was recorded")


class Admissions(Table):
    """An application for a place in a normal year of entry."""

    table, key = "admissions", ("pupil_id", "entry_year", "phase")
    known_from = ("recorded_on", "applied_on", "offered_on", "response_on")
    stages = (
        Stage("applied_on", ("applied_on",)),
        Stage("offered_on", ("offered_urn", "offered_on")),
        Stage("response_on", ("response", "response_on")),
    )

    pupil_id = text("the child", required=True)
    entry_year = number("calendar year of the September of entry", required=True, limits=(1900, 2100))
    phase = text("phase applied for", required=True, codes="phase")
    applied_on = day("day of the application; empty if there is none")
    offered_urn = text("the school offered")
    offered_on = day("day of the offer")
    response = text("the parent's answer", codes="admission_response")
    response_on = day("day of the answer")
    recorded_on = day("day the row was recorded, if later than its own dates")


class Cme(Table):
    """A case of a child missing education."""

    table, key, known_from = "cme", ("pupil_id", "missing_from"), ("reported_on",)
    end, end_columns, end_known_from = "resolved_on", ("resolved_on", "resolution"), ("resolved_on",)

    pupil_id = text("the child", required=True)
    missing_from = day("first day without education", required=True)
    reported_on = day("day the case was reported to the authority", required=True)
    resolved_on = day("day the case was closed")
    resolution = text("how the case was closed, as the authority writes it")


class Interventions(Table):
    """An intervention for a pupil."""

    table, key, known_from = "interventions", ("pupil_id", "date", "kind"), ("recorded_on", "date")

    pupil_id = text("the child", required=True)
    date = day("day of the intervention", required=True)
    kind = text("kind of intervention", required=True)
    team = text("the team that carried it out")
    recorded_on = day("day it was recorded")


# The column with the date on which a row happened: by default the first date of the key.
HAPPENED = {
    **{
        t.table: first
        for t in TABLES.values()
        if (first := next((c for c in t.key if t.columns[c].kind == "date"), None))
    },
    "pupils": "date_of_birth",
    "admissions": "known",  # its own dates come in stages
    "termly_attendance": "term_end",  # a count of a term is complete once the term is over
}
