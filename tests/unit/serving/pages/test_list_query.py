"""What a list's address chooses: every name that is offered can be chosen, and no filter is ignored."""

from types import SimpleNamespace
from urllib.parse import parse_qsl

import pytest

from serving.pages.list_query import FILTERS, ListQuery, themes_shown
from serving.pages.wording import Wording

NAMES = ["north", "King's Lynn", 'Ward "A" <east>', "x" * 200, "Ynys Môn & more", "?", " a"]


def named(urns):
    return NAMES


CONTEXT = SimpleNamespace(
    configuration=SimpleNamespace(localities=dict.fromkeys(NAMES, ("100",))),
    renderer=SimpleNamespace(words=Wording.load("en")),
    localities=named,
)
ODD = ["King's Lynn", "<script>", "x" * 61, "\x00", "\n", "\u202e", "99999", "-1", "²", "six", "%", " "]


@pytest.mark.parametrize("name", FILTERS)
def test_what_is_offered_can_be_chosen_and_saved(name):
    everything = {c["name"]: c["items"] for c in ListQuery().choices(CONTEXT, [("100", "A school")])}
    for value, _ in everything[name][1:]:
        query = ListQuery.of({name: value}, CONTEXT)
        assert getattr(query, name) == value
        assert query.gone(CONTEXT, ["100"]) == []
        assert ListQuery.of(dict(parse_qsl(query.parameters())), CONTEXT) == query
        assert query.chosen(CONTEXT) != ListQuery().chosen(CONTEXT)


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("value", ODD)
def test_a_filter_that_names_nothing_matches_nobody_and_says_so(name, value):
    if value in CONTEXT.configuration.localities or value in themes_shown():
        value += " of long ago"
    query = ListQuery.of({name: value}, CONTEXT)
    assert query.is_filtered
    assert query.gone(CONTEXT, ["100"]) == [name]
    chosen = query.chosen(CONTEXT)
    assert chosen.gone or (name == "school" and chosen.urns not in (None, ["100"]))
    assert not set("<>\"'\x00\n") & set(getattr(query, name)), "an address repeats nothing odd"
