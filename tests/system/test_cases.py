"""Cases: earlier entries are visible, never overwritten, and out of reach for other schools."""

import csv
import json
import threading
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from histories.errors import Faults
from serving.cli.main import onroll
from serving.pages.settings import PageSettings
from serving.store import Caller, Conflict, NotThere, Store
from serving.store.audit import audit_log
from serving.store.cases import cases, doubts, enquiries
from serving.store.database import reading
from serving.store.sign_in import staff
from serving.store.tables import AuditEntry
from tests.support.acting import do, look, ref
from tests.support.databases import KEY
from tests.support.scores import score

ANN, BEN = Caller("token:ann", "worker", "801", ("10001",)), Caller("token:ben", "lead", "801")
FAR, ANALYST = Caller("token:far", "lead", "802"), Caller("token:cat", "analyst", "801")
DAY = date(2025, 2, 3)


@pytest.fixture
def opened(store):
    """The store with pupils p1 (Ann's school) and p2 (another), and Ann's case of p1."""
    store.save([score("p1", 1), score("p2", 2)])
    return store, do(store, ANN, cases.open_case, ref(store, "p1"))


def test_acts_on_a_case_are_shown_in_order(opened):
    store, case_id = opened
    version = do(store, ANN, cases.assign, case_id, 1, "token:ben")
    version = do(
        store, BEN, cases.contact, case_id, version, DAY, "spoke to mother", text="They move on Friday.", team="north"
    )
    version = do(store, BEN, cases.act, case_id, version, DAY, "home visit")
    version = do(
        store,
        BEN,
        enquiries.enquire,
        case_id,
        version,
        on=DAY,
        source="police",
        asked_by="authority",
        result="nothing",
        next_turn="school",
    )
    version = do(store, BEN, cases.note, case_id, version, " Ring again. ")
    version = do(store, BEN, cases.snooze, case_id, version, date(2025, 3, 1))
    version = do(
        store, BEN, doubts.doubt, case_id, version, "attendance", DAY, reason="not_so", text="She was in school."
    )
    version = do(store, BEN, cases.dismiss, case_id, version, "at another school")
    case = look(store, ANN, cases.case, case_id)
    assert [e["kind"] for e in case["entries"]] == [
        k for k in cases.KINDS if k not in ("register", "woken", "closed", "doubted", "dismissed", "handed_over")
    ] + ["doubted", "dismissed"]
    assert [e["version"] for e in case["entries"]] == list(range(2, 10))
    assert [e["by"] for e in case["entries"]] == ["token:ann"] + ["token:ben"] * 7
    assert (case["owner"], case["version"], case["changed_by"]) == ("token:ben", 9, "token:ben")
    assert (case["snoozed_until"], case["dismissed_why"]) == (date(2025, 3, 1), "at another school")
    assert [case["entries"][3][k] for k in ("code", "asked_by", "result", "next_turn")] == [
        "police",
        "authority",
        "nothing",
        "school",
    ]
    assert case["entries"][4]["text"] == "Ring again."
    assert case["changed_at"].tzinfo is not None
    version = do(store, ANN, cases.wake, case_id, version)
    assert look(store, ANN, cases.case, case_id)["snoozed_until"] is None
    assert [c["case_id"] for c in look(store, BEN, cases.cases, owner="token:ben")] == [case_id]
    do(store, ANN, cases.close, case_id, version, "back in school")
    assert look(store, BEN, cases.cases) == []
    assert [c["closed_why"] for c in look(store, BEN, cases.cases, closed=True)] == ["back in school"]
    with pytest.raises(Conflict):
        do(store, ANN, cases.note, case_id, version + 1, "too late")
    assert do(store, ANN, cases.open_case, ref(store, "p1")) != case_id


def test_every_change_is_audited_without_its_text(opened):
    store, case_id = opened
    do(store, ANN, cases.note, case_id, 1, "Ring grandmother")
    do(store, ANN, cases.dismiss, case_id, 2, "away", "in hospital")
    with reading(store.engine) as connection:
        rows = connection.execute(sa.select(AuditEntry.__table__)).mappings().all()
        assert audit_log.verify(connection, store.chain, store.anchors).whole
    assert [r["action"] for r in rows][1:] == ["case.opened", "case.note", "case.dismissed"]
    assert {r["pupils"] for r in rows[1:]} == {json.dumps([store.chain.reference("p1")])}
    assert json.loads(rows[-1]["details"]) == {"case_id": case_id, "version": 3}
    assert not any(w in str([dict(r) for r in rows]) for w in ("grandmother", "hospital", "away"))


def test_concurrent_changes_of_a_version_do_not_overwrite_each_other(opened):
    store, case_id = opened
    start, done = threading.Barrier(4), []

    def write(n):
        start.wait(20)
        try:
            done.append(do(store, BEN, cases.note, case_id, 1, f"from {n}"))
        except Conflict as error:
            done.append(type(error))

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    assert sorted(done, key=str) == [2, Conflict, Conflict, Conflict]
    assert len(look(store, BEN, cases.case, case_id)["entries"]) == 1


def test_a_pupil_has_at_most_one_open_case(opened):
    store, case_id = opened
    with pytest.raises(Conflict, match="open case already"):
        do(store, BEN, cases.open_case, ref(store, "p1"))
    assert look(store, BEN, lambda v: (v.record("x"), cases.case_of(v, ref(store, "p1")))[1])["case_id"] == case_id


@pytest.mark.parametrize("caller", [FAR, ANALYST, Caller("token:dan", "worker", "801", ("10000",))])
def test_a_case_out_of_scope_is_not_found(opened, caller):
    store, case_id = opened
    assert look(store, caller, cases.cases) == []
    for work in (
        lambda: look(store, caller, cases.case, case_id),
        lambda: do(store, caller, cases.note, case_id, 1, "x"),
        lambda: do(store, caller, cases.assign, case_id, 1, "me"),
        lambda: do(store, caller, cases.close, case_id, 1, "x"),
        lambda: do(store, caller, cases.open_case, ref(store, "p1")),
    ):
        with pytest.raises(NotThere):
            work()
    assert look(store, ANN, cases.case, case_id)["version"] == 1


def test_a_child_who_moves_school_takes_the_case_along(opened):
    store, case_id = opened
    store.save([{**score("p1", 2, day="2025-04-28"), "urn": "10000"}])
    with pytest.raises(NotThere):
        look(store, ANN, cases.case, case_id)
    store.save([{**score("p1", 2, day="2024-09-02"), "urn": "10001"}])  # an older score does not bring it back
    assert look(store, Caller("token:eve", "worker", "801", ("10000",)), cases.case, case_id)["urn"] == "10000"


def test_doubts_reach_the_analyst_without_the_child(opened):
    store, case_id = opened
    do(store, ANN, doubts.doubt, case_id, 1, "attendance", DAY, reason="not_so", text="She was in school.")
    (doubt,) = look(store, ANALYST, doubts.faults)
    assert (doubt["table_name"], doubt["record_date"], doubt["urn"]) == ("attendance", DAY, "10001")
    assert (doubt["reason"], doubt["text"]) == ("not_so", None)
    assert "pupil_id" not in doubt
    assert doubt["pupil_ref"] is None
    assert look(store, BEN, doubts.faults)[0]["pupil_ref"] == ref(store, "p1"), "who may see the child finds the record"
    assert look(store, FAR, doubts.faults) == []
    with pytest.raises(NotThere):
        do(store, FAR, doubts.answer, doubt["fault_id"], 1, "mine")
    assert do(store, ANALYST, doubts.answer, doubt["fault_id"], 1, "The school sent it again.") == 2
    with pytest.raises(Conflict):
        do(store, ANALYST, doubts.answer, doubt["fault_id"], 1, "late")
    assert look(store, ANALYST, doubts.faults) == []
    assert look(store, ANN, cases.case, case_id)["faults"][0]["answer"] == "The school sent it again."


@pytest.mark.parametrize("text", ["", "  ", "a\x00b", "x" * 5001])
def test_text_that_cannot_be_stored_is_refused_without_repeating_it(opened, text):
    store, case_id = opened
    with pytest.raises(Faults) as refused:
        do(store, ANN, cases.note, case_id, 1, text)
    assert "xxx" not in str(refused.value)
    hostile = "'; DROP TABLE cases; -- <script> {{7*7}} =cmd() \u202e"
    do(store, ANN, cases.note, case_id, 1, hostile)
    assert look(store, ANN, cases.case, case_id)["entries"][0]["text"] == hostile


def test_people_and_capacities_are_their_authoritys(store):
    assert do(store, ANN, staff.remember, "Ann", ["north"], "team a") == 1
    assert do(store, ANN, staff.remember, "Ann B", ["north"], "team a") == 2
    do(store, FAR, staff.remember, "Far")
    assert [(p["name"], p["urns"], p["localities"]) for p in look(store, BEN, staff.active_staff)] == [
        ("Ann B", ["10001"], ["north"])
    ]
    assert do(store, BEN, staff.set_capacity, "801", "team a", 8, 0) == 1
    assert do(store, BEN, staff.set_capacity, "801", "team a", 9, 1) == 2
    for version in (0, 1):
        with pytest.raises(Conflict):
            do(store, BEN, staff.set_capacity, "801", "team a", 5, version)
    with pytest.raises(NotThere):
        do(store, FAR, staff.set_capacity, "801", "team a", 5, 2)
    assert [c["per_week"] for c in look(store, ANN, staff.capacities)] == [9]
    assert look(store, FAR, staff.capacities) == []


def test_interventions_flow_back_into_the_histories(tmp_path, monkeypatch, small_histories):
    import shutil

    from histories.reading.histories import Histories

    monkeypatch.setenv("ONROLL_AUDIT_KEY", "k" * 32)
    store = Store("sqlite:///onroll.db", KEY)
    pupil = pq.read_table(small_histories / "pupils.parquet")["pupil_id"][0].as_py()
    store.save([score(pupil, 1)])
    case_id = do(store, BEN, cases.open_case, ref(store, pupil))
    version = do(store, BEN, cases.contact, case_id, 1, DAY, "spoke to mother", text="private", team="north")
    for unanswered in PageSettings.load(None).no_conversation:  # a call that nobody answers is no help
        version = do(store, BEN, cases.contact, case_id, version, DAY, unanswered)
    do(store, BEN, cases.note, case_id, do(store, BEN, cases.act, case_id, version, DAY, "home visit"), "private")
    shutil.copytree(small_histories, tmp_path / "h", ignore=lambda *_: ["interventions.parquet", "interventions"])
    out = tmp_path / "h" / "interventions.parquet"
    invoked = CliRunner().invoke(onroll, ["actions", "export", "--out", str(out), "--json"])
    assert json.loads(invoked.output)["rows"] == 2
    rows = pq.read_table(out).to_pylist()
    assert [(r["pupil_id"], r["date"], r["kind"], r["team"]) for r in rows] == [
        (pupil, DAY, "contact", "north"),
        (pupil, DAY, "home visit", None),
    ]
    opened = Histories.open(tmp_path / "h")
    assert opened.frame("interventions").collect().shape[0] == 2


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"asked_by": "nobody"}, "by"),
        ({"next_turn": "police"}, "turn"),
        ({"source": " "}, "source"),
        ({"result": ""}, "result"),
    ],
)
def test_an_enquiry_names_its_source_result_and_sides(opened, wrong, where):
    store, case_id = opened
    made = {"on": DAY, "source": "police", "asked_by": "school", "result": "nothing", "next_turn": None} | wrong
    with pytest.raises(Faults) as refused:
        do(store, ANN, enquiries.enquire, case_id, 1, **made)
    assert [f.where for f in refused.value.faults] == [where]
    assert look(store, ANN, cases.case, case_id)["entries"] == []


def test_enquiries_are_counted_and_exported_within_the_scope_and_without_text(opened, monkeypatch, tmp_path):
    store, case_id = opened
    made = {"on": DAY, "source": "=police", "result": "nothing", "text": "ask the aunt"}
    version = do(store, ANN, enquiries.enquire, case_id, 1, asked_by="school", next_turn="authority", **made)
    do(store, BEN, enquiries.enquire, case_id, version, asked_by="school", **made)
    asked = look(store, BEN, lambda v: (v.record("x"), enquiries.by_side(v, {"p1": DAY, "p2": DAY}))[1])
    assert asked == {"p1": {"school": 2, "authority": 0}}
    assert look(store, FAR, lambda v: (v.record("x"), enquiries.by_side(v, {"p1": DAY}))[1]) == {}
    assert look(store, FAR, enquiries.rows) == []
    first, second = look(store, BEN, enquiries.rows)
    assert tuple(first) == enquiries.COLUMNS
    assert (first["next_turn"], second["next_turn"]) == ("authority", None)
    assert "aunt" not in str(first)
    assert look(store, BEN, enquiries.rows, date(2025, 2, 4)) == []


def test_the_exported_enquiries_are_for_their_owner_and_run_no_formula(tmp_path, monkeypatch):
    monkeypatch.setenv("ONROLL_AUDIT_KEY", "k" * 32)
    store = Store("sqlite:///onroll.db", KEY)
    store.save([score("p1", 1)])
    case_id = do(store, BEN, cases.open_case, ref(store, "p1"))
    do(store, BEN, enquiries.enquire, case_id, 1, on=DAY, source="=police", asked_by="school", result="nothing")
    invoked = CliRunner().invoke(onroll, ["enquiries", "export", "--out", "asked.csv", "--json"])
    assert json.loads(invoked.output) == {"rows": 1, "out": "asked.csv"}
    assert Path("asked.csv").stat().st_mode & 0o077 == 0
    (row,) = csv.DictReader(Path("asked.csv").read_text().splitlines())
    assert (row["pupil_id"], row["date"], row["source"]) == ("p1", str(DAY), "'=police")
