"""What staff do most, on few pupils and on 20,000: how many clicks it takes, by keyboard alone, without scripts, and without faults of the pages."""

import pytest

from benchmarks.journeys import JOURNEYS, faults, travel

pytestmark = pytest.mark.prove
BY_NAME = {journey.name: journey for journey in JOURNEYS}
MOST_CLICKS = {
    "ring the first eight, from the list": 24,
    "record a contact from the row": 3,
    "my cases": 1,
    "take up a child on no roll": 2,
}


@pytest.mark.parametrize("name", MOST_CLICKS)
def test_what_is_done_most_takes_no_more_clicks(site, browser, name):
    assert travel(browser, site.url, BY_NAME[name]).clicks <= MOST_CLICKS[name]


def test_every_journey_works_by_keyboard_without_scripts_and_its_pages_have_no_fault(site, browser):
    """Axe finds nothing on any page that a journey leads to, and a window of 320 px does not scroll sideways."""
    visited = {}
    for journey in JOURNEYS:
        hands = travel(browser, site.url, journey)
        visited.setdefault(journey.user, set()).update(hands.visited)
        assert travel(browser, site.url, journey, scripts=False).clicks == hands.clicks, journey.name
        assert travel(browser, site.url, journey, keyboard=True).clicks == 0, journey.name
    assert [fault for user, addresses in visited.items() for fault in faults(browser, site.url, user, addresses)] == []
