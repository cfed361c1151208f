"""What the page shows of monitoring: no small number, nothing that gives one away, and nothing of another authority."""

import json

import polars as pl
import pytest

from serving.monitoring import simple_way as beside
from serving.monitoring.shareable import authorities, shareable
from tests.support.reported import TRIAL, report


@pytest.fixture(scope="module")
def shown():
    return shareable(report(), "801", [TRIAL, {**TRIAL, "authority": "802"}])


def test_terms_stand_beside_the_year_before_and_small_numbers_are_hidden(shown):
    terms = {t["term"]: t for t in shown["terms"]}
    assert list(terms) == ["2022/23 spring", "2023/24 autumn", "2023/24 spring"]
    spring, before = terms["2023/24 spring"], terms["2022/23 spring"]
    assert (spring["observed"], spring["expected"], spring["kept"]) == (25, 32.4, True)
    assert (before["observed"], before["kept"]) == (None, None), "nobody went missing, and that is not shown"
    assert spring["year_before"] == {k: before[k] for k in spring["year_before"]}
    assert terms["2023/24 autumn"]["year_before"] is None


def test_a_number_that_would_give_a_small_one_away_is_hidden_with_it(shown):
    """The version's number is the sum of its lists, one of which is hidden."""
    observed = [x["observed"] for x in shown["lists"]]
    assert observed.count(None) >= 2
    assert shown["versions"][0]["observed"] == 50


def test_a_list_that_is_not_known_yet_is_counted_and_has_no_outcome(shown):
    assert (shown["stored"], len(shown["lists"]), shown["waiting"]) == (4, 3, ["2025-03-08"])


def test_alarms_say_no_small_number_and_who_has_seen_them(shown):
    whats = [a["what"] for a in shown["alarms"]]
    assert whats[0] == "the risks said that 32.4 children would go missing, and [c] did; within 2.1% on 2024-09-03"
    assert shown["alarms"][1]["acknowledged"]["reason"] == "The school changed its system."
    assert shown["not_judged"] == [{"alarm": "A011 a school's register is silent", "why": "no marks in [c] weeks"}]
    assert shown["quiet"] == ["A015 the model is older than its data"]


def test_an_authority_sees_nothing_of_another():
    both = report(authorities=("801", "802"))
    assert authorities(both) == ["801", "802", None]
    assert authorities(report()) == ["801"]
    one = shareable(both, "801", [TRIAL, {**TRIAL, "authority": "802"}])
    assert "802" not in json.dumps(one)
    assert len(one["trials"]) == 1
    every = shareable(both, None)
    assert [a["where"] for a in every["alarms"]] == [
        "version 1",
        "attendance, authority 801",
        "attendance, authority 802",
    ]
    assert [row["name"] for row in every["versions"][0]["authorities"]] == ["801", "802"]
    assert one["versions"][0]["children"] * 2 == every["versions"][0]["children"]
    assert (one["versions"][0]["first"], one["simple_way"]) == (None, None), "figures of all authorities together"


def test_no_child_is_in_it(shown):
    assert "p0" not in json.dumps(shown)
    assert json.loads(json.dumps(shown)) == shown, "the audit keeps it as JSON"


ABSENT = {"p1": 0.6, "p2": 0.6, "p3": 0.0, "p4": 0.0}


@pytest.mark.parametrize(
    ("labels", "found", "only"),
    [((0, 1, 1, 0), (1, 1), (1, 1)), ((1, 1, 0, 0), (1, 2), (0, 1)), ((1, 0, 1, None), (2, 1), (1, 0))],
)
def test_the_list_and_the_checklist_are_asked_the_same_question(monkeypatch, labels, found, only):
    asked = {name for name, _, _ in beside.CHECKLIST}
    day = report().judgement.lists[0].of.as_of
    x = [{"pupil_id": p, "as_of": day, **dict.fromkeys(asked, None), beside.TIES: a} for p, a in ABSENT.items()]
    monkeypatch.setattr(
        beside, "matrix", lambda *_, **__: pl.DataFrame(x).cast(dict.fromkeys(asked, pl.Float64)).to_arrow()
    )
    scored = pl.DataFrame(
        {
            "pupil_id": list(ABSENT),
            "as_of": [day] * 4,
            "authority": ["801"] * 4,
            "rank": [1, 3, 2, 4],
            "places": [2] * 4,
            "label": labels,
        }
    )
    simple = beside.simple_way(None, "1", scored)
    assert (simple.found, simple.found_simply) == found
    assert (simple.only_list, simple.only_simple) == only
    assert simple.verdict == "as_good", "so few children say nothing"


def test_the_verdict_needs_more_than_chance():
    simple = report().simple
    assert simple.verdict == "better"
    assert beside.SimpleWay(**{**vars(simple), "only_list": 7, "only_simple": 20}).verdict == "worse"
    assert beside.SimpleWay(**{**vars(simple), "only_list": 15, "only_simple": 10}).verdict == "as_good"
