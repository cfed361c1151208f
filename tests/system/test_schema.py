"""New databases, upgraded ones and those from before migrations all have the declared schema."""

import json
import multiprocessing
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from histories.errors import Faults
from serving.store import Caller, Store, database, schema
from serving.store.database import open_engine, reading, writing
from serving.store.packed import words
from serving.store.tables import Pupil, StoredScore
from tests.support.databases import KEY
from tests.support.scores import parsed, score

CATALOGUE = {
    "sqlite": "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name",
    "postgresql": """
        SELECT table_name, column_name, data_type || is_nullable || coalesce(character_maximum_length, 0) FROM information_schema.columns
        WHERE table_schema = 'public' UNION SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION SELECT 'trigger', tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2, 3""",
}


def described(engine):
    with reading(engine) as connection:
        return [tuple(row) for row in connection.exec_driver_sql(CATALOGUE[connection.dialect.name])]


def fill_as_before(engine):
    """Run the first migration, and add data as of that time."""
    schema.upgrade(engine, "0001")
    now = datetime(2025, 2, 1, tzinfo=UTC)
    with writing(engine) as connection:
        tables = sa.MetaData()
        tables.reflect(connection)
        rows = []
        for n in range(1, 602):
            s = score(f"p{n}", n)
            row = {
                k: s[k] for k in ("pupil_id", "model_version", "authority", "urn", "nc_year", "band", "rank", "risk")
            }
            row |= {"as_of": date(2025, 1, 13), "stored_at": now, "body": json.dumps(s)}
            rows.append(row)
        connection.execute(sa.insert(tables.tables["scores"]), rows)
        key = {"key_id": "k", "digest": "d", "role": "lead", "authority": "801", "urns": "[]", "created_at": now}
        connection.execute(
            sa.insert(tables.tables["keys"]),
            [
                {**key, "expires": None, "revoked": False},
                {**key, "key_id": "r", "digest": "e", "expires": None, "revoked": True},
            ],
        )


def test_the_steps_end_in_what_is_declared(own_store):
    assert schema.differences(own_store.engine) == []
    with writing(own_store.engine) as connection:
        connection.exec_driver_sql("DROP INDEX scores_by_list")
        where = " ON audit" if connection.dialect.name == "postgresql" else ""
        connection.exec_driver_sql(f"DROP TRIGGER audit_no_update{where}")
    differences = " ".join(schema.differences(own_store.engine))
    assert "scores_by_list" in differences
    assert "audit_no_update" in differences


@pytest.mark.parametrize("stamped", [True, False])
def test_a_database_of_before_is_carried_over_whole(empty_url, request, tmp_path, stamped):
    engine = open_engine(empty_url)
    fill_as_before(engine)
    if not stamped:
        with writing(engine) as connection:
            connection.exec_driver_sql("DROP TABLE alembic_version")
    carried = Store(empty_url, KEY, tmp_path / "anchors")
    lead = Caller("lead", "lead", "801")
    assert parsed(carried.worklist(lead, None, 1000)) == [score(f"p{n}", n) for n in range(1, 602)]
    assert [(k["key_id"], k["revoked"]) for k in carried.list_keys()] == [("k", False), ("r", True)]
    assert [k["holder"] for k in carried.list_keys()] == ["lead key of 2025-02-01", "lead key of 2025-02-01, number 2"]
    assert schema.differences(carried.engine) == []
    before = described(carried.engine)
    with writing(engine) as connection:  # and a new one looks the same
        for name in reversed(list(before_tables(connection))):
            connection.execute(sa.schema.DropTable(name))
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("DROP FUNCTION audit_only_added")
    assert described(Store(empty_url, KEY, tmp_path / "anchors").engine) == before
    carried.engine.dispose()
    engine.dispose()


def test_stored_scores_are_packed_and_stay_as_they_were(empty_url):
    """Revision 0019: the same text to the byte, the list in a column of its own, and a fraction of the bytes."""
    engine = open_engine(empty_url)
    schema.upgrade(engine, "0018")
    scores = [{**json.loads(text), "pupil_id": f"p{n}"} for n, text in enumerate(words().decode().split("\n"))]
    del scores[0]["list"]
    now, day = datetime(2025, 2, 1, tzinfo=UTC), date(2025, 1, 13)
    rows = []
    for n, s in enumerate(scores):
        identity = {k: s[k] for k in ("pupil_id", "model", "model_version", "definition", "horizon_days")}
        place = {k: s[k] for k in ("authority", "urn", "nc_year", "band", "rank", "risk")}
        digests = {"catalogue_digest": "c", "features_digest": "f"}
        body = json.dumps(s, ensure_ascii=False)
        rows.append({"score_id": f"s{n}", **identity, **place, **digests, "as_of": day, "stored_at": now, "body": body})
    with writing(engine) as connection:
        tables = sa.MetaData()
        tables.reflect(connection)
        connection.execute(sa.insert(tables.tables["scores"]), rows)
    schema.upgrade(engine)
    with reading(engine) as connection:
        kept = connection.execute(sa.select(StoredScore.body, StoredScore.list_name).order_by(StoredScore.score_id))
        assert [tuple(r) for r in kept] == [(r["body"], s.get("list")) for r, s in zip(rows, scores, strict=True)]
        size = connection.exec_driver_sql("SELECT sum(length(body)) FROM scores").scalar()
    assert size * 10 < sum(len(r["body"]) for r in rows)
    engine.dispose()


def test_who_signed_in_with_a_key_gets_its_name(empty_url):
    """Revision 0018: the day is that in England, and no page shows the key's id."""
    engine = open_engine(empty_url)
    schema.upgrade(engine, "0017")
    at = datetime(2025, 6, 30, 23, 30, tzinfo=UTC)
    scope = {"role": "lead", "authority": "801", "urns": "[]"}
    person = {"person_id": "k", "name": "k", "localities": "[]", "active": True, "version": 1, "changed_at": at}
    session = {"digest": "d", "person_id": "k", "name": "k", "granted": "[]", "opened_at": at, "ends_at": at}
    rows = {
        "keys": {"key_id": "k", "digest": "d", "created_at": at, **scope},
        "people": {**person, **scope, "changed_by": "k"},
        "sessions": {**session, **scope, "seen_at": at},
    }
    with writing(engine) as connection:
        tables = sa.MetaData()
        tables.reflect(connection)
        for name, row in rows.items():
            connection.execute(sa.insert(tables.tables[name]), row)
    schema.upgrade(engine)
    with reading(engine) as connection:
        names = [connection.exec_driver_sql(f"SELECT name FROM {t}").scalar() for t in ("people", "sessions")]
    assert names == ["lead key of 2025-07-01"] * 2
    engine.dispose()


def test_duties_that_two_authorities_shared_are_parted(empty_url):
    """Revision 0017: one row was the duty of both; each gets its own, and duties of the histories stay as they are."""
    engine = open_engine(empty_url)
    schema.upgrade(engine, "0016")
    now, day = datetime(2025, 2, 1, tzinfo=UTC), date(2025, 1, 13)
    who = {"version": 1, "changed_at": now, "changed_by": "k"}
    with writing(engine) as connection:
        tables = sa.MetaData()
        tables.reflect(connection)
        pupil = {"pupil_id": "p1", "pupil_ref": "r1", "authority": "802", "urn": "1", "nc_year": 5, "as_of": day}
        connection.execute(sa.insert(tables.tables["pupils"]), pupil)
        duty = {"pupil_id": "p1", "urn": "1", "started_on": day, "due_on": day, "as_of": day, **who}
        kinds = ("consent", "unauthorised_10", "home_education")
        connection.execute(
            sa.insert(tables.tables["clocks"]), [{"clock_id": kind, "kind": kind, **duty} for kind in kinds]
        )
        case = {"pupil_id": "p1", "opened_at": now, "opened_by": "k", "closed_at": now, **who}
        of_case = [("closed", "801"), ("open", "801"), ("other", "802")]
        connection.execute(
            sa.insert(tables.tables["cases"]), [{"case_id": c, "authority": a, **case} for c, a in of_case]
        )
        entry = {"kind": "register", "record": "consent", "on_day": day, "version": 1, "by": "k"}
        connection.execute(
            sa.insert(tables.tables["case_entries"]),
            [
                {"entry_id": f"e{n}", "case_id": c, "code": code, "at": now + timedelta(hours=n), **entry}
                for n, (c, code) in enumerate(
                    [("closed", "flexi"), ("other", "flexi"), ("open", "flexi"), ("other", "given")]
                )
            ],
        )
    schema.upgrade(engine)
    with reading(engine) as connection:
        rows = connection.exec_driver_sql("SELECT kind, case_id FROM clocks ORDER BY kind, case_id").all()
    assert [tuple(row) for row in rows] == [
        ("consent", "open"),
        ("consent", "other"),
        ("home_education", ""),
        ("unauthorised_10", ""),
    ]
    assert schema.differences(engine) == []
    engine.dispose()


def test_pupils_of_before_are_not_said_to_have_left(empty_url):
    """Revision 0022: nothing is known of it until the next scoring, and the pages show what they showed."""
    engine = open_engine(empty_url)
    schema.upgrade(engine, "0021")
    pupil = {"pupil_id": "p1", "pupil_ref": "r1", "authority": "802", "urn": "1", "nc_year": 5, "as_of": "2025-01-13"}
    with writing(engine) as connection:
        connection.execute(
            sa.text("INSERT INTO pupils VALUES (:pupil_id, :pupil_ref, :authority, :urn, :nc_year, :as_of)"), pupil
        )
    schema.upgrade(engine)
    with reading(engine) as connection:
        row = connection.execute(sa.select(Pupil.__table__)).mappings().one()
    assert dict(row) == dict.fromkeys(row) | pupil | {"as_of": date(2025, 1, 13)}
    engine.dispose()


STOPS = {
    "a person of the first": ("person", "802", "ours", ("other", "open")),
    "a person of the last": ("person", "801", "ours", ("open", "other")),
    "a record of the first": ("record", None, None, ("other", "open")),
    "nobody that the audit knows": ("person", None, "ours", ("open", "other")),
}


@pytest.mark.parametrize(("how", "by", "text", "cases"), STOPS.values(), ids=STOPS)
def test_a_shared_duty_that_was_stopped_stays_so_only_for_who_stopped_it(empty_url, how, by, text, cases):
    """Before, the copy took over the other authority's stop and text, and nobody did that authority's duty."""
    engine = open_engine(empty_url)
    schema.upgrade(engine, "0016")
    now, day = datetime(2025, 2, 1, tzinfo=UTC), date(2025, 1, 13)
    end = now + timedelta(hours=9)
    who = {"version": 2, "changed_at": now, "changed_by": "k"}
    register = {"kind": "register", "record": "part_time", "on_day": day, "version": 1}
    begun = [("other", "of 802", 1, date(2025, 3, 3)), ("open", "of 801", 2, date(2025, 4, 4))]
    stop = {"stopped_at": end, "stopped_how": how, "stopped_text": text, "version": 2, "changed_at": end}
    duty = {"clock_id": "c", "kind": "part_time_review", "pupil_id": "p1", "urn": "1", "started_on": day, "as_of": day}
    heard = {
        "seq": 1,
        "at": "x",
        "who": "k",
        "role": "lead",
        "pupils": "[]",
        "mac": "m",
        "details": '{"clock_id": "c"}',
    }
    rows = {
        "pupils": [{"pupil_id": "p1", "pupil_ref": "r1", "authority": "802", "urn": "1", "nc_year": 5, "as_of": day}],
        "clocks": [{**duty, "due_on": date(2025, 4, 4), "changed_by": "k", **stop}],
        "cases": [
            {
                "case_id": c,
                "authority": a,
                "pupil_id": "p1",
                "opened_at": now,
                "opened_by": "k",
                "closed_at": now,
                **who,
            }
            for c, a in (("other", "802"), ("open", "801"))
        ],
        "case_entries": [
            {
                **register,
                "entry_id": c,
                "case_id": c,
                "code": "x",
                "by": k,
                "review_on": r,
                "at": now + timedelta(hours=n),
            }
            for c, k, n, r in begun
        ],
        "audit": [{**heard, "authority": by, "action": "clock.stopped"}] if by else [],
    }
    if how == "record":
        ending = {"entry_id": "e", "case_id": "other", "code": "ended", "by": "k", "review_on": None, "at": end}
        rows["case_entries"].append({**register, **ending})
    with writing(engine) as connection:
        tables = sa.MetaData()
        tables.reflect(connection)
        for name, given in rows.items():
            if given:
                connection.execute(sa.insert(tables.tables[name]), given)
    schema.upgrade(engine)
    with reading(engine) as connection:
        found = connection.exec_driver_sql(
            "SELECT case_id, stopped_how, stopped_text, changed_by, version, due_on FROM clocks ORDER BY stopped_how IS NULL"
        ).all()
    stopped, running = cases
    of = {c: (k, str(review)) for c, k, _, review in begun}
    assert [tuple(map(str, row)) for row in found] == [
        (stopped, how, str(text), "k", "2", "2025-04-04"),
        (running, "None", "None", of[running][0], "1", of[running][1]),
    ]
    engine.dispose()


def before_tables(connection):
    tables = sa.MetaData()
    tables.reflect(connection)
    return tables.sorted_tables


def open_it(url, anchors):
    Store(url, KEY, anchors)


def test_processes_opening_a_new_database_at_once_create_it_once(empty_url, tmp_path):
    many = multiprocessing.get_context("spawn")
    opening = [many.Process(target=open_it, args=(empty_url, tmp_path / "anchors")) for _ in range(3)]
    for process in opening:
        process.start()
    for process in opening:
        process.join(60)
    assert [p.exitcode for p in opening] == [0, 0, 0]
    assert schema.differences(open_engine(empty_url)) == []


def test_a_new_file_that_is_in_use_is_waited_for(tmp_path, monkeypatch):
    """SQLite fails immediately, whatever its timeout, if two connections would wait for each other."""
    with closing(sqlite3.connect(tmp_path / "onroll.db", isolation_level=None)) as other:
        other.execute("CREATE TABLE anything (there)")
        other.execute("BEGIN EXCLUSIVE")
        monkeypatch.setattr(database.time, "sleep", lambda _: other.execute("COMMIT") if other.in_transaction else None)
        with closing(sqlite3.connect(tmp_path / "onroll.db", timeout=0)) as ours:
            database._keep_wal(ours)
            assert ours.execute("PRAGMA journal_mode").fetchall() == [("wal",)]


def test_a_database_of_a_newer_onroll_is_left_alone(own_store, empty_url, tmp_path):
    with writing(own_store.engine) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Faults, match="revision 9999"):
        Store(empty_url, KEY, tmp_path / "anchors")
