"""Every sentence about a made-up child is parsed back from its words and is true of the child's rows."""

import re
from datetime import date

import numpy as np
import pytest

from features.catalogue import SHIPPED
from features.matrix import tallied
from features.sentences import true_sentences
from serving.pages.score_change import changed
from serving.pages.wording import Wording
from tests.support.odd_children import DAY
from tests.support.odd_world import odd_world
from tests.support.sentences_read_back import untrue
from training.explanation.reasons import opening_sentence, reasons

LONG_AGO = re.compile(r"more than \d+ years ago")
SHOWN = [f for f in SHIPPED.features if f.role != "never_shown"]
WORDS = Wording.load("en")
STIFF = re.compile(
    r"\b1 (times|sessions|weeks|days)|\((s|ren)\)|(?<![\d.])(0|100)%|\b[12] times?\b|\b(365|730) days| -\d"
)


def children(n, seed):
    """Yield each child with the values of its features and tallies."""
    everyone, histories = odd_world(n, seed)
    for values in tallied(histories, [DAY]).iter_rows(named=True):
        numbers = {k: float(v) for k, v in values.items() if isinstance(v, int | float) and v == v}
        yield everyone[values["pupil_id"]], numbers


def check_all(n, seed):
    """Return how many sentences were said, and the templates that nobody said."""
    faults, many, unsaid = [], 0, {s.text for f in SHOWN for s in f.sentences}
    for child, values in children(n, seed):
        for feature in SHOWN:
            for sentence, text in true_sentences(feature.name, feature.sentences, values):
                many += 1
                unsaid.discard(sentence.text)
                why = "stiff" if STIFF.search(text) else untrue(text, child)
                if why:
                    faults.append(f"{text}: {why}: {feature.name} {values.get(feature.name)}")
    assert faults[:20] == []
    return many, unsaid


def test_every_sentence_is_true_of_the_rows_and_every_kind_is_met():
    many, unsaid = check_all(500, seed=1)
    assert many > 500 * 20
    assert unsaid == set()


def test_a_strain_never_lowers_and_a_strength_never_raises_a_score():
    declared = SHIPPED.declarations()
    wording = {f.name: f.sentences for f in SHIPPED.features}
    random = np.random.Generator(np.random.PCG64(5))
    many = 0
    for _, values in children(60, seed=2):
        parts = random.normal(size=len(declared))
        raising, protective, _ = reasons(values, parts, declared, SHIPPED.themes, wording)
        many += len(raising) + len(protective)
        for sides, tone in ((raising, "strength"), (protective, "strain")):
            wrong = {
                s
                for f in SHIPPED.features
                for one, s in true_sentences(f.name, f.sentences, values)
                if one.tone == tone
            }
            fitting = {
                s
                for f in SHIPPED.features
                for one, s in true_sentences(f.name, f.sentences, values)
                if one.tone != tone
            }
            assert [r.sentence for r in sides if r.sentence in wrong - fitting] == []
    assert many > 200


SEPTEMBER = {"days_at_school": 6.0, "newest_september_entry": 6.0, "term": 1.0}


def said_of(name, raises=None, **values):
    feature = SHIPPED.by_name[name]
    return [text for _, text in true_sentences(name, feature.sentences, values, raises)]


@pytest.mark.parametrize(
    ("name", "values", "raising", "lowering"),
    [
        ("days_at_home", {"days_at_home": 80.0, "homes_known": 1.0}, [], []),
        ("days_at_home", {"days_at_home": 80.0, "homes_known": 2.0}, ["Moved home 3 months ago"], []),
        (
            "days_at_home",
            {"days_at_home": 2781.0, "homes_known": 2.0},
            [],
            ["At the same address for more than two years"],
        ),
        ("home_moves_90d", {"home_moves_90d": 1.0, "homes_known": 1.0}, [], []),
        ("home_moves_90d", {"home_moves_90d": 1.0, "homes_known": 2.0}, ["Moved home once in the last 90 days"], []),
        ("cin_open", {"cin_open": 1.0}, ["Child in need support is under way"], []),
        ("cin_open", {"cin_open": 0.0}, [], []),
        ("days_at_school", SEPTEMBER | {"year_group": 7.0}, [], []),
        ("days_at_school", SEPTEMBER | {"year_group": 0.0}, [], []),
        (
            "days_at_school",
            SEPTEMBER | {"year_group": 4.0},
            ["Joined this school at the start of the school year, 6 days ago"],
            [],
        ),
        (
            "days_at_school",
            {"days_at_school": 21.0, "current_in_year_entry": 21.0, "year_group": 7.0, "term": 3.0},
            ["Joined this school mid-year, 3 weeks ago"],
            [],
        ),
        ("days_at_school", {"days_at_school": 250.0, "year_group": 4.0, "term": 3.0}, [], []),
        ("care_episodes_all", {"care_episodes_all": 2.0}, [], []),
        (
            "care_episodes_all",
            {"care_episodes_all": 2.0, "help_newest": 95.0},
            ["2 episodes of early help or social care are recorded; the last began 3 months ago"],
            [],
        ),
        (
            "suspensions_all",
            {"suspensions_all": 1.0, "newest_suspension": 1200.0},
            ["Suspended once, more than 3 years ago"],
            [],
        ),
        ("late_rate_90d", {"late_rate_90d": 0.0, "possible_90": 90.0, "absent_rate_90d": 0.9}, [], []),
        (
            "late_rate_90d",
            {"late_rate_90d": 0.0, "possible_90": 90.0, "absent_rate_90d": 0.01},
            [],
            ["Never late in the last 90 days"],
        ),
        ("part_time_rate_180d", {"part_time_rate_180d": 0.01, "part_time_180": 2.0, "possible_180": 200.0}, [], []),
        (
            "part_time_rate_180d",
            {"part_time_rate_180d": 0.75},
            ["On a part-time timetable for 75% of sessions in the last 180 days"],
            [],
        ),
        (
            "absent_rate_14d",
            {"absent_rate_14d": 1.0, "absent_14": 1.0, "possible_14": 1.0},
            ["Missed 1 of 1 session in the last two weeks (all)", "Missed all sessions in the last two weeks"],
            [],
        ),
        (
            "unauthorised_rate_14d",
            {"unauthorised_rate_14d": 1.0, "unauthorised_14": 1.0, "possible_14": 1.0},
            [
                "Absent without permission or with no reason yet for 1 of 1 session in the last two weeks (all)",
                "Absent without permission or with no reason yet for all sessions in the last two weeks",
            ],
            [],
        ),
        ("days_at_school", {"days_at_school": 2204.0}, [], ["At this school for more than 6 years"]),
        ("days_since_sen_change", {"days_since_sen_change": 2781.0}, [], []),
        ("place_accepted", {"place_accepted": 0.0, "in_year_6": 0.0}, [], []),
    ],
)
def test_wording_follows_the_value(name, values, raising, lowering):
    assert said_of(name, raises=True, **values) == raising
    assert said_of(name, raises=False, **values) == lowering


def test_lateness_does_not_open_a_reason_while_absence_can():
    values = {
        "late_rate_90d": 0.2,
        "late_90": 14.0,
        "possible_90": 68.0,
        "absent_rate_14d": 0.65,
        "absent_14": 13.0,
        "possible_14": 20.0,
    }
    wording = {n: SHIPPED.by_name[n].sentences for n in ("late_rate_90d", "absent_rate_14d")}
    assert opening_sentence(["late_rate_90d", "absent_rate_14d"], wording, values, True).startswith("Missed 13 of 20")
    assert opening_sentence(["late_rate_90d"], wording, values, True).startswith("Late for 14 of 68")


def test_a_strain_of_long_ago_opens_no_reason_while_another_sentence_can():
    old = [
        (sentence.leads, text)
        for _, values in children(150, seed=3)
        for feature in SHOWN
        for sentence, text in true_sentences(feature.name, feature.sentences, values, raises=True)
        if sentence.tone == "strain" and LONG_AGO.search(text)
    ]
    assert len(old) > 50
    assert [text for leads, text in old if leads] == []
    values = {
        "suspensions_all": 2.0,
        "newest_suspension": 1600.0,
        "permanent_exclusions": 1.0,
        "newest_exclusion": 90.0,
    }
    names = ["suspensions_all", "permanent_exclusions"]
    wording = {n: SHIPPED.by_name[n].sentences for n in names}
    assert opening_sentence(names, wording, values, True) == "Permanently excluded once, 3 months ago"
    assert opening_sentence(names[:1], wording, values, True) == "Suspended twice, the last time more than 4 years ago"


def stored(day, **features):
    parts = [{"name": n, "value": v, "contribution": c} for n, (v, c) in features.items()]
    total = sum(p["contribution"] for p in parts)
    reason = {"theme": "Attendance", "sentence": "x", "direction": "raises", "contribution": total, "features": parts}
    score = {"one_in": 3, "risk": 0.3, "reasons": [reason], "protective": [], "context": []}
    return {"as_of": day, "model_version": "1", "score": score}


@pytest.mark.parametrize(
    ("before", "now", "lines"),
    [
        # The share fell from 75% to 67% while the score rose: something else raised it, which is not put into these words.
        ((0.75, 1.0), (0.67, 1.4), (None, None)),
        (
            (0.20, 0.2),
            (0.67, 1.4),
            ("Missed 20% of sessions in the last four weeks", "Missed 67% of sessions in the last four weeks"),
        ),
        ((0.67, 1.0), (0.67, 1.4), (None, None)),
    ],
)
def test_what_changed_names_the_record_that_moved_the_score_or_none(before, now, lines):
    scores = [stored(date(2025, 1, 6), absent_rate_28d=before), stored(DAY, absent_rate_28d=now)]
    assert changed(scores).grown == [("Attendance", *lines)]


@pytest.mark.parametrize(
    ("before", "line"),
    [
        # Not among the strongest of the earlier score: it counted at most 0.01 then.
        ({"late_rate_90d": (0.0, 0.01), "others": (None, 0.03)}, (None, "Child in need support is under way")),
        # It may have counted 0.3 then, so that the rest moved the theme.
        ({"late_rate_90d": (0.0, 0.3), "others": (None, -0.4)}, (None, None)),
        ({}, (None, "Child in need support is under way")),
    ],
)
def test_what_changed_names_a_record_that_was_not_among_the_reasons_before(before, line):
    scores = [stored(date(2025, 1, 6), **before), stored(DAY, cin_open=(1.0, 0.27), early_help_open=(0.0, 0.1))]
    assert changed(scores).grown == [("Attendance", *line)]


@pytest.mark.parametrize(
    ("before", "now"),
    [
        # It made a tenth of the change; what made the rest is shown as no reason.
        ({"absent_rate_28d": (0.2, 0.2)}, {"absent_rate_28d": (0.67, 0.3), "others": (None, 0.9)}),
        # No other suspension, only another week since: the sentence is new, and the record is not.
        (
            {"suspensions_all": (1.0, 0.1), "newest_suspension": (30.0, 0.1)},
            {"suspensions_all": (1.0, 0.5), "newest_suspension": (37.0, 0.1)},
        ),
    ],
    ids=["little of it", "the same record"],
)
def test_what_changed_names_no_record_that_made_little_of_the_change_or_is_the_same(before, now):
    scores = [stored(date(2025, 1, 6), **before), stored(DAY, **now)]
    assert changed(scores).grown == [("Attendance", None, None)]


def theme(name, contribution, feature="others", value=None):
    parts = [{"name": feature, "value": value, "contribution": contribution}]
    return {"theme": name, "sentence": "x", "direction": "raises", "contribution": contribution, "features": parts}


CONTEXT = {"context": [theme("About the pupil", 0.3, "year_group", 7.0)]}
SMALL = {
    "reasons": [theme("Attendance", 0.06, "late_rate_90d", 0.2), theme("Home and area", 0.06, "temporary_home", 1.0)]
}
NAMED = {"reasons": [theme("Attendance", 0.4, "late_rate_90d", 0.2)]}


@pytest.mark.parametrize(
    ("more", "rest"),
    [
        (CONTEXT, "unsaid_up"),
        (SMALL, "unsaid_up"),
        (NAMED, ""),
        (NAMED | CONTEXT, "beside_up"),
        ({"protective": [theme("Attendance", -0.06)]}, "nothing_changed"),
        ({"context": [theme("What is recorded", -0.2)]}, "unsaid_down"),
        (NAMED | {"margin": -3.0}, "beside_down"),  # never-shown figures moved it: they are in the margin only
    ],
)
def test_what_changed_says_so_when_no_single_record_moved_a_score_that_moved(more, rest):
    sides = {"one_in": 3, "risk": 0.3, "reasons": [], "protective": [], "context": []}
    sides |= {"margin": -2.0} if "margin" in more else {}
    days = zip((date(2025, 1, 6), DAY), (sides, sides | more), strict=True)
    said = changed([{"as_of": day, "model_version": "1", "score": score} for day, score in days])
    assert said.rest == rest
    assert not rest or f"pupil.{rest}" in WORDS.messages


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(10))
def test_every_sentence_is_true_of_5000_children(seed):
    many, _ = check_all(500, seed=100 + seed)
    assert many > 500 * 20
