"""The account of what put a child on a list: every score, its model and list, who saw it, what was done, and which version served."""

import json
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from histories.errors import Usage
from histories.settings import settings
from serving.cli.account import AccountWords, account_of
from serving.cli.main import onroll
from serving.store import Caller, Store
from serving.store.cases import cases
from serving.store.cases.tables import Person
from serving.store.records.timeline import _about, serving_at, timeline
from serving.store.scores import stored_scores
from serving.store.tables import Pupil, ScoreList
from serving.store.trials.tables import TrialAllocation
from tests.support.databases import KEY
from tests.support.released import alias, release, withdraw
from tests.support.scores import full_score

BEN, FAR = Caller("token:ben", "lead", "801"), Caller("token:far", "lead", "802")
DAYS = ("2025-01-13", "2025-01-20")


def scored(pupil, day, version="1"):
    reason = {"theme": "Attendance", "sentence": "Missed <b>all</b> sessions"}
    return full_score(pupil, "801") | {"as_of": day, "model_version": version, "reasons": [reason]}


def fill(store):
    """Two lists, of two versions; the first was seen, and something was done."""
    store.save([scored("p1", DAYS[0]), scored("p2", DAYS[0]) | {"rank": 2}])
    with store.view(BEN) as view:
        stored_scores.worklist(view, None, 5, None, None, band=None)
    with store.change(BEN) as change:
        pupil_ref = change.connection.scalar(sa.select(Pupil.pupil_ref).where(Pupil.pupil_id == "p1"))
        case_id = cases.open_case(change, pupil_ref)
        cases.contact(change, case_id, 1, date(2025, 1, 14), "no_answer", text="rang the aunt")
    store.save([scored("p1", DAYS[1], "2")])


def add_what_else_an_account_names(store):
    """A worker's name, the day until which a table was known, an arm of a trial, and a list that nobody was shown."""
    with store.change(BEN) as change:
        now = {"changed_at": change.now, "changed_by": "test"}
        person = {"person_id": "token:ben", "name": "Ben Lead", "role": "lead", "authority": "801", "urns": "[]"}
        change.connection.execute(
            sa.insert(Person), {**person, **now, "localities": "[]", "active": True, "version": 1}
        )
        change.connection.execute(sa.update(ScoreList).values(sources='{"attendance": "2025-01-10"}'))
        arm = {"trial": "autumn", "pupil_id": "p1", "unit": "u", "arm": "help_now", "authority": "801", "risk": 0.1}
        allocated = {**arm, "as_of": date(2025, 1, 13), "allocated_at": change.now}
        change.connection.execute(sa.insert(TrialAllocation), allocated)
        change.record("test")
    store.save([scored("p1", DAYS[1], "3") | {"missing_tables": ["enrolments"]}], purpose="shadow")


@pytest.fixture
def filled(store):
    fill(store)
    return store


def events(store, caller=BEN, day=None, pupil="p1"):
    with store.view(caller) as view:
        return timeline(view, pupil, day)


def test_every_score_sight_and_act_is_told_in_order(filled):
    told = events(filled)
    assert [e["at"] for e in told] == sorted(e["at"] for e in told)
    first, second = [e for e in told if e["what"] == "scored"]
    assert (first["as_of"], first["model_version"], first["rank"], first["band"]) == (date(2025, 1, 13), "1", 1, "high")
    assert second["model_version"] == "2"
    assert first["listed_at"] is not None
    assert first["reasons"][0]["sentence"] == "Missed <b>all</b> sessions"
    (done,) = [e for e in told if e["what"] == "done"]
    assert (done["kind"], done["code"], done["who"]) == ("contact", "no_answer", "token:ben")
    assert {"worklist.seen", "case.opened", "case.contact"} <= {e["action"] for e in told if e["what"] == "audited"}
    assert "aunt" not in str(told)


def test_a_day_tells_its_own_list_until_the_next_one(filled):
    of_first = events(filled, day=date(2025, 1, 13))
    assert [e["as_of"] for e in of_first if e["what"] == "scored"] == [date(2025, 1, 13)]
    assert any(e["what"] == "done" for e in of_first)
    of_second = events(filled, day=date(2025, 1, 20))
    assert [e["as_of"] for e in of_second if e["what"] == "scored"] == [date(2025, 1, 20)]
    assert not any(e["what"] == "done" for e in of_second)
    assert events(filled, day=date(2025, 2, 3)) == []


NOON = datetime(2025, 1, 14, 12, tzinfo=UTC)


def at(hours, what, as_of=None):
    of_score = {"as_of": as_of, "listed_at": NOON, "purpose": "shown"} if as_of else {}
    return {"at": NOON + timedelta(hours=hours), "what": what, **of_score}


@pytest.mark.parametrize(
    ("stored", "until"),
    [
        ([(0, 0), (2, 1)], 2),
        ([(0, 0)], 9),
        ([(0, 1), (2, 0)], 9),  # the earlier day scored last
        ([(0, 1), (2, 0), (4, 2)], 4),
        ([(0, 0), (2, 1), (4, 0)], 2),  # scored again after the next list
        ([(0, 1), (2, 0), (4, 1)], 4),
    ],
)
def test_in_whatever_order_days_were_scored_a_day_tells_its_scores_and_what_followed(stored, until):
    """``stored``: after how many hours which week was scored; until then, what was done belongs to the first week."""
    days = [date(2025, 1, 13) + timedelta(weeks=n) for n in range(3)]
    scores = [at(hours, "scored", days[week]) for hours, week in stored]
    done = [at(hours, "done") for hours in (-1, 1, 3, 5)]
    told = _about([*scores, *done], scores, days[0])
    first = min(hours for hours, week in stored if week == 0)
    assert [e for e in told if e["what"] == "scored"] == [s for s in scores if s["as_of"] == days[0]]
    assert [e for e in told if e["what"] == "done"] == [
        e for e in done if NOON + timedelta(hours=first) <= e["at"] < NOON + timedelta(hours=until)
    ]
    assert _about([*scores, *done], scores, date(2025, 2, 10)) == []


@pytest.mark.parametrize("hidden", [{"purpose": "shadow"}, {"listed_at": None}])
def test_a_list_that_no_team_was_shown_ends_no_day(hidden):
    first, next_one = at(0, "scored", date(2025, 1, 13)), at(2, "scored", date(2025, 1, 20)) | hidden
    done = at(3, "done")
    assert _about([first, next_one, done], [first, next_one], date(2025, 1, 13)) == [first, done]


def test_a_score_says_its_place_in_its_part_of_the_list_and_down_to_where_teams_could_take_up(store):
    parts = [("p1", 1, "act_today"), ("p2", 2, "help_early"), ("p3", 3, "act_today"), ("p4", 4, "act_today")]
    store.save([scored(p, DAYS[0]) | {"rank": rank, "list": part} for p, rank, part in parts], per_week=2)
    (score,) = [e for e in events(store, pupil="p4") if e["what"] == "scored"]
    assert (score["rank"], score["place"], score["per_week"], score["list"]) == (4, 3, 2, "act_today")
    words = AccountWords.of(settings(), {})
    assert words.place(score) == "place 3 of those to act on today (its teams could take up 2)"
    assert "does not hold" in words.place(score | {"per_week": None})


def test_another_authority_is_told_no_score_and_no_act(filled):
    assert [e for e in events(filled, FAR) if e["what"] != "audited"] == []


def test_the_champion_of_a_moment_is_the_last_move_before_it():
    noon = datetime(2025, 1, 13, 12, tzinfo=UTC)
    moves = [
        {"alias": "champion", "version": version, "at": (noon + timedelta(hours=hours)).isoformat()}
        for hours, version in ((0, 1), (1, 0), (2, 2))
    ] + [{"alias": "challenger", "version": 3, "at": noon.isoformat()}]
    assert serving_at(moves, noon - timedelta(seconds=1)) is None
    told = [serving_at(moves, noon + timedelta(minutes=minutes))["version"] for minutes in (0, 59, 60, 119, 121)]
    assert told == [1, 1, 0, 0, 2]


def test_the_page_names_model_data_and_rule_for_its_owner_only(bundle, monkeypatch):
    monkeypatch.setenv("ONROLL_AUDIT_KEY", KEY.decode())
    current = settings()
    release(current.releases, bundle, 1)
    alias(current.releases, champion=1)
    store = Store.of(current)
    fill(store)
    add_what_else_an_account_names(store)
    Path("who.txt").write_text("p1\n")
    answer = CliRunner().invoke(onroll, ["models", "timeline", "--pupil-file", "who.txt", "--out", "p.html", "--json"])
    account = json.loads(answer.output)
    assert account["models"]["2"] is None, "the folder of version 2 is not there"
    assert account["models"]["1"]["catalogue_digest"]
    assert [e["champion"] for e in account["events"] if e["what"] == "scored"] == [1, 1, 1]
    assert [m["version"] for m in account["moves"]] == [1]
    page = Path("p.html").read_text()
    assert "Contact:" in page
    assert "contact no_answer" not in page
    assert "by Ben Lead" in page
    assert "token:ben" not in page
    assert "attendance: until 10 January 2025" in page
    assert "schools: missing" in page
    assert "children aged 4 to 15 on 31 August before, without an open case" in page
    assert "help now" in page
    assert "no team was shown it" in page
    assert account["models"]["1"]["definition"] in page
    assert "Missed &lt;b&gt;all" in page
    assert Path("p.html").stat().st_mode & 0o077 == 0
    withdraw(current.releases)
    text = CliRunner().invoke(onroll, ["models", "timeline"]).output
    assert "withdrawn, no version" in text


def test_no_entry_of_a_case_is_told_by_a_code():
    words = AccountWords.of(settings(), {})
    settled = words.settings
    codes = {
        "contact": settled.outcomes,
        "action": settled.actions,
        "enquiry": settled.enquiries,
        "dismissed": settled.not_for_this_child,
        "closed": settled.closing,
        "handed_over": settled.consents,
        "doubted": ["termly_attendance", "attendance"],
        **dict.fromkeys(("opened", "note", "snoozed", "woken", "assigned"), (None,)),
        "register": settled.record_words("home_education"),
    }
    more = {
        "to_person": None,
        "asked_by": "school",
        "result": next(iter(settled.enquiry_results)),
        "record": "home_education",
    }
    for kind, of in codes.items():
        for code in of:
            told = words.done({"what": "done", "kind": kind, "code": code, **more})
            assert told[0].isupper()
            assert code is None or "_" not in code or code not in told, told


@pytest.mark.parametrize("more", [["--as-of", "2025-01-13"], ["--out", "p.html"]])
def test_what_is_about_one_pupil_needs_one(more):
    answer = CliRunner().invoke(onroll, ["models", "timeline", *more])
    assert isinstance(answer.exception, Usage)
    assert "--pupil-file" in str(answer.exception)


def test_a_score_is_described_by_the_model_that_made_it(bundle, monkeypatch):
    monkeypatch.setenv("ONROLL_AUDIT_KEY", KEY.decode())
    current = settings()
    (current.releases / "other").mkdir(parents=True)
    shutil.move(release(current.releases, bundle, 1), current.releases / "other" / "v1")
    Store.of(current).save([scored("p1", DAYS[0]) | {"model": "other"}])
    Path("who.txt").write_text("p1\n")
    account = account_of(current, Path("who.txt"), None, [])
    assert account["models"]["1"]["catalogue_digest"]
