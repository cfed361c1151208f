"""Which lists teams are shown: those of the version that serves or served, no challenger's, and none of a version that was taken back."""

import re
import shutil
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from features.outcome.cohort import cohort
from histories.errors import Faults
from histories.reading.histories import Histories
from histories.settings import settings
from serving.cli.score import gathers_casework, purpose_of
from serving.cli.score import score as verb
from serving.store import Caller, Store, database
from serving.store.cases import team_work
from serving.store.scores import boards, stored_scores, tops, week_list
from serving.store.scores.chosen import Chosen
from serving.store.scores.complete_lists import complete_lists, shown_lists
from serving.store.scores.standing import CORRECTABLE
from serving.store.tables import Pupil, ScoreList
from serving.trials.stored_list import stored_list
from tests.support.databases import KEY
from tests.support.released import alias, recorded, release, withdraw
from tests.support.scores import parsed, score
from training.release.resolve import Withdrawn, find_release
from training.risk_model import RiskModel

LEAD = Caller("lead", "lead", "801")
DAY = date(2025, 1, 13)
PLAN = SimpleNamespace(authority="801", as_of=DAY, list="both")


@pytest.fixture
def store(tmp_path):
    opened = Store(f"sqlite:///{tmp_path / 'onroll.db'}", KEY, tmp_path / "anchors")
    yield opened
    opened.engine.dispose()


def scored(version, pupil="p1", day=DAY):
    return [score(pupil, 1, version=version, day=day.isoformat())]


def looked(store, look):
    with store.view(LEAD) as view:
        view.record("test")
        return look(view)


def of_history(view):
    ref = view.connection.scalar(sa.select(Pupil.pupil_ref).where(Pupil.pupil_id == "p1"))
    return [s["model_version"] for s in stored_scores.history(view, ref)]


def of_trial(view):
    try:
        return [stored_list(view, PLAN, "plan.toml").model_version]
    except Faults:
        return []


def of_newest(view):
    newest = stored_scores.newest_list(view)
    return [newest[1]] if newest else []


def of_the_day(view):
    newest = stored_scores.newest_list(view, DAY)
    return [newest[1]] if newest else []


def of_risks(view):
    # The two versions' risks are told apart by the list's day and version, which newest_list names.
    return of_newest(view) if stored_scores.newest_risks(view, ["p1"]) else []


# Every way by which a team reads a stored list: the versions that it sees of.
READERS = {
    "newest": of_newest,
    "of a day": of_the_day,
    "risks": of_risks,
    "history": of_history,
    "trial": of_trial,
    "lists since": lambda view: list(tops.lists_since(view, DAY).values()),
    "week": lambda view: [v for v in [week_list.week(view, Chosen(), 9, DAY).model_version] if v],
    "scores": lambda view: [s["model_version"] for s in parsed(stored_scores.find(view, ["p1"], None))],
    "scores of the day": lambda view: [s["model_version"] for s in parsed(stored_scores.find(view, ["p1"], DAY))],
    "work-list": lambda view: [
        s["model_version"] for s in parsed(stored_scores.worklist(view, None, 9, None, None, band=None))
    ],
    "counts": lambda view: of_newest(view) if stored_scores.counts(view, None, "urn") else [],
    "monitored": lambda view: [
        x.model_version for x in shown_lists(complete_lists(view)) if x.model_version not in view.taken_back
    ],
}
reading = pytest.mark.parametrize("reader", READERS.values(), ids=READERS)


@reading
def test_a_challengers_list_is_shown_to_nobody_though_it_was_stored_last(store, reader):
    store.save(scored("1"))
    store.save(scored("2"), purpose="shadow")
    store.save(scored("3", day=date(2025, 1, 20)), purpose="shadow")
    assert looked(store, reader) == ["1"]


@reading
def test_no_list_of_a_version_that_was_taken_back_is_shown(store, reader):
    store.save(scored("1"))
    store.taken_back = partial(frozenset, "1")
    assert looked(store, reader) == []
    store.save(scored("2"))
    assert looked(store, reader) == ["2"]


def test_what_was_done_for_a_list_that_was_taken_back_still_counts_and_a_challengers_does_not(store):
    store.save(scored("1"))
    store.save(scored("2", "p2"), purpose="shadow")
    store.taken_back = partial(frozenset, "1")
    outcome = looked(store, lambda view: boards.list_outcome(view, 9, [], DAY))
    assert (outcome.lists, outcome.listed) == (1, 1)
    assert [w["listed"] for w in looked(store, lambda view: team_work.weeks(view, 9))] == [1]


def test_a_newer_list_that_is_hidden_is_told_by_its_day(store):
    later = date(2025, 1, 20)
    store.save(scored("1"))
    store.save(scored("2", day=later))
    assert looked(store, stored_scores.taken_back_since) is None
    store.taken_back = partial(frozenset, "2")
    assert looked(store, stored_scores.taken_back_since) == later
    store.taken_back = partial(frozenset, "1")
    assert looked(store, stored_scores.taken_back_since) is None


def test_what_was_shown_is_not_replaced_by_what_is_not_and_a_shadow_can_be_shown_later(store):
    store.save(scored("1"))
    with pytest.raises(Faults, match="was shown to teams"):
        store.save(scored("1"), purpose="shadow")
    store.save(scored("2"), purpose="shadow")
    store.save(scored("2"), purpose="shadow")
    store.save(scored("2"))
    assert looked(store, of_newest) == ["2"]


@pytest.mark.parametrize(
    ("champion", "said"), [(None, "was shown to teams"), (1, "the list of another version of this day")]
)
def test_a_list_that_could_not_be_stored_is_refused_before_it_is_scored(
    bundle, small_histories, tmp_path, monkeypatch, champion, said
):
    monkeypatch.setenv("ONROLL_AUDIT_KEY", KEY.decode())
    monkeypatch.setattr(RiskModel, "score", None)  # nothing is scored
    release(settings().releases, bundle, 1)
    (authority, *_) = cohort(Histories.open(small_histories), [DAY])["authority"].unique().to_pylist()
    Store.of(settings()).save([score("p1", 1, authority, version="2" if champion else "1")])
    if champion:
        alias(settings().releases, champion=champion)
        recorded(settings().releases)
        with database.writing(Store.of(settings()).engine) as connection:
            long_ago = datetime.now(UTC) - CORRECTABLE - timedelta(days=1)
            connection.execute(sa.update(ScoreList).values(shown_at=long_ago))
    model = str(settings().releases / "onroll" / "v1")
    words = ["--as-of", str(DAY), "--out", str(tmp_path / "s.parquet"), "--store", "--model", model]
    answer = CliRunner().invoke(verb, [str(small_histories), *words])
    assert said in str(answer.exception)


def test_a_list_is_stored_for_teams_only_if_its_version_serves(bundle, tmp_path):
    current = settings()
    for version in (1, 2):
        release(current.releases, bundle, version)
    alias(current.releases, champion=1, challenger=2)

    def purpose(model):
        return purpose_of(current, find_release(model, current.releases))

    copy = shutil.copytree(current.releases / "onroll" / "v1", tmp_path / "copy")
    assert [purpose(m) for m in ("onroll@champion", str(copy))] == ["shown", "shown"]
    assert [purpose(m) for m in ("onroll@challenger", str(current.releases / "onroll" / "v2"))] == ["shadow"] * 2
    assert [gathers_casework(current, purpose) for purpose in ("shown", "shadow")] == [True, False]
    withdraw(current.releases)
    assert gathers_casework(current, "shadow"), "nothing serves, and deadlines go on"
    assert [purpose(m) for m in ("onroll@challenger", str(copy))] == ["shadow", "shadow"]
    served = current.model_copy(update={"model": str(copy)})
    with pytest.raises(Withdrawn):
        purpose_of(served, find_release(str(copy), current.releases))


def test_the_store_of_the_settings_follows_the_promotion_log(bundle, monkeypatch):
    monkeypatch.setenv("ONROLL_AUDIT_KEY", KEY.decode())
    current = settings()
    store = Store.of(current)
    for version in (1, 2):
        release(current.releases, bundle, version)
    alias(current.releases, champion=1)
    store.save(scored("1"))
    assert looked(store, of_newest) == ["1"]
    withdraw(current.releases)
    assert looked(store, of_newest) == []
    alias(current.releases, champion=2)
    assert looked(store, of_newest) == [], "a promotion of another version does not bring the list back"
    alias(current.releases, champion=1)
    assert looked(store, of_newest) == ["1"], "only its own does"


# Who reads lists otherwise: what may be stored, which shows nothing; an account for a complaint, which says what a list was for; retention, which shows nothing; and a trial, of the
# one list that the rule chose for it.
OTHERWISE = {
    "serving/store/records/timeline.py",
    "serving/store/records/retention.py",
    "serving/store/scores/standing.py",
    "serving/trials/stored_list.py",
}
RULES = ("own_lists(", "lists_shown_then(", "of_authority(", "of_shown_lists(")


def test_every_query_of_lists_says_by_one_rule_which_are_shown():
    root = Path(__file__).parents[4]
    readers = {
        str(file.relative_to(root)): text
        for file in (root / "serving").rglob("*.py")
        if re.search(r"(select|max|min|join)\(\s*ScoreList", text := file.read_text(encoding="utf-8"))
    }
    assert "serving/store/scores/stored_scores.py" in readers
    assert {file for file, text in readers.items() if not any(rule in text for rule in RULES)} <= OTHERWISE
