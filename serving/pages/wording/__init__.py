"""The words of the pages, one file per language, and the formatting of numbers and dates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from datetime import date, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from features.sentences import ago, agreed
from histories.calendar import LONDON, london_day
from histories.errors import Fault, Faults
from histories.io.toml import read_toml
from training.explanation import chance as in_words

HERE = Path(__file__).parent
SCHOOL_AGE, LAST_YEAR = 11, 13  # year groups in which compulsory school age, and school, end


class Wording:
    """The words of one language.

    Parameters
    ----------
    messages : dict
        ``{part: {name: text}}``, as in ``en.toml``.
    """

    def __init__(self, messages: dict[str, dict[str, str]]) -> None:
        self.messages = {f"{part}.{name}": text for part, texts in messages.items() for name, text in texts.items()}

    @classmethod
    def load(cls, language: str) -> Wording:
        """Read a language.

        Raises
        ------
        Faults
            When there is no such language.
        """
        file = HERE / f"{language}.toml"
        if not file.is_file():
            languages = ", ".join(sorted(f.stem for f in HERE.glob("*.toml")))
            raise Faults(Fault("there is no such language", "ONROLL_PAGES, language", f"Use one of {languages}."))
        return _load(file)

    def __call__(self, key: str, **values: Any) -> str:
        """Return a message with its values filled in; nouns marked `(s)` or `(ren)` agree with their numbers.

        Examples
        --------
        >>> Wording({"a": {"few": "{n} child(ren)"}})("a.few", n=1)
        '1 child'
        """
        return agreed(self.messages[key].format(**values))

    def listed(self, texts: Iterable[str]) -> str:
        """Join texts into a list in a sentence.

        Examples
        --------
        >>> Wording.load("en").listed(["5 ill"]), Wording.load("en").listed(["5 ill", "3 with permission", "1 suspended"])
        ('5 ill', '5 ill, 3 with permission and 1 suspended')
        """
        *others, last = texts
        return self("records.and", first=", ".join(others), last=last) if others else last

    def day(self, day: date | datetime | str | None) -> str:
        """Format a day.

        Examples
        --------
        >>> Wording.load("en").day(date(2025, 9, 4)), Wording.load("en").day("2025-01-13"), Wording.load("en").day(None)
        ('4 September 2025', '13 January 2025', 'not known')
        """
        if day is None:
            return self("time.unknown")
        if isinstance(day, str):
            day = date.fromisoformat(day)
        if isinstance(day, datetime):
            day = london_day(day)
        return f"{day.day} {self(f'time.month_{day.month}')} {day.year}"

    def ago(self, day: date, today: date) -> str:
        """Say how long ago a day was, as sentences about a child do.

        Examples
        --------
        >>> words = Wording.load("en")
        >>> words.ago(date(2025, 1, 12), date(2025, 1, 13)), words.ago(date(2024, 2, 1), date(2025, 1, 13))
        ('yesterday', '11 months ago')
        """
        return ago((today - day).days)

    def month(self, day: date, today: date) -> str:
        """Name the month of a day, with its year unless it lies within the last eleven months.

        Examples
        --------
        >>> words = Wording.load("en")
        >>> words.month(date(2025, 6, 3), date(2025, 11, 29)), words.month(date(2023, 3, 1), date(2025, 11, 29))
        ('June', 'March 2023')
        """
        name = self(f"time.month_{day.month}")
        is_recent = 0 <= 12 * (today.year - day.year) + today.month - day.month < 11
        return name if is_recent else f"{name} {day.year}"

    def moment(self, moment: datetime | str) -> str:
        """Format a time, in London time.

        Examples
        --------
        >>> from datetime import UTC
        >>> Wording.load("en").moment(datetime(2025, 7, 1, 13, 5, tzinfo=UTC))
        '1 July 2025 at 2:05pm'
        """
        if isinstance(moment, str):
            moment = datetime.fromisoformat(moment)
        return self("time.moment", day=self.day(moment), clock=self._clock(moment))

    def when(self, day: date, at: datetime, today: date) -> str:
        """Say on which day something was done that was written down at a moment.

        Examples
        --------
        >>> from datetime import UTC
        >>> noon = datetime(2025, 7, 1, 11, 5, tzinfo=UTC)
        >>> words = Wording.load("en")
        >>> words.when(date(2025, 7, 1), noon, date(2025, 7, 1)), words.when(date(2025, 6, 30), noon, date(2025, 7, 1))
        ('today at 12:05pm', 'on 30 June 2025')
        """
        if day != today:
            return self("time.on", day=self.day(day))
        written_today = london_day(at) == today
        return self("time.today_at", clock=self._clock(at)) if written_today else self("time.today")

    def _clock(self, moment: datetime) -> str:
        local = moment.astimezone(LONDON)
        half = self("time.am" if local.hour < 12 else "time.pm")
        return self("time.clock", hour=local.hour % 12 or 12, minute=f"{local.minute:02}", half=half)

    def chance(self, share: float, of: int | None = None) -> str:
        """Say a risk as one number of another; see ``training.explanation.chance``.

        Examples
        --------
        >>> Wording.load("en").chance(0.083), Wording.load("en").chance(0.17, of=8)
        ('Of 12 like this, about 1', 'Of 8 like these, about 1')
        """
        return in_words.chance(share, of, self._chance_words)

    def sureness(
        self, share: float, limits: tuple[float, float] | None, until: date | None = None, *, of: int | None = None
    ) -> str:
        """Say a risk with its interval and the day by which it would be; see ``training.explanation.chance``."""
        return in_words.sureness(share, limits, until, of=of, words=self._chance_words)

    @cached_property
    def _chance_words(self) -> in_words.ChanceWords:
        names = [f.name for f in fields(in_words.ChanceWords) if f.name != "day"]
        return in_words.ChanceWords(**{name: self.messages[f"chance.{name}"] for name in names}, day=self.day)

    def meaning(self, definition: str) -> str:
        """Say in plain words what counts as missing by a definition.

        Examples
        --------
        >>> Wording.load("en").meaning("cme_register"), Wording.load("en").meaning("ours.toml")
        ('A case is opened for a child who has no school.', 'As the definition of this model says: ours.toml.')
        """
        key = f"missing.{definition}"
        return self(key) if key in self.messages else self("missing.other", name=definition)

    def what_was_done(self, action: str) -> str:
        """Say in words what an entry of the audit names by a code.

        Examples
        --------
        >>> Wording.load("en").what_was_done("case.contact"), Wording.load("en").what_was_done("ours.done")
        ('Recorded a contact', 'ours.done')
        """
        return self.messages.get(f"did.{action}", action)

    def year_group(self, nc_year: int) -> str:
        """Name a year group; no school has one above Year 13.

        Examples
        --------
        >>> Wording.load("en").year_group(0), Wording.load("en").year_group(6), Wording.load("en").year_group(14)
        ('Reception', 'Year 6', 'Over school age')
        """
        if nc_year > LAST_YEAR:
            return self("school.over_age")
        return self("school.reception") if nc_year <= 0 else self("school.year", n=nc_year)

    def year_group_of(self, nc_year: int, roll_year: int | None) -> str:
        """Name a child's year group: that of the roll, and that by age where the roll has another or states none.

        Examples
        --------
        >>> [Wording.load("en").year_group_of(8, roll_year) for roll_year in (8, 7, None)]
        ['Year 8', 'Year 7 (Year 8 by age)', 'Year 8 by age']
        """
        by_age = self.year_group(nc_year)
        if roll_year is None:
            return self("school.by_age", year=by_age)
        by_roll = self.year_group(roll_year)
        return (
            by_roll
            if by_roll == by_age
            else self("school.by_roll", year=by_roll, by_age=self("school.by_age", year=by_age))
        )

    def year_group_taught(self, nc_year: int, roll_year: int | None) -> str:
        """Name the year group with which a child is taught and compared: that of the roll, or by age where the roll states none.

        Examples
        --------
        >>> [Wording.load("en").year_group_taught(8, roll_year) for roll_year in (7, None)]
        ['Year 7', 'Year 8']
        """
        return self.year_group(nc_year if roll_year is None else roll_year)

    def year_group_then(self, nc_year: int, as_of: date, left_on: date | None) -> str:
        """Name a year group on a day, or of somebody who has grown out of school age since, in which the child left.

        Examples
        --------
        >>> Wording.load("en").year_group_then(15, date(2030, 10, 1), date(2025, 3, 3))
        'Left in Year 9'
        """
        if nc_year <= SCHOOL_AGE or left_on is None:
            return self.year_group(nc_year)
        years = (as_of.year - (as_of.month < 9)) - (left_on.year - (left_on.month < 9))
        return self("school.left_in", year=self.year_group(nc_year - years))


@cache
def _load(file: Path) -> Wording:
    return Wording(read_toml(file))
