"""Gates: each fails when it should, and none can be passed by taking away what it reads."""

import copy
import re

import pytest

from histories.errors import Faults
from tests.support.laid_before import dossier, groups
from tests.support.nested import paths, without
from training.gates import GATES
from training.gates.gate import Dossier, check_all
from training.gates.limits import load_limits

LIMITS = load_limits()
GATE = {gate.code: gate for gate in GATES}


@pytest.fixture(scope="module")
def whole(bundle):
    return dossier(bundle)


def put(parts, value, *path):
    at = parts
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value


def upside_down(booster):
    """Turn every tree around: what raised the risk lowers it."""
    turned = lambda found: "leaf_value=" + " ".join(str(-float(v)) for v in found[1].split())  # noqa: E731
    return re.sub(r"leaf_value=(.*)", turned, booster)


LEADS, FIGURES = ("manifest", "leads"), ("manifest", "metrics", "lightgbm")
WORSE = {
    "G001": [
        lambda p: put(p, -0.001, "evidence", "champion", "average_precision", "lead"),
        lambda p: put(p, 3, "evidence", "champion", "version"),
        lambda p: put(p, "other", "evidence", "champion", "bundle"),
    ],
    "G002": [
        lambda p: put(p, 0.4, *FIGURES, "calibration_slope"),
        lambda p: put(p, [0.5, 0.7], *FIGURES, "calibration_slope_interval"),
        lambda p: put(p, [1.3, 1.9], *FIGURES, "calibration_slope_interval"),
    ],
    "G003": [
        lambda p: put(p, {**groups((300, 100)), "left_out": p["evidence"]["groups"]["left_out"]}, "evidence", "groups"),
        lambda p: put(p, {**groups((30, 100)), "left_out": p["evidence"]["groups"]["left_out"]}, "evidence", "groups"),
    ],
    "G004": [
        lambda p: p["evidence"]["leaks"].update(leaks=[{"feature": "past_cases"}], holds=False),
        lambda p: put(p, "other", "evidence", "leaks", "data_digest"),
        lambda p: put(p, "other", "evidence", "leaks", "catalogue_digest"),
        lambda p: put(p, 3, "evidence", "leaks", "snapshots"),
        lambda p: put(p, {"attendance": {"changed": 0}}, "evidence", "leaks", "rows"),
    ],
    "G005": [
        lambda p: put(p, upside_down(p["booster"]), "booster"),
        lambda p: put(p, p["booster"][:5000], "booster"),
    ],
    "G006": [
        lambda p: put(p["papers"]["model_card"]["sections"][0]["fields"][1], " ", "value"),
        lambda p: p["papers"]["dpia"]["sections"].pop(4),
        lambda p: p["papers"].pop("atrs"),
    ],
    "G007": [lambda p: put(p, 19, *FIGURES, "positives"), lambda p: put(p, 999, *FIGURES, "snapshots")],
    "G008": [
        lambda p: put(p, [-0.01, 0.3], *LEADS, "base_rate", "average_precision", "interval"),
        lambda p: put(p, -0.01, *LEADS, "checklist", "average_precision", "lead"),
    ],
    "G009": [lambda p: put(p, "other", "bundle", "digest"), lambda p: put(p, False, "bundle", "whole")],
    "G010": [lambda p: put(p, " Tess", "approver"), lambda p: put(p, "  ", "reason")],
    "G011": [
        lambda p: put(p, "other", "recipe", "histories"),
        lambda p: put(p, "other", "recipe", "catalogue"),
        lambda p: put(p, 2, "recipe", "seed"),
        lambda p: put(p, "", "recipe", "question", "definition", "source"),
    ],
    "G012": [
        lambda p: p["log"].update(whole=False, why="line 1: it was changed"),
        lambda p: put(p, 2, "log", "alias"),
        lambda p: put(p, 1, "log", "version"),
    ],
}


def verdict(code, parts, limits=LIMITS):
    return GATE[code].ask(Dossier(parts), limits.get(code, {}))


def test_a_good_version_passes_every_gate(whole):
    found = check_all(GATES, whole, LIMITS)
    assert [v for v in found if not v.passed] == []
    assert [v.code for v in found] == sorted(GATE)
    assert all(v.measured and v.limit and v.do for v in found)


def test_every_gate_has_a_case_in_which_it_fails():
    assert sorted(WORSE) == sorted(GATE)


@pytest.mark.parametrize(("code", "worse"), [(code, worse) for code, cases in WORSE.items() for worse in cases])
def test_a_gate_fails_when_it_should_and_says_why(whole, code, worse):
    parts = copy.deepcopy(whole)
    worse(parts)
    failed = [v for v in check_all(GATES, parts, LIMITS) if not v.passed]
    assert code in [v.code for v in failed]
    own = next(v for v in failed if v.code == code)
    assert str(own.fault("onroll 2")).startswith(f"{code} onroll 2: {GATE[code].title}: {own.measured}; asked: ")


class Recording(Dossier):
    """Remembers what was taken: there is no other way to read a dossier."""

    def __init__(self, parts):
        super().__init__(parts)
        self.taken = set()

    def take(self, *path):
        self.taken.add(path)
        return super().take(*path)


def read_by(code, parts):
    dossier = Recording(parts)
    GATE[code].ask(dossier, LIMITS.get(code, {}))
    return dossier.taken


@pytest.mark.parametrize("code", sorted(GATE))
def test_a_gate_fails_without_any_one_of_its_inputs(whole, code):
    assert not verdict(code, {}).passed
    for path in read_by(code, whole):
        for other in without(whole, path):
            assert not verdict(code, other).passed, path


@pytest.mark.parametrize(("code", "worse"), [(code, worse) for code, cases in WORSE.items() for worse in cases])
def test_no_gate_that_failed_is_passed_by_deleting_anything(whole, code, worse):
    parts = copy.deepcopy(whole)
    worse(parts)
    read = read_by(code, parts) | read_by(code, whole)
    at_hand = [p for p in paths(parts) if any(p == r[: len(p)] or r == p[: len(r)] for r in read)]
    assert at_hand
    for path in at_hand:
        for other in without(parts, path):
            assert not verdict(code, other).passed, path
    for name in LIMITS.get(code, {}):
        for limits in without(LIMITS, (code, name)):
            assert not verdict(code, parts, limits).passed, name


def test_what_only_the_authority_can_say_is_asked_for_where_the_limits_ask_for_it(whole):
    parts = copy.deepcopy(whole)
    (field,) = (f for f in parts["papers"]["model_card"]["sections"][0]["fields"] if f["key"] == "contact")
    field["value"] = None
    assert "1 fields that were not asked for" in verdict("G006", parts).measured
    assert not verdict("G006", parts, {**LIMITS, "G006": {"facts": True, "report": False}}).passed


def test_the_first_champion_has_nobody_to_beat(whole):
    parts = copy.deepcopy(whole)
    parts["log"]["champion"], parts["evidence"]["champion"] = 0, None
    assert verdict("G001", parts).passed
    parts["log"]["champion"] = 2
    assert verdict("G001", parts).passed


def test_a_lead_has_to_be_sure_where_the_limits_ask_for_it(whole):
    sure = {**LIMITS, "G001": {"least_lead": 0.0, "surely": True}}
    assert not verdict("G001", whole, sure).passed
    parts = copy.deepcopy(whole)
    put(parts, [0.001, 0.02], "evidence", "champion", "average_precision", "interval")
    assert verdict("G001", parts, sure).passed


def test_limits_of_ones_own_are_laid_over_those_that_are_shipped(tmp_path):
    own = tmp_path / "gates.toml"
    own.write_text("[G007]\npositives = 5\n")
    assert load_limits(own) == {**LIMITS, "G007": {**LIMITS["G007"], "positives": 5}}


@pytest.mark.parametrize(
    "text",
    [
        "[G999]\nx = 1",
        "[G007]\nnegatives = 5",
        "[G007]\npositives = 'few'",
        "[G007]\npositives = true",
        "[G001]\nsurely = 1",
        "G001 = 1",
        "[G008]\nover = []",
        "[G002]\nslope = [2.0, 0.5]",
        "[G002]\nslope = [0.5]",
        "[G003]\ngroups = [1]",
        "[G007",
    ],
)
def test_limits_that_are_none_are_refused(tmp_path, text):
    own = tmp_path / "gates.toml"
    own.write_text(text)
    with pytest.raises(Faults):
        load_limits(own)
