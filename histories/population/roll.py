"""Turn the events of lives into records: enrolments, applications for secondary school and CME cases."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np

from histories.calendar import ONE_DAY, school_days, term_dates
from histories.population.chances import EXITS, MISSING, UNKNOWN
from histories.population.life import EXIT, MOVE
from histories.population.world import World


@dataclass
class SimulatedPeriod:
    """The simulated weeks and the last day on which anything is recorded."""

    first: date  # a Monday
    weeks: int
    end: date

    @classmethod
    def until(cls, last_day: date, years: int) -> SimulatedPeriod:
        """Return the weeks from the September of the first full school year to a day; the last is a part if schools were open in it.

        Examples
        --------
        >>> SimulatedPeriod.until(date(2025, 12, 31), 4)
        SimulatedPeriod(first=datetime.date(2021, 8, 30), weeks=226, end=datetime.date(2025, 12, 31))
        >>> SimulatedPeriod.until(date(2026, 3, 4), 1).weeks
        80
        """
        start = date(last_day.year - (last_day.month < 9) - years, 9, 1)
        first = start - start.weekday() * ONE_DAY
        whole = (last_day - first).days // 7
        begun = bool(school_days(first + 7 * whole * ONE_DAY, last_day))
        return cls(first, whole + begun, last_day)

    def monday(self, week: int) -> date:
        """Return the Monday of a week."""
        return self.first + 7 * int(week) * ONE_DAY


@dataclass(kw_only=True)
class Spell:
    """One simulated enrolment."""

    child: int
    school: int
    entry: date
    year: int
    entry_known: date
    leaving: date | None = None
    leaving_known: date | None = None
    destination: str | None = None
    next_school: int | None = None
    ground: str | None = None


@dataclass
class Rolls:
    """All enrolments, applications and cases."""

    spells: list[Spell] = field(default_factory=list)
    admissions: list[tuple] = field(default_factory=list)
    cases: list[tuple] = field(default_factory=list)


GROUNDS = {
    "missing_education": "whereabouts_unknown",
    "unknown": "whereabouts_unknown",
    "home_education": "home_education_notice",
    "other_authority": "other_school",
    "independent_school": "other_school",
    "abroad": "moved_away",
    "state_school": "other_school",
    "over_age": "over_age",
}


def year_groups(world: World, clock: SimulatedPeriod) -> np.ndarray:
    """Return the year group of each child in each week: int8, shape (children, weeks); -1 outside school age."""
    years = np.full((len(world.cohort), clock.weeks), -1, np.int8)
    for t in range(clock.weeks):
        monday = clock.monday(t)
        school_year = monday.year if (monday + 4 * ONE_DAY).month >= 9 else monday.year - 1
        autumn, _, summer = term_dates(school_year)
        now = school_year - world.cohort
        inside = (now >= 0) & (now <= 11)
        if monday > summer.end:
            inside &= (now != 6) & (now != 11)
        if monday + 4 * ONE_DAY < autumn.start:
            inside &= (now != 0) & (now != 7)
        years[:, t] = np.where(inside, now, -1)
    return years


def summer_weeks(clock: SimulatedPeriod) -> np.ndarray:
    """Return a mask of the weeks in which a school year ends."""
    ends = {term_dates(y)[2].end for y in range(clock.first.year - 1, clock.end.year + 1)}
    return np.array([any(clock.monday(t) <= e < clock.monday(t + 1) for e in ends) for t in range(clock.weeks)])


def make_rolls(
    rng: np.random.Generator,
    world: World,
    clock: SimulatedPeriod,
    events: np.ndarray,
    counts: np.ndarray,
    delays: np.ndarray,
) -> Rolls:
    """Turn events into enrolments with their recording days.

    Parameters
    ----------
    delays : float array, shape (children, 2)
        Mean days until a leaving and a case are recorded; authorities may differ.
    """
    rolls = Rolls()
    primaries = np.flatnonzero(np.array(world.schools["phase"]) == "primary")
    secondaries = np.flatnonzero(np.array(world.schools["phase"]) == "secondary")
    seeds = rng.integers(0, 2**62, len(world.cohort))
    for child in range(len(world.cohort)):
        Life(
            rng=np.random.Generator(np.random.PCG64(int(seeds[child]))),
            world=world,
            clock=clock,
            rolls=rolls,
            child=child,
            primaries=primaries,
            secondaries=secondaries,
            delays=delays[child],
        ).run(events[child, : counts[child]])
    return rolls


class Life:
    """One child, whose events become enrolments, cases and an application."""

    def __init__(self, rng, world, clock, rolls, child, *, primaries, secondaries, delays):  # type: ignore[no-untyped-def]
        self.rng, self.world, self.clock, self.rolls, self.child = rng, world, clock, rolls, child
        self.phases = (primaries, secondaries)
        self.delays = delays
        self.cohort = int(world.cohort[child])
        self.current: Spell | None = None
        self.gone_until: date | None = None

    def run(self, events: np.ndarray) -> None:
        """Process phases and events in chronological order."""
        steps = [(self._phase_start(0), "phase", 0), (self._phase_start(7), "phase", 7)]
        steps += [
            (term_dates(self.cohort + 6)[2].end, "phase_end", 6),
            (term_dates(self.cohort + 11)[2].end, "phase_end", 11),
        ]
        for week, kind, detail in events:
            if kind in (EXIT, MOVE):
                day = self.clock.monday(week) + int(self.rng.integers(0, 5)) * ONE_DAY
                end = term_dates(self.cohort + 6)[2].end
                # An exit in the last week of Year 6 comes before the planned end of primary school.
                day = min(day, end) if self.clock.monday(week) <= end < self.clock.monday(week + 1) else day
                steps.append((day, "exit" if kind == EXIT else "move", int(detail)))
                if kind == EXIT and detail // 16:
                    steps.append((self.clock.monday(detail // 16), "back", 0))
        for day, what, detail in sorted(steps, key=lambda s: (s[0], s[1])):
            if day <= self.clock.end:
                getattr(self, f"_{what}")(day, detail)
        self._admissions()

    def _phase_start(self, year: int) -> date:
        return term_dates(self.cohort + year)[0].start

    def _year(self, day: date) -> int:
        return (day.year if day.month >= 9 else day.year - 1) - self.cohort

    def _school(self, year: int) -> int:
        if self.world.special[self.child] >= 0:
            return int(self.world.special[self.child])
        return int((self.world.primary if year < 7 else self.world.secondary)[self.child])

    def _open(self, school: int, day: date, recorded_on: date) -> None:
        self.current = Spell(child=self.child, school=school, entry=day, year=self._year(day), entry_known=recorded_on)
        self.rolls.spells.append(self.current)

    def _close(self, day: date, destination: str, recorded_on: date, next_school: int | None = None) -> None:
        spell = self.current
        assert spell is not None  # nosec B101 # tells mypy; the simulation closes only what it opened
        day = max(day, spell.entry)
        spell.leaving, spell.destination, spell.next_school = day, destination, next_school
        spell.leaving_known = max(recorded_on, day)
        spell.ground = GROUNDS[destination]
        self.current = None

    def _phase(self, day: date, year: int) -> None:
        if self.gone_until is None and self.current is None:
            self._open(self._school(year), day, day - int(self.rng.integers(18, 60)) * ONE_DAY)

    def _phase_end(self, day: date, year: int) -> None:
        if self.current is not None:
            recorded_on = day + int(self.rng.integers(0, 12)) * ONE_DAY
            if year == 6:
                self._close(day, "state_school", recorded_on, self._school(7))
            else:
                self._close(day, "over_age", recorded_on)

    def _move(self, day: date, _: int) -> None:
        if self.current is None or self.world.special[self.child] >= 0 or day <= self.current.entry:
            return
        year = self._year(day)
        choices = self.phases[0 if year < 7 else 1]
        school = int(choices[self.rng.integers(0, len(choices))])
        if school == self.current.school:
            return
        gap = int(self.rng.integers(1, 15))
        self._close(day, "state_school", day + int(self.rng.exponential(self.delays[0] / 2)) * ONE_DAY, school)
        if self._year(day + gap * ONE_DAY) == year:
            entry = day + gap * ONE_DAY
            self._open(school, entry, entry + int(self.rng.integers(0, 9)) * ONE_DAY)

    def _exit(self, day: date, detail: int) -> None:
        if self.current is None:
            return
        kind = detail % 16
        entry = self.current.entry
        recorded_on = day + min(int(self.rng.exponential(self.delays[0])), 60) * ONE_DAY
        self._close(day, EXITS[kind], recorded_on)
        back = self.clock.monday(detail // 16) if detail // 16 else None
        self.gone_until = back or date.max
        if kind == MISSING or (kind == UNKNOWN and self.rng.random() < 0.3):
            missing_from = max(day, entry) + ONE_DAY
            reported = missing_from + (10 + int(self.rng.exponential(self.delays[1]))) * ONE_DAY
            if reported <= self.clock.end:
                closed = _closing(back, reported)
                closed = closed if closed is not None and closed <= self.clock.end else None
                self.rolls.cases.append(
                    (self.child, missing_from, reported, closed, "back_on_roll" if closed else None)
                )

    def _back(self, day: date, _: int) -> None:
        self.gone_until = None
        year = self._year(day)
        summer = term_dates(self.cohort + year)[2].end if year >= 0 else day
        if self.current is None and 0 <= year <= 11 and not (day > summer and year in (6, 11)):
            choices = self.phases[0 if year < 7 else 1]
            self._open(
                int(choices[self.rng.integers(0, len(choices))]),
                day,
                day + int(self.rng.integers(0, 9)) * ONE_DAY,
            )

    def _admissions(self) -> None:
        applied = date(self.cohort + 6, 10, 1) + int(self.rng.integers(0, 30)) * ONE_DAY
        on_roll = any(
            s.entry <= applied and (s.leaving is None or s.leaving > applied)
            for s in self.rolls.spells[-6:]
            if s.child == self.child
        )
        if not on_roll or not self.clock.first < applied <= self.clock.end:
            return
        place = int(self.world.place[self.child])
        offered, answered = (
            date(self.cohort + 7, 3, 1),
            date(self.cohort + 7, 3, 2) + int(self.rng.integers(0, 21)) * ONE_DAY,
        )
        no_offer = place == 3 or offered > self.clock.end
        urn = None if no_offer else self.world.schools["urn"][self._school(7)]
        response = None
        if not no_offer and place != 1 and answered <= self.clock.end:
            response = "declined" if place == 2 else "accepted"
        recorded = date(self.cohort + 6, 11, 5) if place == 3 else applied
        if recorded <= self.clock.end:
            self.rolls.admissions.append(
                (
                    self.child,
                    self.cohort + 7,
                    "secondary",
                    None if place == 3 else applied,
                    urn,
                    None if no_offer else offered,
                    response,
                    answered if response else None,
                    recorded,
                )
            )


def _closing(back: date | None, reported: date) -> date | None:
    """Return the day a case is closed: the return to a roll, or three weeks after the report where that is later."""
    if back is None:
        return None
    return back if back > reported else reported + 21 * ONE_DAY
