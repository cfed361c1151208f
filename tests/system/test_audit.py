"""The audit: committed with the changes it records, one chain for all processes, and any tampering is found at its first row."""

import csv
import json
import multiprocessing
import threading
from datetime import date

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from histories.errors import Faults
from serving.cli.main import onroll
from serving.store import Caller, Store
from serving.store.audit import audit_log
from serving.store.audit.model_log import record_line
from serving.store.database import reading, writing
from serving.store.ledger.chain import Chain
from serving.store.ledger.keys import AuditKeys
from serving.store.ledger.refusals import Refusals
from serving.store.scores import score_rows, stored_scores
from serving.store.tables import AuditEntry, StoredScore
from serving.store.unit_of_work import NotRecorded
from tests.support.databases import KEY
from tests.support.scores import score
from tests.support.stores import tamper, verified, verified_anew
from training.release.promotion_log import append

LEAD = Caller("token:ann", "lead", "801")


def entries(store):
    with reading(store.engine) as connection:
        return connection.execute(sa.select(AuditEntry.__table__).order_by(AuditEntry.seq)).mappings().all()


def test_views_are_audited_by_reference_without_the_pupils_key(store):
    store.save([score("p1", 1), score("p2", 2), score("far", 1, authority="802")])
    store.scores(LEAD, ["p1", "far", "nobody"], None)
    store.worklist(LEAD, None, 9)
    store.counts(LEAD, None, "band")
    _, found_entry, listed, _ = rows = entries(store)
    assert [r["action"] for r in rows] == ["scores.stored", "scores.seen", "worklist.seen", "counts.seen"]
    assert json.loads(found_entry["pupils"]) == [store.chain.reference("p1")]
    assert json.loads(found_entry["details"])["withheld"] == [store.chain.reference(p) for p in ("far", "nobody")]
    assert json.loads(listed["pupils"]) == [store.chain.reference(p) for p in ("p1", "p2")]
    assert {(r["who"], r["role"], r["authority"]) for r in rows[1:]} == {("token:ann", "lead", "801")}
    assert not any(name in str([dict(r) for r in rows]) for name in ("'p1'", '"p1"', "far", "nobody"))
    with store.view(LEAD) as view:
        mine = list(audit_log.entries(view, pupils=["far"]))
        assert [e["action"] for e in mine] == ["scores.seen"]
        assert [e["action"] for e in audit_log.entries(view, action="scores", last=1)] == ["scores.seen"]
        view.record("audit.seen")
    assert verified(store).whole


def fails(store, rows):
    with store.change(LEAD) as change:
        stored_scores.save(change, rows)
        1 / 0


def says_nothing(store, rows):
    with store.change(LEAD) as change:
        stored_scores.save(change, rows)
        change.entries.clear()


def looks_and_says_nothing(store, _):
    with store.view(LEAD):
        pass


def test_a_failed_or_unaudited_act_is_rolled_back(store):
    rows, _ = score_rows.rows_of([score("p1", 1)])
    for work, error in ((fails, ZeroDivisionError), (says_nothing, NotRecorded), (looks_and_says_nothing, NotRecorded)):
        with pytest.raises(error):
            work(store, rows)
    assert entries(store) == []
    with reading(store.engine) as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(StoredScore)) == 0


@pytest.mark.parametrize("meddling", ["UPDATE audit SET who = 'x'", "DELETE FROM audit"])
def test_the_database_itself_lets_no_entry_be_changed(store, meddling):
    store.note(LEAD, "test")
    with pytest.raises(sa.exc.DBAPIError, match="only added to"), writing(store.engine) as connection:
        connection.exec_driver_sql(meddling)
    assert verified(store).whole


COPY = "INSERT INTO audit SELECT {seq}, at, who, role, authority, action, pupils, details, request_id, mac FROM audit WHERE seq = 4"


@pytest.mark.parametrize(
    ("statements", "bad", "why"),
    [
        *(
            (("UPDATE audit SET {} = '{}' WHERE seq = 5".format(*change),), 5, "changed")
            for change in (
                ("at", "2020"),
                ("who", "x"),
                ("role", "x"),
                ("authority", "x"),
                ("action", "x"),
                ("pupils", "[]"),
                ("details", "{}"),
                ("request_id", "x"),
                ("mac", "x"),
            )
        ),
        (("DELETE FROM audit WHERE seq = 5",), 5, "removed"),
        (("DELETE FROM audit WHERE seq = 5", "UPDATE audit SET seq = 5 WHERE seq = 10"), 5, "changed or inserted"),
        (("DELETE FROM audit WHERE seq <= 3",), 1, "not by 'onroll retention'"),
        ((COPY.format(seq=11),), 11, "inserted"),
        ((COPY.format(seq=50),), 11, "removed"),
        (("DELETE FROM audit WHERE seq > 7",), 8, "the audit reached entry 10"),
        (("DELETE FROM audit",), 1, "the audit reached entry 10"),
    ],
)
def test_every_meddling_is_found_at_its_first_row(store, statements, bad, why):
    for n in range(10):
        store.note(LEAD, "test", [f"p{n}"], count=n)
    (first,) = store.anchors.read()
    with store.anchors.file.open("a") as lines:  # the next day's anchor
        last = entries(store)[-1]
        lines.write(json.dumps({"seq": last["seq"], "mac": last["mac"], "at": "2999-01-01"}) + "\n")
    assert (first.seq, verified(store).entries, verified(store).anchors) == (1, 10, 2)
    tamper(store, *statements)
    verification = verified(store)
    assert verification.bad == bad
    assert why in verification.why
    assert not verification.whole


def test_a_true_entry_of_another_past_does_not_fit_in(store):
    for n in range(5):
        store.note(LEAD, "test", count=n)
    other = dict(entries(store)[3])
    tamper(store, "DELETE FROM audit WHERE seq > 2")
    for n in range(5, 8):
        store.note(LEAD, "test", count=n)
    assert verified_anew(store).whole
    values = ", ".join(f"{name} = '{other[name]}'" for name in ("at", "details", "mac"))
    tamper(store, f"UPDATE audit SET {values} WHERE seq = 4")
    found = verified_anew(store)
    assert (found.bad, "changed or inserted" in found.why) == (4, True)


def test_a_rebuilt_chain_does_not_match_its_anchors(store):
    for n in range(3):
        store.note(LEAD, "test", count=n)
    tamper(store, "DELETE FROM audit")
    again = Store(store.engine.url.render_as_string(False), KEY, store.anchors.file.with_name("other"))
    for n in range(3):
        again.note(LEAD, "made up", count=n)
    assert verified(again).whole
    assert (verified_anew(store).bad, "made again" in verified_anew(store).why) == (1, True)
    assert verified(store).bad == 1
    again.engine.dispose()


def test_a_chain_without_its_triggers_or_with_another_key_does_not_verify(own_store):
    own_store.note(LEAD, "test")
    with reading(own_store.engine) as connection:
        other = audit_log.verify(connection, Chain(AuditKeys(b"o" * 32)), own_store.anchors)
    assert (other.bad, other.whole) == (1, False)
    with writing(own_store.engine) as connection:
        where = " ON audit" if connection.dialect.name == "postgresql" else ""
        connection.exec_driver_sql(f"DROP TRIGGER audit_no_delete{where}")
    assert "audit_no_delete" in verified(own_store).why


def append_many(url, anchors, who):
    store = Store(url, KEY, anchors)
    for n in range(20):
        if n % 4:
            store.note(Caller(who, "lead", "801"), "test", count=n)
        else:
            store.save([score(f"{who}{n}", n + 1)], Caller(who, "lead", "801"))


def test_four_processes_keep_one_chain(store, database_url, tmp_path):
    many = multiprocessing.get_context("spawn")
    appending = [many.Process(target=append_many, args=(database_url, tmp_path / "anchors", f"w{n}")) for n in range(4)]
    for process in appending:
        process.start()
    for process in appending:
        process.join(120)
    assert [p.exitcode for p in appending] == [0] * 4
    assert (verified(store).entries, verified(store).why) == (80, "")


def test_threads_that_wait_are_written_with_one_commit_and_all_are_told_when_it_fails(store):
    commits, failed = [], []
    append = store.chain.append
    gate = threading.Event()

    def slow(connection, batch):
        commits.append(len(batch))
        gate.wait(20)
        return append(connection, batch)

    store.chain.append = slow
    threads = [threading.Thread(target=store.note, args=(LEAD, "test")) for _ in range(20)]
    threads[0].start()
    while not commits:
        pass
    for t in threads[1:]:
        t.start()
    while len(store.recorder._waiting) < 19:
        pass
    gate.set()
    for t in threads:
        t.join(30)
    assert commits == [1, 19]
    assert verified(store).entries == 20

    def broken(*_):
        raise sa.exc.OperationalError("", {}, Exception())

    store.chain.append = broken

    def note():
        try:
            store.note(LEAD, "test")
        except Faults as error:
            failed.append(error)

    threads = [threading.Thread(target=note) for _ in range(5)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(30)
    assert len(failed) == 5


def test_refusals_are_recorded_at_once_and_a_flood_as_a_number(store):
    time = [0.0]
    refusals = Refusals(store.note, clock=lambda: time[0])
    for second in (0, 1, 2, 59, 61, 62):
        time[0] = float(second)
        refusals.refused(None, 401, "POST /api/v1/worklist")
    refusals.refused(LEAD, 403, "POST /api/v1/worklist")
    refusals.flush()
    assert [
        (r["who"], json.loads(r["details"])["status"], json.loads(r["details"])["more_since_last"])
        for r in entries(store)
    ] == [
        ("nobody", 401, 0),
        ("nobody", 401, 3),
        ("token:ann", 403, 0),
        ("nobody", 401, 1),
    ]


def test_postgresql_needs_a_key_sqlite_makes_one_and_a_short_one_is_refused(tmp_path):
    sqlite_store = Store(f"sqlite:///{tmp_path / 'own.db'}")
    key = tmp_path / "own.audit-key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "own.db").stat().st_mode & 0o777 == 0o600
    sqlite_store.note(LEAD, "test")
    assert verified(Store(f"sqlite:///{tmp_path / 'own.db'}")).entries == 1
    with pytest.raises(Faults, match="needs a key"):
        Store("postgresql://x@/y?host=/nowhere")
    with pytest.raises(Faults, match="short"):
        Store(f"sqlite:///{tmp_path / 'own.db'}", b"short")


def test_the_verb_verifies_shows_and_exports(tmp_path, monkeypatch):
    monkeypatch.setenv("ONROLL_AUDIT_KEY", "k" * 32)

    def run(*words):
        return CliRunner().invoke(onroll, ["audit", *words])

    store = Store("sqlite:///onroll.db", KEY)
    store.note(Caller("=cmd()", "lead", "801"), "test", ["p1"])
    (tmp_path / "pupils.txt").write_text("p1\n\n p1 \n")
    output = json.loads(run("show", "--pupil-file", "pupils.txt", "--json").output)
    assert [e["who"] for e in output["entries"]] == ["=cmd()"]
    assert run("export", "--out", "a.csv").exit_code == 0
    with (tmp_path / "a.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert (rows[0]["seq"], rows[0]["who"]) == ("1", "'=cmd()")
    assert run("export", "--out", "a.jsonl").exit_code == 0
    assert [json.loads(x)["action"] for x in (tmp_path / "a.jsonl").read_text().splitlines()] == [
        "test",
        "audit.seen",
        "audit.exported",
    ]
    assert isinstance(run("export", "--out", "a.xls").exception, Faults)
    assert not (tmp_path / "a.xls").exists()
    assert run("verify").exit_code == 0
    tamper(store, "UPDATE audit SET who = 'x' WHERE seq = 2")
    output = run("verify", "--json")
    assert (output.exit_code, json.loads(output.output)["bad"]) == (1, 2)


def test_each_line_of_the_registrys_log_is_recorded_once(store, tmp_path):
    file = tmp_path / "releases" / "onroll" / "promotions.jsonl"
    move = {"alias": "champion", "before": None, "by": "ann", "why": "first"}
    lines = [append(file, version=version, **move) for version in (1, 2)]
    with file.open("a") as log:
        log.write('{"half')
    for _ in range(2):
        record_line(store, tmp_path / "releases", "onroll", lines[-1])
    record_line(store, tmp_path / "releases", "onroll", append(file, version=3, **move))
    assert [(r["who"], json.loads(r["details"])["version"]) for r in entries(store)] == [
        ("registry:ann", v) for v in (1, 2, 3)
    ]
    assert verified(store).whole


def test_a_day_without_scores_is_reported(store):
    assert store.worklist(LEAD, date(2025, 1, 1), 9) == []
    assert [r["action"] for r in entries(store)] == ["worklist.seen"]
