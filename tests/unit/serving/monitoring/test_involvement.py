"""What staff did with the lists: by groups that are no person, from which no person can be worked out, whatever was recorded."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.monitoring.involvement import MIN_ACTS, MIN_PEOPLE, involvement
from serving.pages.rendering import Renderer
from serving.pages.settings import PageSettings
from serving.store.cases.involvement import Material, Step

START = datetime(2025, 4, 21, tzinfo=UTC)
KINDS = ("seen", "acted", "set_aside", "doubted", "opened")


def made(steps, groups, shown=20):
    pupils = [f"child{n:02}" for n in range(shown)]
    return Material(
        since=date(2025, 4, 1),
        until=date(2025, 7, 1),
        lists=1,
        shown=dict.fromkeys(pupils, START),
        place={p: n for n, p in enumerate(pupils, 1)},
        steps=sorted(steps, key=lambda s: s.at),
        groups=groups,
    )


def step(who, kind, n, minutes=0, reason=""):
    return Step(pupil_id=f"child{n:02}", who=who, at=START + timedelta(minutes=minutes), kind=kind, reason=reason)


@st.composite
def materials(draw):
    sizes = draw(st.lists(st.integers(1, 9), min_size=1, max_size=5))
    groups = {f"person{g}-{n}": ("801", f"area{g}", "worker") for g, size in enumerate(sizes) for n in range(size)}
    steps = [
        step(who, draw(st.sampled_from(KINDS)), draw(st.integers(0, 25)), draw(st.integers(0, 9000)))
        for who in groups
        for _ in range(draw(st.integers(0, 6)))
    ]
    return made(steps, groups)


@settings(max_examples=150, deadline=None)
@given(materials())
def test_no_figure_is_that_of_a_person_nor_the_difference_of_two(material):
    found = involvement(material)
    for part in (*found.groups.values(), *filter(None, [found.together])):
        assert part.people >= MIN_PEOPLE
        assert part.steps >= MIN_ACTS
    rest = [found.whole.people - sum(p.people for p in found.groups.values())]
    rest.append(found.whole.steps - sum(p.steps for p in found.groups.values()))
    if found.groups and found.hidden:
        assert rest[0] >= MIN_PEOPLE
        assert rest[1] >= MIN_ACTS
    written = json.dumps([found.to_dict(), found.to_dict(exact=True)])
    assert "person" not in written.replace("not of a person", "").replace("that person's first", "")
    assert "child0" not in written
    assert (found.to_dict()["staff"] is None) == found.whole.is_small


def test_what_was_recorded_is_counted_by_child_and_reason():
    groups = {f"w{n}": ("801", "", "worker") for n in range(5)}
    steps = [step(f"w{n % 5}", "seen", n, minutes=10) for n in range(10)]
    steps += [step(f"w{n % 5}", "acted", n, minutes=10 + 7 * (n + 1)) for n in range(9)]
    steps += [step("w0", "acted", 0, minutes=9000), step("w1", "acted", 15)]  # again; without having opened the page
    steps += [step("w4", "seen", 4, minutes=40)]  # once more: the time is from the first opening
    steps += [step("w2", "set_aside", 3, reason="known_plan"), step("w2", "set_aside", 4, reason="snoozed")]
    steps += [step("w3", "doubted", 5, reason="old"), step("w3", "opened", 22), step("w4", "opened", 2)]
    steps += [step("w4", "acted", 1, minutes=-10)]  # before any list showed the child
    whole = involvement(made(steps, groups)).whole
    assert (whole.seen, whole.acted, whole.set_aside, whole.doubted) == (10, 10, 2, 1)
    assert (whole.opened_below, whole.unseen, whole.people) == (1, 1, 5)
    assert whole.reasons == {"set_aside": {"known_plan": 1, "snoozed": 1}, "doubted": {"old": 1}}
    assert whole.minutes == 35  # of 7, 14 ... 63
    assert (whole.first, whole.expected) == (pytest.approx(0.9), 0.5)


def test_who_had_opened_the_page_before_the_list_did_not_act_unseen():
    """Opened on Friday, listed and acted on on Monday."""
    groups = {"w0": ("801", "", "worker")}
    steps = [
        step("w0", "seen", 0, minutes=-4000),
        step("w0", "acted", 0, minutes=60),
        step("w0", "acted", 1, minutes=60),
    ]
    whole = involvement(made(steps, groups)).whole
    assert (whole.unseen, whole.minutes, whole.seen, whole.acted) == (1, None, 0, 2)


@pytest.mark.parametrize(("timed", "told"), [(4, False), (5, True)])
def test_the_time_of_a_few_people_and_an_exact_share_are_not_told(timed, told):
    groups = {f"w{n}": ("801", "", "worker") for n in range(6)}
    steps = [step(f"w{n % timed}", "seen", n) for n in range(12)]
    steps += [step(f"w{n % timed}", "acted", n, minutes=7) for n in range(12)]
    steps += [step("w5", "set_aside", 13, reason="known_plan")]
    found = involvement(made(steps, groups))
    staff = found.to_dict()["staff"]
    assert (staff["minutes"] is not None) == told
    assert staff["acted_on_in_the_first_half"] == round(10 / 12, 1)
    assert found.to_dict(exact=True)["staff"]["acted_on_in_the_first_half"] == 10 / 12


def test_small_numbers_of_children_are_hidden_and_others_rounded():
    groups = {f"w{n}": ("801", "", "worker") for n in range(5)}
    steps = [step(f"w{n % 5}", "acted", n) for n in range(12)] + [step("w0", "seen", n) for n in range(7)]
    data = involvement(made(steps, groups)).to_dict()
    assert (data["shown"], data["staff"]["acted"], data["staff"]["seen"]) == (20, 10, None)
    assert involvement(made(steps, groups)).to_dict(exact=True)["staff"]["seen"] == 7


@pytest.mark.parametrize("viewed", [True, False])
def test_the_page_says_of_no_time_that_it_is_not_known(viewed):
    """Nobody who acted had opened a page: there is no time, and no number of children stands in its place."""
    people = {f"person{n}": ("801", "north", "worker") for n in range(5)}
    of = [(person, n) for person in people for n in range(10)]
    steps = [step(person, "acted", n, minutes=30) for person, n in of]
    steps += [step(person, "seen", n) for person, n in of if viewed]
    found = involvement(made(steps, people)).to_dict()
    pages = Renderer(PageSettings.load(None), (), None)
    template = pages._templates.get_template("involvement.html")
    text = template.render(involvement=found, roles=("worker",), involvement_words={})
    time = text.split("</table>")[0].split("<td")[-1]
    assert ("30 min" if viewed else "not known") in time
