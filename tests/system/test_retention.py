"""Retention and erasure: due records are removed completely, held and younger ones stay, and the audit still verifies."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from histories.errors import Faults, Usage
from serving.cli.main import onroll
from serving.store import Caller, Store
from serving.store.cases import cases, casework, doubts, saved_filters
from serving.store.cases.casework_tables import OF_PUPILS, StoredDeadline, StoredHistory
from serving.store.cases.saved_filters import SavedFilter
from serving.store.cases.tables import Case, CaseEntry, DataFault, Person
from serving.store.database import reading, writing
from serving.store.records import erasure, holds, retention
from serving.store.records.places import BY_CASE
from serving.store.records.purging import purge_files
from serving.store.scores.complete_lists import complete_lists
from serving.store.sign_in import staff
from serving.store.tables import AuditEntry, Base, Hold, Pupil, ScoreList, ShadowCount, StoredKey, StoredScore
from tests.support import acting
from tests.support.databases import KEY
from tests.support.scores import score
from tests.support.stores import ADMIN, do, gathered, tamper, verified, verified_anew

TABLES = (StoredScore, Case, CaseEntry, DataFault, Pupil, ScoreList, Hold, StoredKey, ShadowCount)


def rows(store, *columns):
    with reading(store.engine) as connection:
        return [tuple(r) for r in connection.execute(sa.select(*columns))]


def fill(store, pupil, scored, closed=None):
    """Store a pupil with a score of some months ago, and a case with an entry and a doubt, closed months ago or open."""
    store.save([score(pupil, 1)])
    (ref,) = (r for p, r in rows(store, Pupil.pupil_id, Pupil.pupil_ref) if p == pupil)
    case_id = do(store, cases.open_case, ref)
    do(store, doubts.doubt, case_id, 1, "attendance", date(2025, 1, 2), reason="x", text=f"about {pupil}")
    if closed is not None:
        do(store, cases.close, case_id, 2, "done")
    with writing(store.engine) as connection:
        now = datetime.now(UTC)
        past = now - relativedelta(months=scored)
        connection.execute(sa.update(StoredScore).where(StoredScore.pupil_id == pupil).values(stored_at=past))
        if closed is not None:
            past = now - relativedelta(months=closed)
            connection.execute(sa.update(Case).where(Case.pupil_id == pupil).values(closed_at=past))


PUPILS = st.lists(
    st.tuples(st.integers(0, 60), st.one_of(st.none(), st.integers(0, 60)), st.booleans()), min_size=1, max_size=5
)
PERIODS = st.fixed_dictionaries(
    {"scores": st.one_of(st.none(), st.integers(1, 48)), "cases": st.one_of(st.none(), st.integers(1, 48))}
)


@hypothesis_settings(max_examples=25)
@given(pupils=PUPILS, periods=PERIODS)
def test_retention_removes_what_is_due_and_spares_held_or_newer_records(tmp_path_factory, pupils, periods):
    folder = tmp_path_factory.mktemp("store")
    store = Store(f"sqlite:///{folder / 'onroll.db'}", KEY)
    for n, (scored, closed, _) in enumerate(pupils):
        fill(store, f"p{n}", scored, closed)
    do(store, holds.place, [f"p{n}" for n, p in enumerate(pupils) if p[2]], "court")
    wanted = dict.fromkeys(retention.KINDS) | periods
    with store.view(ADMIN) as view:
        due = retention.due(view, wanted)
    assert do(store, retention.apply, wanted) == due

    def stays(age, kind, is_held):
        return is_held or age is None or periods[kind] is None or age < periods[kind]

    left_scores = {f"p{n}" for n, (scored, _, h) in enumerate(pupils) if stays(scored, "scores", h)}
    left_cases = {f"p{n}" for n, (_, closed, h) in enumerate(pupils) if stays(closed, "cases", h)}
    assert {p for (p,) in rows(store, StoredScore.pupil_id)} == left_scores
    assert {p for (p,) in rows(store, Case.pupil_id)} == left_cases
    of_cases = {c for (c,) in rows(store, Case.case_id)}
    assert {c for (c,) in rows(store, CaseEntry.case_id)} == {c for (c,) in rows(store, DataFault.case_id)} == of_cases
    kept = {f"p{n}" for n, p in enumerate(pupils) if p[2]} | left_scores | left_cases
    assert {p for (p,) in rows(store, Pupil.pupil_id)} == kept
    assert len(rows(store, ScoreList.as_of)) == bool(left_scores)
    assert verified(store).whole
    store.engine.dispose()


def test_old_entries_of_the_audit_go_and_the_chain_still_proves_the_rest(store):
    for n in range(10):
        store.note(ADMIN, "test", [f"p{n}"], count=n)
    with writing(store.engine) as connection:  # as if the first seven were written long ago
        kept = connection.execute(sa.select(AuditEntry.__table__).order_by(AuditEntry.seq)).mappings().all()
    mac, aged = "", []
    for row in kept:
        old = {**row, "at": "2010-01-01T00:00:00.000+00:00"} if row["seq"] <= 7 else dict(row)
        mac = store.chain.current.code(mac, old)
        aged.append(f"UPDATE audit SET at = '{old['at']}', mac = '{mac}' WHERE seq = {old['seq']}")
    tamper(store, *aged)
    newest = {"seq": kept[-1]["seq"], "mac": mac, "at": kept[-1]["at"]}
    store.anchors.file.write_text(json.dumps(newest) + "\n")
    assert verified_anew(store).whole
    forty = dict.fromkeys(retention.KINDS, 40)
    do(store, holds.place, ["p5"], "court")  # entry 6 is about p5: it and all later ones stay
    assert do(store, retention.apply, forty)["audit"] == 5
    assert (verified_anew(store).first, verified_anew(store).why) == (6, "")
    do(store, holds.lift, ["p5"], "over")
    assert do(store, retention.apply, forty)["audit"] == 2
    verification = verified_anew(store)
    assert (verification.first, verification.whole) == (8, True)
    tamper(store, "DELETE FROM audit WHERE seq <= 8")  # and nobody else can do so
    assert not verified_anew(store).whole


def test_erasure_leaves_only_a_reference_of_a_pupil(store, tmp_path):
    for pupil in ("gone-1234567", "kept-1234567", "stay-1234567"):
        fill(store, pupil, 1, 1)
    do(store, casework.keep, gathered("gone-1234567", "kept-1234567", "stay-1234567", off_roll=["gone-1234567"]), "1")
    store.scores(Caller("lead", "lead", "801"), ["gone-1234567"], None)
    do(store, holds.place, ["kept-1234567"], "court")
    erased = do(store, erasure.erase, ["gone-1234567", "kept-1234567", "nobody-12345"], "asked by the family")
    purge_files(store.engine)
    assert (erased.erased, erased.held, erased.unknown) == (1, 1, 1)
    for table in (*TABLES, *OF_PUPILS):
        with reading(store.engine) as connection:
            text = str([tuple(r) for r in connection.execute(sa.select(table.__table__))])
        assert "gone-1234567" not in text
    assert {p for (p,) in rows(store, StoredScore.pupil_id)} == {"kept-1234567", "stay-1234567"}
    assert {p for (p,) in rows(store, StoredHistory.pupil_id)} == {"kept-1234567", "stay-1234567"}
    assert len(rows(store, CaseEntry.entry_id)) == 4
    with reading(store.engine) as connection:
        last = connection.execute(sa.select(AuditEntry.__table__).order_by(AuditEntry.seq.desc())).mappings().first()
    assert json.loads(last["pupils"]) == [store.chain.reference("gone-1234567")]
    assert json.loads(last["details"])["held"] == [store.chain.reference("kept-1234567")]
    assert verified(store).whole
    if store.engine.dialect.name == "sqlite":
        files = b"".join(f.read_bytes() for f in tmp_path.glob("onroll.db*"))
        assert b"stay-1234567" in files
        assert b"gone-1234567" not in files


def test_every_table_has_a_period_or_says_why_not():
    """Before, stopped duties, what a removed case had begun and saved filters stayed for ever."""
    now = datetime.now(UTC)
    with_period = {retention._due(k, now)[0].__tablename__ for k in retention.KINDS if k != "audit"} | {"audit"}
    with_period |= {table.__tablename__ for table in BY_CASE}
    without = {name for name in retention.NO_PERIOD if name not in with_period}
    assert with_period | without == set(Base.metadata.tables)
    assert all(retention.NO_PERIOD.values())


def test_duties_go_at_their_age_and_with_the_case_that_began_them(store):
    """What a person stopped stays without its text: the histories would begin it again."""
    for pupil, closed in (("old-1234567", None), ("new-1234567", 100), ("held-1234567", None)):
        fill(store, pupil, 0, closed)
    do(store, holds.place, ["held-1234567"], "court")
    ((case,),) = rows(store, sa.select(Case.case_id).where(Case.pupil_id == "new-1234567").scalar_subquery())
    long_ago, now = datetime.now(UTC) - timedelta(days=3000), datetime.now(UTC)
    fields = {"kind": "destination", "urn": "100", "due_on": date(2015, 2, 1), "as_of": date(2015, 1, 1), "version": 1}
    fields |= {"changed_at": now, "changed_by": "service", "stopped_text": "is with an aunt in Leeds"}
    duties = {
        "old": ("old-1234567", long_ago, "data", ""),
        "held": ("held-1234567", long_ago, "data", ""),
        "recent": ("old-1234567", now, "data", ""),
        "of case": ("new-1234567", None, None, case),
        "by person": ("old-1234567", long_ago, "person", ""),
    }
    with writing(store.engine) as connection:
        for n, (name, (pupil, stopped, how, of_case)) in enumerate(duties.items()):
            which = {"clock_id": name, "pupil_id": pupil, "stopped_at": stopped, "stopped_how": how, "case_id": of_case}
            connection.execute(sa.insert(StoredDeadline), {**fields, **which, "started_on": date(2015, 1, 1 + n)})
    assert do(store, retention.apply, retention.load(None))["duties"] == 1
    left = dict(rows(store, StoredDeadline.clock_id, StoredDeadline.stopped_text))
    assert {name: bool(text) for name, text in left.items()} == {"held": True, "recent": True, "by person": False}


def test_filters_go_after_the_account_was_closed(store):
    long_ago = datetime.now(UTC) - timedelta(days=3000)
    for person, active in (("token:gone", False), ("token:here", True)):
        caller = Caller(person, "worker", "801")
        acting.do(store, caller, staff.remember, person)
        acting.do(store, caller, saved_filters.save_filter, "mine", "urn=100")
        with writing(store.engine) as connection:
            of_person = sa.update(Person).where(Person.person_id == person)
            connection.execute(of_person.values(active=active, changed_at=long_ago))
    assert do(store, retention.apply, retention.load(None))["filters"] == 1
    assert rows(store, SavedFilter.person_id) == [("token:here",)]
    assert len(rows(store, Person.person_id)) == 2, "a closed account stays closed"


def test_keys_and_counts_and_lifted_holds_go_at_their_age(store):
    for key in ("old", "new"):
        store.create_key("lead", "801", expires=date(2020, 1, 1) if key == "old" else None)
    do(store, holds.place, ["a", "b"], "court")
    do(store, holds.lift, ["a"], "over")
    long_ago = datetime.now(UTC) - timedelta(days=3000)
    with writing(store.engine) as connection:
        connection.execute(sa.update(Hold).values(placed_at=long_ago))
        connection.execute(sa.update(Hold).where(Hold.pupil_id == "a").values(lifted_at=long_ago))
        count = {"champion": "1", "challenger": "2", "pupils": 1, "difference": 0.0, "cells": "[]"}
        connection.execute(sa.insert(ShadowCount), [{**count, "counted_at": t} for t in (long_ago, datetime.now(UTC))])
    removed = do(store, retention.apply, retention.load(None))
    assert removed == {
        "scores": 0,
        "duties": 0,
        "cases": 0,
        "filters": 0,
        "keys": 1,
        "holds": 1,
        "shadow_counts": 1,
        "audit": 0,
    }
    assert [p for (p,) in rows(store, Hold.pupil_id)] == ["b"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[months]\nscore = 1", "no such kind"),
        ("scores = 1", "no such section"),
        ("months = 3", "not a table"),
        ("[months]\nscores = 0", "not a period"),
        ("[months]\nscores = true", "not a period"),
        ("[months]\nscores = 'ever'", "not a period"),
        ("[months]\naudit = 12", "removed before its records"),
        ("[months]\ncases = 'for ever'", "removed before its records"),
    ],
)
def test_a_wrong_file_of_periods_is_refused(tmp_path, text, message):
    (tmp_path / "keep.toml").write_text(text)
    with pytest.raises(Faults, match=message):
        retention.load(tmp_path / "keep.toml")


def test_a_file_of_periods_goes_over_the_defaults(tmp_path):
    (tmp_path / "keep.toml").write_text("[months]\nscores = 12\ncases = 'for ever'\naudit = 'for ever'\n")
    periods = retention.load(tmp_path / "keep.toml")
    assert (periods["scores"], periods["cases"], periods["audit"], periods["keys"]) == (12, None, None, 12)


def test_the_verbs_look_before_they_remove_and_take_pupils_from_a_file(tmp_path, monkeypatch):
    monkeypatch.setenv("ONROLL_AUDIT_KEY", "k" * 32)

    def run(*words):
        return CliRunner().invoke(onroll, words)

    store = Store("sqlite:///onroll.db", KEY)
    for pupil in ("p-one", "p-two"):
        fill(store, pupil, 30)
    (tmp_path / "held.txt").write_text("p-one\n")
    assert json.loads(run("hold", "add", "--pupil-file", "held.txt", "--reason", "court", "--json").output) == {
        "held": 1
    }
    assert "p-one" not in run("hold", "list").output + run("hold", "list", "--json", "--out", "held.csv").output
    assert "p-one" in (tmp_path / "held.csv").read_text()
    assert json.loads(run("retention", "--json").output)["due"]["scores"] == 1
    assert len(rows(store, StoredScore.score_id)) == 2
    assert json.loads(run("retention", "--apply", "--json").output)["removed"]["scores"] == 1
    assert rows(store, StoredScore.pupil_id) == [("p-one",)]
    (tmp_path / "all.txt").write_text("p-one\np-two\n")
    invoked = run("erase", "--pupil-file", "all.txt", "--reason", "asked", "--json")
    output = json.loads(invoked.output)
    assert (invoked.exit_code, output["erased"], output["held"], output["unknown"]) == (1, 1, 1, 0)
    assert run("hold", "remove", "--pupil-file", "held.txt", "--reason", "over").exit_code == 0
    assert run("erase", "--pupil-file", "all.txt", "--reason", "asked").exit_code == 0
    assert rows(store, Pupil.pupil_id) == []
    for wrong in ("", "because p-one asked", "x" * 501):
        assert isinstance(run("erase", "--pupil-file", "all.txt", "--reason", wrong).exception, Usage)
    (tmp_path / "all.txt").write_text("\n")
    assert isinstance(run("erase", "--pupil-file", "all.txt", "--reason", "asked").exception, Faults)
    assert verified(store).whole


def test_a_list_of_which_only_held_children_are_left_is_not_judged(store):
    """Their scores stay, with the list they were on; whoever reads complete lists is told of a whole one again once all are scored anew."""
    store.save([score(f"p{n}", n) for n in range(1, 6)])
    do(store, holds.place, ["p2", "p4"], "court")
    whole = dict.fromkeys(retention.KINDS) | {"scores": 12}

    def judged():
        with store.view(ADMIN) as view:
            view.record("monitor.seen")
            return [x.children for x in complete_lists(view)]

    do(store, retention.apply, whole)
    assert judged() == [5], "nothing was due"
    with writing(store.engine) as connection:
        connection.execute(sa.update(StoredScore).values(stored_at=datetime.now(UTC) - relativedelta(months=13)))
    do(store, retention.apply, whole)
    assert judged() == []
    assert {p for (p,) in rows(store, StoredScore.pupil_id)} == {"p2", "p4"}
    assert len(rows(store, ScoreList.stored_at)) == 1
    store.save([score(f"p{n}", n) for n in range(1, 6)])
    assert judged() == [5]


def test_scores_that_were_replaced_can_go_and_the_list_stays_whole(store):
    store.save([score("p1", 1) | {"risk": 0.5}])
    store.save([score("p1", 1) | {"risk": 0.4}])
    with writing(store.engine) as connection:
        old = StoredScore.replaced_at.is_not(None)
        past = datetime.now(UTC) - relativedelta(months=13)
        connection.execute(sa.update(StoredScore).where(old).values(stored_at=past))
    removed = do(store, retention.apply, dict.fromkeys(retention.KINDS) | {"scores": 12})
    assert removed["scores"] == 1
    with store.view(ADMIN) as view:
        view.record("monitor.seen")
        assert [x.children for x in complete_lists(view)] == [1]
