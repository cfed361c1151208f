"""What an outcome is judged by is registered with its plan, and nobody can choose it once outcomes are known; small numbers are not shown."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from features.outcome.definition import FOLDER
from serving.store.cases import casework
from tests.support import check_runs
from tests.support.monitored import DAY, DEFINITION, scores
from tests.support.stores import do, gathered
from tests.support.trial_runs import RISKS, START, begun, filled_store, in_arm, number, plan, run, write

WEEKS = timedelta(weeks=6)


def own_definition(store):
    """Let the list be by a definition of the authority's own, whose name alone it keeps, and name its file."""
    store.save([s | {"definition": "our_own"} for s in scores(RISKS)])
    Path("our_own.toml").write_text((FOLDER / f"{DEFINITION}.toml").read_text("utf-8"))
    return ["--definition", "our_own.toml"]


def other_definition():
    """Let the file count less."""
    text = Path("our_own.toml").read_text("utf-8")
    assert "min_age = " not in text
    Path("our_own.toml").write_text(f"{text}\nmin_age = 10\n")
    return ["--definition", "our_own.toml"]


def other_words():
    """Let the file have other words and the same rules."""
    text = Path("our_own.toml").read_text("utf-8")
    Path("our_own.toml").write_text(text.replace('title = "', 'title = "Really: '))
    return ["--definition", "our_own.toml"]


def other_cohort():
    Path("cohort.toml").write_text("max_age = 9\n")
    return ["--definition", "our_own.toml", "--cohort", "cohort.toml"]


def other_codes(monkeypatch):
    """Let the pages name another contact in which nobody was spoken to."""
    Path("pages.toml").write_text('no_conversation = ["spoke_well"]\n')
    monkeypatch.setenv("ONROLL_PAGES", "pages.toml")


@pytest.fixture
def store(monkeypatch):
    opened = filled_store(monkeypatch)
    check_runs.drawing_on(monkeypatch, START)
    return opened


@pytest.fixture
def own_trial(store):
    """A trial of going missing that has started, by a definition of the authority's own."""
    named = own_definition(store)
    plan()
    run("plan", "plan.toml", *named)
    run("start", "plan.toml", "--out", "help_now.csv")
    write(gone=[number(p) for p in in_arm(store, "usual")[::2]])


@pytest.mark.parametrize(
    ("named", "what"), [(other_definition, "the definition of missing"), (other_cohort, "the cohort's rule")]
)
def test_a_trial_of_going_missing_is_analysed_by_the_rules_of_its_registration(own_trial, named, what):
    answer = run("analyse", "plan.toml", "h", *named(), code=1)
    assert f"{what}: another than the plan was registered with" in answer


def test_other_words_of_the_same_definition_change_nothing(own_trial):
    run("analyse", "plan.toml", "h", *other_words())


def test_contacts_are_counted_by_the_codes_of_the_registration(store, monkeypatch):
    begun("contact")
    write()
    other_codes(monkeypatch)
    answer = run("analyse", "plan.toml", "h", code=1)
    assert "the codes of contacts in which nobody was spoken to: another than" in answer


@pytest.mark.parametrize("named", [other_definition, other_cohort, other_codes])
def test_checks_are_estimated_by_the_rules_of_their_registration(store, monkeypatch, named):
    own = own_definition(store)
    check_runs.plan()
    check_runs.run("draw", "checks.toml", "--out", "checks.csv", *own)
    write()
    check_runs.run("estimate", "checks.toml", "h", *own)
    words = own if named is other_codes else named()
    if named is other_codes:
        other_codes(monkeypatch)
    answer = check_runs.run("estimate", "checks.toml", "h", *words, code=1)
    assert "another than the plan was registered with" in answer


def test_a_definition_that_is_not_at_hand_is_asked_for_at_the_registration(store):
    own_definition(store)
    plan()
    assert "definition of missing is not at hand" in run("plan", "plan.toml", code=1)


def test_a_plan_waits_until_outcomes_of_an_own_definition_are_known(store):
    named = own_definition(store)
    text = Path("our_own.toml").read_text("utf-8")
    Path("our_own.toml").write_text(re.sub(r"known_after_days = \d+", "", text) + "\nknown_after_days = 3000\n")
    plan()
    assert "and 3000 until they are known" in run("plan", "plan.toml", *named, code=1)


def duty(pupil, start, end):
    """Return case material of a child with a duty that begins on a day, and of a later day on which it is over."""
    kept = gathered(pupil, as_of=start)
    began = replace(kept, deadlines=[replace(d, started_on=start) for d in kept.deadlines], at_home=[])
    return began, replace(began, as_of=end, deadlines=[], over=began.deadlines)


def test_a_duty_between_two_looks_is_an_exception_of_the_analysis(store):
    """Nobody runs ``status``: the counts must not depend on how often somebody looks."""
    begun("contact")
    write()
    one, other = in_arm(store, "usual")[:2]
    for pupil, start in ((one, START + timedelta(days=7)), (other, START + WEEKS)):
        for kept in duty(pupil, start, start + timedelta(days=14)):
            do(store, casework.keep, kept, "1")
    exceptions = run("analyse", "plan.toml", "h", "--exact", "--json")["flow"]["exceptions"]
    assert exceptions == {"deadline": 1, "social_worker": 0}


def counts_of(data):
    """Return every number under the CONSORT counts of arms, but for those of the lot."""
    return [
        n
        for arm in data["flow"]["arms"].values()
        for key in ("exceptions", "erased", "analysed", "lost")
        for n in (arm[key].values() if key == "lost" else [arm[key]])
    ]


@pytest.mark.parametrize(("each", "few"), [(10, True), (2, False)])
def test_small_numbers_of_an_analysis_are_hidden(store, each, few):
    """Of some 40 children of the usual arm about 4 or 20 go missing, and one of the others; one child was lost."""
    begun()
    usual, helped = in_arm(store, "usual"), in_arm(store, "help_now")
    gone = [*usual[::each], *helped[1 : 2 if few else 22 : 1 if few else 2]]
    write(gone=[number(p) for p in gone], left_before=[number(p) for p in usual[1:2]])
    data = run("analyse", "plan.toml", "h", "--json")
    exact = run("analyse", "plan.toml", "h", "--json", "--exact")
    hidden = [data[key] is None for key in ("help_now", "usual", "difference", "interval", "p")]
    assert set(hidden) == {few}
    assert exact["difference"] is not None
    assert all(n is None or n % 5 == 0 for n in counts_of(data))
    assert None in counts_of(data)
    text = run("analyse", "plan.toml", "h")
    assert "[c]" in text
    assert ("too small to show" in text) == few
    assert f"{exact['difference']:+.3f}" not in text
    assert json.dumps(exact["flow"]) != json.dumps(data["flow"])


def test_no_look_at_a_trial_shows_the_small_numbers_that_its_analysis_hides(store):
    begun("contact")
    do(store, casework.keep, duty(in_arm(store, "usual")[0], START, START)[0], "1")
    hidden = run("status", "plan.toml", "--json")
    assert hidden["exceptions"] == {"deadline": None, "social_worker": None}, "none is as small as one"
    assert {arm["exceptions"] for arm in hidden["arms"].values()} == {None}
    assert "exceptions [c]" in run("status", "plan.toml")
    assert run("status", "plan.toml", "--json", "--exact")["exceptions"] == {"deadline": 1, "social_worker": 0}


def test_no_plan_shows_how_few_have_a_deadline_or_are_looked_at_anyway(store):
    do(store, casework.keep, duty("p0000", DAY, DAY)[0], "1")
    plan()
    check_runs.plan()
    for verb, words, where in (
        (run, ("plan", "plan.toml", "--dry-run", "--json"), "with_deadline"),
        (check_runs.run, ("draw", "checks.toml", "--dry-run", "--json"), "excluded"),
    ):
        shown, exact = verb(*words)[where], verb(*words, "--exact")[where]
        numbers = shown.values() if isinstance(shown, dict) else [shown]
        assert all(n is None or n > 7 for n in numbers)
        assert exact != shown


def test_a_plan_says_how_many_are_known_to_share_an_address(store):
    plan(unit="family")
    assert "known to share an address" in run("plan", "plan.toml", "--dry-run")
    assert run("plan", "plan.toml", "--dry-run", "--json")["share_a_home"] == 0
