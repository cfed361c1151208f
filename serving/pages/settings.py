"""An authority's settings for its pages: the file named by ONROLL_PAGES, over the shipped defaults."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from histories.io.settings_file import SettingsFile
from histories.io.toml import read_toml
from serving.casework.absence_duties import RUNS
from serving.casework.duty import DeadlineRule, Rules, rule_of
from serving.casework.school_days import SchoolDays
from serving.casework.year_groups import RETURNS

DEFAULTS = Path(__file__).with_name("pages.toml")
OF_OUTCOMES = ("no_conversation", "well")  # lists that say what codes of outcomes mean
Words = dict[str, str]
ClockKind = Literal[
    "new_pupil_return",
    "unauthorised_10",
    "sickness_15",
    "unauthorised_20",
    "deletion_return",
    "destination",
    "transfer_file",
    "case_not_opened",
    "home_not_told",
    "home_education",
    "part_time_review",
    "consent",
]
RecordKind = Literal["home_education", "part_time", "consent", "destination"]


class ClockSettings(SettingsFile):
    """How long a clock runs, the source of that rule, the first day of duties for which it holds, and what it counts; see ``DeadlineRule``."""

    school_days: int = Field(ge=-1, le=200)
    source: str = Field(min_length=1)
    from_day: int = Field(default=0, ge=0, le=200)
    since: date = date.min
    cumulative: bool = Field(default=False, strict=True, description="true or false")
    at_transition: bool = Field(default=True, strict=True, description="true or false")


class DatedRule(SettingsFile):
    """Where a rule is written, and since when it holds."""

    source: str = Field(min_length=1)
    since: date = date.min


def _one_or_more(clocks: Any) -> Any:
    """Accept one table in place of a list of tables."""
    return (clocks,) if isinstance(clocks, dict) else clocks


def _over(shipped: dict[str, Any], own: Any) -> Any:
    """Return a table of the file over the shipped one; anything else as it is, for the check of the whole file to name."""
    return {**shipped, **own} if isinstance(own, dict) else own


def _of_other_outcomes(shipped: dict[str, Any], own: Any) -> set[str]:
    """Return the shipped lists of outcomes that name none of the file's own: the file must say which of its own they are."""
    if not isinstance(own, dict):
        return set()
    return {name for name in OF_OUTCOMES if not set(shipped[name]) & set(own)}


def _in_order(clocks: tuple[ClockSettings, ...]) -> tuple[ClockSettings, ...]:
    days = [clock.since for clock in clocks]
    if not days or days != sorted(set(days)):
        raise ValueError("the rules of a clock are not in the order of their days")
    return clocks


def _of_their_kind(clocks: dict[str, tuple[ClockSettings, ...]]) -> dict[str, tuple[ClockSettings, ...]]:
    """Refuse a choice that changes nothing for its clock."""
    for kind, rules in clocks.items():
        if kind not in RUNS and any(rule.cumulative for rule in rules):
            raise ValueError(f"cumulative is for {', '.join(RUNS)}, not for {kind}")
        if kind not in RETURNS and not all(rule.at_transition for rule in rules):
            raise ValueError(f"at_transition is for {', '.join(RETURNS)}, not for {kind}")
    return clocks


class CalendarSettings(SettingsFile):
    """Days on which no school of the authority is open."""

    closed: tuple[date, ...] = ()


class PageSettings(SettingsFile):
    """The whole file; its lists map a stored code to its words."""

    language: str = Field(pattern=r"^[a-z]{2}$")
    idle_minutes: int = Field(ge=1, le=240)
    per_week: int = Field(ge=1, le=1000)
    experiments: str = Field(pattern=r"^(https?://[^\s\"'<>]+)?$")
    no_conversation: tuple[str, ...] = Field(
        description="the codes of [outcomes] in which nobody was spoken to, [] if none"
    )
    well: tuple[str, ...] = Field(
        description="the codes of [outcomes] that mean that the child is well and in education, [] if none"
    )
    outcomes: Words = Field(min_length=1)
    actions: Words = Field(min_length=1)
    doubts: Words = Field(min_length=1)
    consents: Words = Field(min_length=1)
    enquiries: Words = Field(min_length=1)
    enquiry_results: Words = Field(min_length=1)
    enquiry_rule: DatedRule
    destination_rule: DatedRule
    records: dict[RecordKind, Words]
    not_for_this_child: Words = Field(min_length=1)
    closing: Words = Field(min_length=1)
    clocks: Annotated[
        dict[ClockKind, Annotated[tuple[ClockSettings, ...], BeforeValidator(_one_or_more), AfterValidator(_in_order)]],
        AfterValidator(_of_their_kind),
    ]
    calendar: CalendarSettings

    @classmethod
    def load(cls, file: Path | None) -> PageSettings:
        """Read a file over the defaults; a list in the file replaces the whole list, a clock or the list of a kind of record only that one.

        Raises
        ------
        Faults
            With every fault of the file.
        """
        overrides, shipped = read_toml(file) if file else {}, read_toml(DEFAULTS)
        merged = {key: _over(shipped[key], overrides.get(key, {})) for key in ("clocks", "records")}
        do = f"See {DEFAULTS.name} for the settings."
        foreign = _of_other_outcomes(shipped, overrides.get("outcomes"))
        return cls.of({**{k: v for k, v in shipped.items() if k not in foreign}, **overrides, **merged}, file, do)

    def rules(self) -> Rules:
        """Return how long each clock runs, for duties that begin on one day or another."""
        return {
            kind: [DeadlineRule(**c.model_dump(exclude={"source"})) for c in clocks]
            for kind, clocks in self.clocks.items()
        }

    def source(self, kind: str, start: date) -> str:
        """Return the source of the rule for a duty that began on a day; empty if no rule holds any more."""
        clocks = next((clocks for name, clocks in self.clocks.items() if name == kind), ())
        holding = [clock.source for clock in clocks if clock.since <= start]
        return holding[-1] if holding else ""

    def due_on(self, kind: str, start: date) -> date | None:
        """Return when a duty that a record began is due, by the general calendar of school days; None if no rule holds."""
        rule = rule_of(self.rules(), kind, start)
        if rule is None or not rule.school_days:
            return start if rule else None
        days = SchoolDays({}, start, frozenset(self.calendar.closed))
        return days.nth("", start + timedelta(days=1), rule.school_days)

    def record_text(self, kind: str, code: str | None) -> str:
        """Return the words of a record's code, or the code itself when it is no longer on the list; empty for an earlier address."""
        return self.record_words(kind).get(code, code) if code else ""

    def record_words(self, kind: str) -> Words:
        """Return the words of each code of a kind of record; empty for an earlier address, which has no code."""
        by_kind: dict[str, Words] = {str(name): words for name, words in self.records.items()}
        return by_kind.get(kind, {})

    def text_of(self, kind: str, code: str) -> str:
        """Return the words of a case entry's code, or the code itself when it is no longer on the list."""
        lists = {
            "contact": self.outcomes,
            "enquiry": self.enquiries,
            "action": self.actions,
            "dismissed": self.not_for_this_child,
            "closed": self.closing,
            "handed_over": self.consents,
        }
        return lists.get(kind, {}).get(code, code)
