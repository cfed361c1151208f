from datetime import date, timedelta

import narwhals as nw
import polars as pl
import pytest

from histories.calendar import day_number
from histories.rules.days import START, is_first_january, school_year
from histories.tables import HAPPENED


@pytest.fixture(scope="module")
def days():
    return [date(1901, 1, 1) + timedelta(days=n) for n in range(72_000)]


def test_school_years_and_first_days_of_a_century_and_more(days):
    frame = nw.from_native(pl.DataFrame({"day": pl.Series([day_number(d) for d in days], dtype=pl.Int32)}))
    years = frame.select(school_year(nw.col("day")).alias("year"), is_first_january(nw.col("day")).alias("first"))
    assert years["year"].to_list() == [d.year - (d.month < 9) for d in days]
    assert years["first"].to_list() == [(d.month, d.day) == (1, 1) for d in days]


def test_a_thing_happened_on_the_first_day_of_its_key():
    assert START["enrolments"] == "entry_date"
    assert START["cme"] == "missing_from"
    assert HAPPENED["termly_attendance"] == "term_end"
    assert "admissions" not in START
