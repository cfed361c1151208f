"""Compulsory school age, at the limits set by law."""

from datetime import date

import pytest

from histories.calendar import compulsory_school_age


@pytest.mark.parametrize(
    ("born", "first"),
    [
        ("2019-03-31", "2024-03-31"),  # five on a prescribed day: from that day
        ("2019-04-01", "2024-08-31"),
        ("2019-08-31", "2024-08-31"),
        ("2019-09-01", "2024-12-31"),
        ("2019-12-31", "2024-12-31"),
        ("2020-01-01", "2025-03-31"),
        ("2020-02-29", "2025-03-31"),
    ],
)
def test_school_age_begins_on_the_prescribed_day_on_or_after_the_fifth_birthday(born, first):
    assert compulsory_school_age(date.fromisoformat(born))[0] == date.fromisoformat(first)


@pytest.mark.parametrize(
    ("born", "last"),
    [
        ("2008-08-31", "2024-06-28"),
        ("2008-09-01", "2025-06-27"),
        ("2009-01-15", "2025-06-27"),
        ("2009-07-30", "2025-06-27"),  # sixteen after that Friday, and no longer of school age
        ("2007-03-01", "2023-06-30"),  # the 30 June is itself a Friday
    ],
)
def test_school_age_ends_on_the_last_friday_in_june_of_the_year_of_the_sixteenth_birthday(born, last):
    assert compulsory_school_age(date.fromisoformat(born))[1] == date.fromisoformat(last)
