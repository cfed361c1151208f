"""The score store behaves the same on SQLite and on PostgreSQL, which the tests start."""

from datetime import date

import pytest
import sqlalchemy as sa

from histories.errors import Faults
from serving.store import Caller, Store
from serving.store.scores import stored_scores
from serving.store.tables import Pupil
from tests.support.databases import KEY
from tests.support.scores import parsed, score


def test_scores_come_back_as_they_were_stored(store):
    given = [score(f"p{n}", n) for n in range(1, 1203)]
    assert store.save(given) == 1202
    _, key = store.create_key("lead", "801")
    caller = store.caller(key)
    assert parsed(store.worklist(caller, None, 3)) == given[:3]
    assert parsed(store.worklist(caller, date(2025, 1, 13), 10, urn="10001", year_group=7, band="high")) == given[:1]
    assert parsed(store.scores(caller, ["p5", "p2", "nobody"], None)) == [given[1], given[4]]


def test_the_list_can_be_filtered_and_scores_of_earlier_versions_are_on_neither(store):
    """Earlier versions stored no ``list``; their scores stay readable."""
    names = ("act_today", "help_early", None)
    given = [{**score(f"p{n}", n), **({"list": name} if name else {})} for n, name in enumerate(names, 1)]
    store.save(given)
    caller = Caller("lead", "lead", "801")
    assert parsed(store.worklist(caller, None, 9)) == given
    assert parsed(store.worklist(caller, None, 9, list_name="act_today")) == given[:1]
    assert parsed(store.worklist(caller, None, 9, list_name="help_early")) == given[1:2]


def test_storing_again_replaces_and_a_new_version_stands_beside(store):
    store.save([score("p1", 1)])
    store.save([score("p1", 1)])
    store.save([{**score("p1", 2), "features_digest": "f", "catalogue_digest": "c"}, score("p1", 1, version="2")])
    lead = Caller("lead", "lead", "801")
    assert [s["model_version"] for s in parsed(store.worklist(lead, None, 9))] in (["1"], ["2"])
    assert len(store.scores(lead, ["p1"], None)) == 1
    with store.view(lead) as view:
        ref = view.connection.scalar(sa.select(Pupil.pupil_ref))
        history = stored_scores.history(view, ref)
        assert stored_scores.history(view, "unknown") == []
    assert [(s["model_version"], s["score"]["rank"], bool(s["replaced_at"])) for s in history] == [
        ("1", 1, True),
        ("1", 2, False),
        ("2", 1, False),
    ]
    assert [(s["catalogue_digest"], s["features_digest"]) for s in history] == [("", ""), ("c", "f"), ("", "")]
    assert len({s["score_id"] for s in history}) == 3


def test_an_analyst_counts_children_and_sees_none(store):
    store.save([score("p1", 1), score("p2", 2), score("far", 1, authority="802")])
    analyst = Caller("analyst", "analyst", "801")
    assert store.counts(analyst, None, "band") == (date(2025, 1, 13), {"high": 1, "usual": 1})
    assert store.worklist(analyst, None, 9) == []
    assert store.scores(analyst, ["p1"], None) == []


def test_a_caller_sees_only_their_authority_and_schools(store):
    store.save([score("own", 1), score("other", 2), score("far", 1, authority="802")])
    _, lead = store.create_key("lead", "801")
    _, worker = store.create_key("worker", "801", ["10000"])
    _, administrator = store.create_key("administrator")

    def seen(key):
        return {s["pupil_id"] for s in parsed(store.worklist(store.caller(key), None, 9))}

    assert seen(lead) == {"own", "other"}
    assert seen(worker) == {"other"}
    assert seen(administrator) == {"own", "other", "far"}
    assert store.scores(store.caller(worker), ["own", "far"], None) == []


def test_keys_are_shown_once_expire_and_are_revoked(store):
    key_id, key = store.create_key("lead", "801")
    _, old = store.create_key("lead", "801", expires=date(2020, 1, 1))
    assert store.caller(key).key_id == key_id
    assert store.caller(old) is None
    assert store.caller("onroll_unknown") is None
    assert not any(key in str(row) for row in store.list_keys())
    store.revoke(key_id)
    assert store.caller(key) is None
    with pytest.raises(Faults):
        store.revoke("unknown")


def test_keys_are_listed_with_their_schools_as_the_review_lists_them(store):
    store.create_key("lead", "801", ["101", "100"])
    store.create_key("lead", "801")
    assert sorted(key["urns"] for key in store.list_keys()) == [[], ["100", "101"]]


def test_a_list_appears_only_when_complete(store, monkeypatch):
    from serving.store import store as storing

    monkeypatch.setattr(storing, "PART", 2)
    lead, seen = Caller("lead", "lead", "801"), []
    save = stored_scores.save

    def watched(change, rows, purpose):
        seen.append(len(store.worklist(lead, None, 9)) + len(store.scores(lead, ["p1"], None)))
        return save(change, rows, purpose)

    # Nobody can append while a change is open.
    monkeypatch.setattr(store.recorder, "append", lambda entries: None)
    monkeypatch.setattr(stored_scores, "save", watched)
    assert store.save([score(f"p{n}", n) for n in range(1, 6)]) == 5
    assert seen == [0, 0, 0]
    assert len(store.worklist(lead, None, 9)) == 5


def test_the_queries_of_a_request_go_by_their_index(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'big.db'}", KEY)
    store.save([score(f"p{n}", n) for n in range(1, 2001)])
    queries = []
    sa.event.listen(
        store.engine, "before_cursor_execute", lambda c, cur, text, given, *_: queries.append((text, given))
    )
    for caller in (
        Caller("l", "lead", "801"),
        Caller("w", "worker", "801", ("10001",)),
        Caller("a", "administrator", None),
    ):
        store.worklist(caller, None, 100)
        store.scores(caller, [f"p{n}" for n in range(50)], None)
    with store.engine.connect() as connection:
        plans = [
            str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", given).all())
            for text, given in list(queries)
            if "scores.body" in text
        ]
    by_list, by_pupil = plans[::2], plans[1::2]
    assert all("scores_by_list" in p or "scores_of_all" in p for p in by_list)
    assert not any("TEMP B-TREE" in p for p in by_list)
    assert all("pupil_id=?" in p for p in by_pupil)
    store.engine.dispose()
