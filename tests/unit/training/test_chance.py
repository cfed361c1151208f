"""A risk in words: whole numbers, never further off than an eighth, and the same in every part of the project."""

from dataclasses import fields
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.pages.wording import Wording
from training.explanation.chance import ENGLISH, ChanceWords, chance, last_day, sureness

RISKS = st.floats(0.0001, 0.9999)


def numbers(text):
    return [int(n.replace(",", "")) for n in text.replace(".", " ").split() if n.replace(",", "").isdigit()]


@given(RISKS)
def test_the_numbers_are_near_the_risk(risk):
    of, about = numbers(chance(risk))
    if "more than" in chance(risk):
        assert risk >= 0.95
    else:
        assert about / of == pytest.approx(risk, rel=1 / 7 + 1e-9)  # 2 in 5 is a seventh above 0.35


@given(RISKS, st.integers(1, 50))
def test_of_a_list_the_number_is_the_nearest(share, of):
    text = chance(share, of)
    if "fewer than 1" in text:
        assert share * of <= 0.5
    else:
        assert numbers(text)[0] == of
        assert abs(numbers(text)[1] - share * of) <= 0.5


@given(RISKS, RISKS, RISKS)
def test_the_interval_has_the_same_denominator_and_holds_the_number(low, risk, high):
    low, risk, high = sorted((low, risk, high))
    text = sureness(risk, (low, high))
    first, interval = text.split(" It could have been ")
    of, about = numbers(first)
    at_least, at_most = ([0] * interval.startswith("none, or up to ")) + numbers(interval)
    assert at_least <= about <= at_most <= of
    assert (at_least == 0) == ("none" in interval)
    assert "fewer" not in interval


def test_the_day_is_the_end_of_the_time_that_was_tested():
    until = last_day(date(2025, 9, 15), 120)
    assert until == date(2026, 1, 12)
    assert sureness(0.4, None, until).endswith("Here that means by 12 January 2026.")


@given(RISKS, st.none() | st.integers(1, 50))
def test_the_pages_say_what_http_says(risk, of):
    words, until = Wording.load("en"), date(2026, 1, 13)
    assert words.chance(risk, of) == chance(risk, of)
    assert words.sureness(risk, (risk / 2, risk), until, of=of) == sureness(risk, (risk / 2, risk), until, of=of)


def test_the_words_of_the_pages_are_those_of_http():
    messages = Wording.load("en").messages
    for field in fields(ChanceWords):
        if field.name != "day":
            assert messages[f"chance.{field.name}"] == getattr(ENGLISH, field.name)
