"""The lead's page: listed children by place, safe to share."""

import re
from dataclasses import replace
from datetime import date, timedelta

from serving.pages.views import team
from serving.store.scores import boards

NEWEST = date(2025, 4, 28)  # of the lists
AREAS = {"north": ["1", "2"], "south": ["3"], "nowhere": ["9"]}


def test_small_places_are_left_out_with_whatever_would_reveal_them():
    shareable = team.shareable({"1": 41, "2": 3, "3": 20, "4": 22}, AREAS)
    assert shareable["areas"] == ({"north": 45, "south": 20}, 0)
    assert shareable["schools"] == ({"3": 20, "4": 20}, 2), "north less school 1 would be school 2"


def test_a_school_counts_for_one_area_only():
    assert team.shareable({"1": 30}, {"a": ["1"], "b": ["1"]})["areas"] == ({"a": 30}, 0)


def test_the_page_shows_schools_and_areas(site, visit, monkeypatch):
    list_outcome, many = boards.list_outcome, dict.fromkeys(site.urns, 20)
    monkeypatch.setattr(
        boards,
        "list_outcome",
        lambda *given, **named: replace(list_outcome(*given, **named), by_school={**many, site.urns[0]: 1}),
    )
    text = visit("lead").get("/team").text
    assert ">north</dt>" in text
    north = 5 * round((20 * len(site.north) - 19) / 5)
    assert f'<dd class="govuk-summary-list__value">{north}\n' in text
    bars = [float(width) for width in re.findall(r'onroll-bar.*?<rect width="([\d.]+)"', text)]
    shown = [
        int(n) for n in re.findall(r'<dd class="govuk-summary-list__value">(\d+)\n\s*<svg class="onroll-bar"', text)
    ]
    assert len(bars) == len(shown) >= 2, "a plot shows no place whose number is hidden"
    assert bars[0] == 100.0
    assert "Left out, with too few children to show: " in text


def test_the_weeks_are_a_picture_too_and_its_bars_are_the_tables(site, visit):
    text = visit("lead").get("/team").text
    picture = text.partition('class="onroll-weeks"')[2].partition("</svg>")[0]
    heights = [float(h) for h in re.findall(r'height="([\d.]+)" class="onroll-interval"', picture)]
    table = text.partition('aria-labelledby="weeks"')[2].partition("</table>")[0]
    listed = [int(n) for n in re.findall(r'numeric">(\d+)</td>', table)][::3]
    assert len(heights) == len(listed) > 1
    assert heights == [round(60 * n / max(listed), 1) for n in reversed(listed)]


def test_a_number_of_open_windows_says_that_it_is_not_yet_known(visit, monkeypatch):
    """Twelve weeks are shorter than any window: beside a promise of 120 days, "went missing" is not the number that the promise is about."""
    monkeypatch.setattr(team, "london_today", lambda: NEWEST + timedelta(days=20))
    text = visit("lead").get("/team").text
    still_open = re.search(r'<p class="govuk-body" id="still-open">([^<]+)</p>', text)[1]
    assert "not yet known, which is not the same as no" in still_open
    monkeypatch.setattr(team, "london_today", lambda: NEWEST + timedelta(days=400))
    assert 'id="still-open"' not in visit("lead").get("/team").text
