"""The pictures of a child's page: months and the year group's line stand where they belong, help is drawn, and scores lie on the scale."""

from datetime import date, timedelta
from types import SimpleNamespace

import pytest

from serving.pages.not_in_school import record_event
from serving.pages.score_strip import HEIGHT, LISTS, SCALE, SLOT, score_strip
from serving.pages.settings import PageSettings
from serving.pages.timeline import HEIGHT as TALL
from serving.pages.timeline import MAX_LATER, WEEKS, timeline
from serving.pages.wording import Wording

DAY = date(2025, 11, 24)
PAST = {"weeks": [["2025-11-17", 10, 4, 2]], "events": [], "compared": [{"what": "missed", "peers": 0.25}]}


def given(day):
    return {"lane": "help", "date": day.isoformat(), "text": "Home visit"}


def test_each_month_is_named_in_the_week_that_it_begins_in():
    picture = timeline(PAST, DAY)
    named = {n: month for n, month in enumerate(picture.months) if month}
    assert len(picture.months) == WEEKS
    assert list(named.values()) == [12, *range(1, 12)]
    for week, month in named.items():
        days = [picture.first + timedelta(weeks=week, days=n) for n in range(7)]
        assert (1, month) in {(d.day, d.month) for d in days}


def test_the_year_groups_line_is_at_its_share():
    assert timeline(PAST, DAY).usual == TALL * 0.75
    assert timeline({**PAST, "compared": []}, DAY).usual is None
    assert timeline({**PAST, "compared": [{"what": "missed", "peers": None}]}, DAY).usual is None


def test_help_is_drawn_in_its_week_and_told_in_the_table():
    picture = timeline(PAST, DAY, [given(DAY - timedelta(days=5))])
    assert picture.last == date(2025, 11, 17)
    assert [round(s.x) for s in picture.lanes["help"]] == [(WEEKS - 1) * 10 + round(2 * 10 / 7)]
    assert [e["text"] for row in picture.rows for e in row["events"]] == ["Home visit"]
    assert "help" not in timeline(PAST, DAY).lanes


def test_a_record_for_the_register_has_a_lane_of_its_own_and_no_address_in_it():
    context = SimpleNamespace(settings=PageSettings.load(None), renderer=SimpleNamespace(words=Wording.load("en")))
    address = {"record": "earlier_address", "code": None, "on_day": DAY - timedelta(days=5), "text": "1 Old Road"}
    agreed = {**address, "record": "part_time", "code": "agreed", "text": None}
    picture = timeline(PAST, DAY, [record_event(context, address), record_event(context, agreed)])
    assert len(picture.lanes["records"]) == 2
    texts = [e["text"] for row in picture.rows for e in row["events"]]
    assert texts[0] == "Earlier address"
    assert texts[1].startswith("Part time by agreement: Agreed")


@pytest.mark.parametrize(
    ("later", "drawn"), [(timedelta(days=3), True), (MAX_LATER, False), (timedelta(days=400), False)]
)
def test_help_after_the_day_of_the_records_is_drawn_for_four_weeks(later, drawn):
    picture = timeline(PAST, DAY, [given(DAY + later)])
    assert ("help" in picture.lanes) is drawn
    assert picture.bars[-2 if drawn else -1].missed == TALL * 0.4, "the weeks of the records stay in the picture"


@pytest.mark.parametrize(
    ("event", "drawn"),
    [
        ({"date": "2023-05-02"}, False),
        ({"date": "2023-05-02", "end": "2023-09-01"}, False),
        ({"date": "2023-05-02", "end": None}, True),
        ({"date": "2023-05-02", "end": "2025-09-01"}, True),
        ({"date": "2024-11-24"}, False),
        ({"date": "2024-11-25"}, True),
    ],
)
def test_what_was_over_before_the_year_is_not_in_its_picture(event, drawn):
    picture = timeline(PAST, DAY, [{"lane": "help", "text": "Home visit", **event}])
    assert picture.first == date(2024, 11, 25)
    assert ("help" in picture.lanes) is drawn


def stored(n, risk, version="1", limits=(0.001, 0.9)):
    score = {"risk": risk, "risk_low": limits[0], "risk_high": limits[1], "rank": n}
    return {"as_of": DAY + timedelta(weeks=n), "model_version": version, "score": score}


def test_scores_lie_on_a_scale_of_odds_in_order_of_their_day():
    strip = score_strip([stored(n, risk) for n, risk in enumerate(reversed(SCALE))])
    assert [m.x for m in strip.marks] == [n * SLOT for n in range(4)]
    assert [m.y for m in strip.marks] == list(reversed(strip.lines))
    assert strip.lines == [0, HEIGHT / 3, 2 * HEIGHT / 3, HEIGHT]
    assert all(m.top < m.bottom <= HEIGHT for m in strip.marks)
    tiny = score_strip([stored(0, 1e-6, limits=(0, 1)), stored(1, 1.0)])
    assert (tiny.marks[0].y, tiny.marks[0].top, tiny.marks[0].bottom) == (HEIGHT, 0, HEIGHT)


def test_the_strip_shows_the_newest_lists_and_marks_another_model():
    many = [stored(n, 0.1, version="1" if n < 10 else "2") for n in range(LISTS + 3)]
    strip = score_strip(many)
    assert [m.rank for m in strip.marks] == list(range(3, LISTS + 3))
    assert [m.other_model for m in strip.marks] == [n < 10 for n in range(3, LISTS + 3)]
    assert score_strip(many[:1]) is None
    assert score_strip([]) is None
    twice = score_strip([stored(0, 0.1), stored(1, 0.1), stored(1, 0.2, version="2")])
    assert [m.risk for m in twice.marks] == [0.1, 0.2], "of two models on one day, the one stored last"
