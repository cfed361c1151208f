"""What the page shows of monitoring: no small number, nothing that gives one away, and nothing of another authority."""

import json
from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest

from serving.monitoring import simple_way as beside
from serving.monitoring.judge import Terms, judge
from serving.monitoring.season import Season
from serving.monitoring.shareable import authorities, shareable
from serving.monitoring.simple_way import SimpleWays
from tests.support.monitored import DAY, histories, reader, stored_list
from tests.support.reported import ALARMS, OPEN, RISKS, SIMPLE, TRIAL, report


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
    assert spring["year_before"]["lists"] == 1
    assert terms["2023/24 autumn"]["year_before"] is None


def test_a_number_that_would_give_a_small_one_away_is_hidden_with_it(shown):
    """The school's number is the sum of the lists, one of which is hidden."""
    observed = [x["observed"] for x in shown["lists"]]
    assert observed.count(None) >= 2
    assert [row["observed"] for row in shown["versions"][0]["schools"]] == [50]
    assert "observed" not in shown["versions"][0]


def test_whether_a_promise_was_kept_follows_from_what_is_printed(shown):
    rows = [*shown["terms"], *shown["lists"], *shown["versions"][0]["schools"]]
    for row in rows:
        low, high = row["usual"]
        assert row["kept"] == (None if row["observed"] is None else low <= row["observed"] <= high)
    assert shown["versions"][0]["schools"][0]["kept"] is False
    edge = report(gone=range(21))
    assert edge.judgement.lists[2].figures.whole.kept is False, "21 are below 22"
    assert shareable(edge, "801")["terms"][2]["kept"] is True, "20 could be 22, and which it is must not show"


def test_a_few_children_on_many_lists_are_a_few_children():
    """Eleven weekly lists have 5 children who went missing 55 times."""
    days = [DAY - timedelta(weeks=n) for n in range(11)]
    risks = {stored_list(RISKS, day=day): RISKS for day in days}
    judgement = judge(histories(children=300, gone=range(5)), list(risks), reader(risks), Terms(capacity=60))
    few = shareable(report(judgement=judgement), "801")
    assert sum(r.figures.whole.observed for r in judgement.lists) == 55
    assert [x["observed"] for x in (*few["lists"], *few["terms"])] == [None] * 13
    assert (few["versions"][0]["schools"], few["versions"][0]["schools_left_out"]) == ([], 1)
    assert few["versions"][0]["first"]["precision"] is None


def test_a_few_children_of_a_reason_are_not_counted_either():
    gone = range(0, 100, 4)
    days = [DAY - timedelta(weeks=n) for n in range(11)]
    risks = {stored_list(RISKS * 2, day=day): [0.1] * 303 for day in days}
    judgement = judge(histories(children=300, gone=gone), list(risks), reader(risks), Terms(capacity=60))
    unknown = shareable(report(judgement=judgement), "801")["versions"][0]["unknown"]
    assert set(unknown) >= {"not_in_the_histories"}
    assert set(unknown.values()) == {None}, "two children on eleven lists"


def test_a_list_that_is_not_known_yet_is_counted_and_has_no_outcome(shown):
    assert (shown["stored"], len(shown["lists"]), shown["waiting"]) == (4, 3, ["2025-03-08"])


def test_a_list_that_cannot_be_judged_is_counted():
    lists = [stored_list(RISKS, definition="ours")]
    judgement = judge(histories(children=300), lists, reader(dict.fromkeys(lists, RISKS)), Terms(capacity=60))
    assert shareable(report(judgement=judgement), "801")["unjudged"] == 1


def test_no_figure_of_an_alarm_is_shown_and_nobodys_words(shown):
    text = json.dumps(shown)
    assert [(a["code"], a["where"]) for a in shown["alarms"]] == [
        ("A001", "version 1"),
        ("A010", "attendance, authority 801"),
    ]
    assert shown["alarms"][1]["acknowledged"] == {"by": "command:ann", "at": "2026-11-29T10:00:00+00:00"}
    assert not any(figure in text for figure in ("0.0926", "3 did", "came in place", "changed its system"))
    assert shown["not_judged"] == ["A011 a school's register is silent"]
    assert shown["quiet"] == ["A015 the model is older than its data"]


def test_an_authority_sees_nothing_of_another():
    both = report(authorities=("801", "802"))
    assert authorities(both) == ["801", "802", None]
    assert authorities(report()) == ["801"]
    one = shareable(both, "801", [TRIAL, {**TRIAL, "authority": "802"}])
    assert "802" not in json.dumps(one)
    assert len(one["trials"]) == 1
    assert (one["whole"], one["alarms"], one["quiet"], one["simple_ways"]) == (False, [], [], []), "of the whole store"
    every = shareable(both, None)
    assert len(every["alarms"]) == 3
    assert [row["name"] for row in every["versions"][0]["authorities"]] == ["801", "802"]
    assert one["versions"][0]["lists"] * 2 == every["versions"][0]["lists"]


@pytest.mark.parametrize(
    ("listed", "in_records"),
    [
        (("801",), {"801"}),
        (("801",), {"801", "802"}),
        (("801",), {"801", ""}),  # a child whose authority is not known
        (("801",), {"802"}),
        (("801", "802"), {"801", "802"}),
        (("801", "802"), set()),
    ],
)
def test_alarms_are_kept_for_somebody_and_the_page_says_for_whom(listed, in_records):
    """Where an authority is told that an administrator of all sees the alarms, a report for all is kept."""
    season = Season(day=OPEN, children=dict.fromkeys(in_records, (300, 300)))
    of = report(authorities=listed, season=season)
    kept = {authority: shareable(of, authority) for authority in authorities(of)}
    assert set(kept) >= set(listed)
    with_alarms = [authority for authority, shown in kept.items() if shown["whole"] and shown["alarms"]]
    assert with_alarms == ([None] if None in kept else list(listed))
    assert (None in kept) is (set(listed) | in_records != {"801"})


def test_alarms_of_records_of_a_neighbours_children_are_not_shown():
    season = Season(day=OPEN, children={"801": (300, 300), "802": (20, 20)})
    of_802 = replace(ALARMS[0], code="A009", where="authority 802")
    one = shareable(report(season=season, alarms=[of_802]), "801")
    assert (one["whole"], one["alarms"]) == (False, [])
    assert "802" not in json.dumps(one)


def test_numbers_that_are_hidden_change_nothing_that_is_shown():
    """None, one child on all lists, or seven children: what is printed must be the same."""
    lists = [stored_list(RISKS, day=DAY - timedelta(weeks=weeks)) for weeks in range(5)]

    def shown(gone):
        judgement = judge(
            histories(children=300, gone=gone), lists, reader(dict.fromkeys(lists, RISKS)), Terms(capacity=60)
        )
        return shareable(report(judgement=judgement), "801")

    none = shown(())
    assert none["terms"]
    assert all(term["observed"] is None and term["usual"][1] > term["expected"] for term in none["terms"])
    assert shown((0,)) == none == shown(range(7))


def test_a_version_without_a_list_of_the_authority_is_not_shown():
    lists = [stored_list(RISKS), stored_list(RISKS, version="2", authority="802")]
    judgement = judge(histories(children=300), lists, reader(dict.fromkeys(lists, RISKS)), Terms(capacity=60))
    shown = shareable(report(judgement=judgement), "801")
    assert [v["model_version"] for v in shown["versions"]] == ["1"]


def test_no_verdict_rests_on_a_few_children(shown):
    assert [(s["way"], s["verdict"], s["found"]) for s in shown["simple_ways"]] == [
        ("checklist", "better", 30),
        ("stopped", "as_good", 30),
    ]
    few = replace(SIMPLE, children=7)
    hidden = {"way": "checklist", "other": "", "verdict": None}
    assert shareable(report(simple=SimpleWays(compared=[few])), "801")["simple_ways"] == [hidden]


def test_terms_have_a_verdict_where_it_rests_on_more_than_a_few_and_the_lead_is_wide(shown):
    checklist = shown["simple_ways"][0]
    assert checklist["terms"] == [
        {"term": "2023/24 autumn", "verdict": None},
        {"term": "2023/24 spring", "verdict": "better"},
    ]
    exact = SIMPLE.lead
    assert (checklist["lead"], 0 < exact.low < 5, 20 < exact.high < 25) == ([0, 25], True, True)
    assert shown["simple_ways_left_out"] == {"logistic": "itself"}


def test_no_child_is_in_it(shown):
    assert "p0" not in json.dumps(shown)
    assert json.loads(json.dumps(shown)) == shown, "the audit keeps it as JSON"


ABSENT = {"p1": 0.6, "p2": 0.6, "p3": 0.0, "p4": 0.0}


@pytest.mark.parametrize(
    ("labels", "found", "only"),
    [
        ((0, 1, 1, 0), (1, 1), (1, 1)),
        ((1, 1, 0, 0), (1, 2), (0, 1)),
        ((1, 0, 1, None), (2, 1), (1, 0)),
        ((None, 1, 1, 1), (1, 1), (1, 1)),  # p1 has a place of both, though nobody will know what became of p1
    ],
)
def test_the_list_and_the_checklist_are_asked_the_same_question(monkeypatch, labels, found, only):
    asked = {name for name, _, _ in beside.CHECKLIST} | {beside.MISSED, *beside.AVERAGES}
    day = report().judgement.lists[0].of.as_of
    x = [{"pupil_id": p, "as_of": day, **dict.fromkeys(asked, None), beside.TIES: a} for p, a in ABSENT.items()]
    monkeypatch.setattr(beside, "find_homes", lambda *_: [])
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
            "list": ["act_today", "help_early", "help_early", "help_early"],
            "label": labels,
        }
    )
    simple = beside.simple_ways(None, "1", {"1": scored}).compared[0]
    assert (simple.found, simple.found_simply) == found
    assert (simple.only_list, simple.only_simple) == only
    assert simple.verdict == "as_good", "so few children say nothing"


def test_a_team_without_a_score_takes_those_first_who_have_stopped_coming(monkeypatch):
    day, pupils = report().judgement.lists[0].of.as_of, ["p1", "p2", "p3", "p4"]
    asked = {name for name, _, _ in beside.CHECKLIST} | {beside.TIES, beside.MISSED, *beside.AVERAGES}
    missed = {"p1": 0.9, "p2": 0.1, "p3": 0.6, "p4": None}
    x = [{"pupil_id": p, "as_of": day, **dict.fromkeys(asked, None), beside.MISSED: missed[p]} for p in pupils]
    monkeypatch.setattr(beside, "find_homes", lambda *_: [])
    monkeypatch.setattr(
        beside, "matrix", lambda *_, **__: pl.DataFrame(x).cast(dict.fromkeys(asked, pl.Float64)).to_arrow()
    )
    places = {"pupil_id": pupils, "as_of": [day] * 4, "authority": ["801"] * 4, "rank": [1, 2, 3, 4], "places": [2] * 4}
    lists = ["help_early", None, "act_today", "act_today"]
    scored = pl.DataFrame({**places, "list": lists, "label": [1, 1, 1, 1]})
    stopped = beside.simple_ways(None, "1", {"1": scored}).compared[1]
    assert (stopped.way, stopped.only_simple, stopped.only_list) == ("stopped", 2, 2), "p3 and p4, not p1 and p2"


def test_the_verdict_needs_more_than_chance():
    simple = report().simple.compared[0]
    assert simple.verdict == "better"
    assert beside.SimpleWay(**{**vars(simple), "only_list": 7, "only_simple": 20}).verdict == "worse"
    assert beside.SimpleWay(**{**vars(simple), "only_list": 15, "only_simple": 10}).verdict == "as_good"
