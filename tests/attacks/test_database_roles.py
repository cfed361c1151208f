"""Whoever breaks into the service has its database account. Before, that account owned the tables: it could lift the audit's triggers,
delete entries and run programs on the database's server."""

import os
import secrets
import shutil
import subprocess
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from dateutil.relativedelta import relativedelta

from histories.errors import Faults, Usage
from serving.cli.main import onroll
from serving.store import Caller, Store, schema
from serving.store.audit import approvals, pruning
from serving.store.cases import cases, doubts
from serving.store.cases import tables as case_tables  # noqa: F401  (declares tables of the schema)
from serving.store.database import open_engine, reading, writing
from serving.store.privileges import OF_RETENTION, OF_SERVICE, grant
from serving.store.records import erasure, holds, retention
from serving.store.records.purging import purge_files
from serving.store.sign_in import sessions, staff
from serving.store.sign_in.sessions import signed_in
from serving.store.tables import AuditEntry, Base, Pupil, StoredScore
from tests.support.certificates import write_certificates
from tests.support.databases import KEY, owner, programs, server
from tests.support.scores import score
from tests.support.stores import ADMIN, do, gathered, verified

DEPLOY = Path(__file__).parents[2] / "deploy" / "postgres"
HERE = f"127.{secrets.randbelow(200) + 20}.{secrets.randbelow(250)}.9"  # of its own: the port is the same as others'
ROLES = ("onroll_owner", "onroll_service", "onroll_retention", "onroll_access")


@pytest.fixture(scope="module")
def encrypted():
    """Settings of a server that speaks TLS on an address of this machine: its files, and the options."""
    with tempfile.TemporaryDirectory() as folder:
        files = write_certificates(Path(folder), "postgres")
        rules = (DEPLOY / "pg_hba.conf").read_text("utf-8")
        (files / "hba").write_text("local all all trust\n" + rules)
        files.chmod(0o755)  # whatever the umask of this process, the server's account reads them
        for name in ("certificate", "hba"):
            (files / name).chmod(0o644)
        if owner():
            shutil.chown(files / "key", owner()["user"])
        words = {
            "listen_addresses": HERE,
            "ssl": "on",
            "ssl_cert_file": files / "certificate",
            "ssl_key_file": files / "key",
            "hba_file": files / "hba",
        }
        yield files, "-c fsync=off " + " ".join(f"-c {name}={value}" for name, value in words.items())


@pytest.fixture(scope="module")
def accounts(tmp_path_factory, encrypted):
    """The URL of the database for each account, made by the files of the deployment on a server of its own."""
    with server(options=encrypted[1]) as url:
        folder = url.partition("host=")[2]
        passwords = Path(folder) / "secrets"
        passwords.mkdir()
        for role in ROLES:
            (passwords / f"{role.removeprefix('onroll_')}-password").write_text(f"{role}-secret")
        psql = [
            programs() / "psql",
            "-X",
            "-q",
            "-h",
            folder,
            "-U",
            "onroll",
            "-d",
            "postgres",
            "-f",
            DEPLOY / "roles.sql",
        ]
        subprocess.run(psql, check=True, env={**os.environ, "ONROLL_SECRETS": str(passwords)}, capture_output=True)
        urls = {role.removeprefix("onroll_"): f"postgresql://{role}@/onroll?host={folder}" for role in ROLES}
        anchors = tmp_path_factory.mktemp("roles") / "anchors"
        with pytest.raises(Faults, match="may not upgrade"):  # the service does not make the tables
            Store(urls["service"], KEY, anchors)
        schema.upgrade(open_engine(urls["owner"]))
        grant(open_engine(urls["owner"]))
        grant(open_engine(urls["owner"]))  # and again, as after an upgrade
        yield {**urls, "administrator": f"postgresql://onroll@/onroll?host={folder}", "anchors": anchors}


@pytest.fixture
def service(accounts):
    store = Store(accounts["service"], KEY, accounts["anchors"])
    yield store
    store.engine.dispose()


@pytest.fixture
def keeper(accounts):
    store = Store(accounts["retention"], KEY, accounts["anchors"])
    yield store
    store.engine.dispose()


@pytest.fixture
def clerk(accounts):
    """The store as who makes keys uses it."""
    store = Store(accounts["access"], KEY, accounts["anchors"])
    yield store
    store.engine.dispose()


def test_every_table_has_its_rights(accounts):
    declared = {table.__table__ for table in OF_SERVICE}
    assert declared == set(Base.metadata.sorted_tables)
    assert AuditEntry not in OF_RETENTION
    deleted = {table.__tablename__ for table, rights in OF_SERVICE.items() if "DELETE" in rights}
    assert deleted == {
        *("gone", "off_roll", "involvements", "at_home", "silent_registers"),
        *("copied_logs", "sessions", "saved_filters", "personal_details", "taken_answers"),
    }


ATTACKS = {
    "disable a trigger": "ALTER TABLE audit DISABLE TRIGGER audit_no_delete",
    "drop a trigger": "DROP TRIGGER audit_no_delete ON audit",
    "replace what the trigger does": "CREATE OR REPLACE FUNCTION audit_only_added() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "let all triggers rest": "SET session_replication_role = replica",
    "delete entries": "DELETE FROM audit",
    "change entries": "UPDATE audit SET who = 'nobody'",
    "empty the audit": "TRUNCATE audit",
    "prune the audit": "SELECT audit_prune(1)",
    "drop a table": "DROP TABLE audit",
    "alter a table": "ALTER TABLE audit RENAME TO other",
    "add a table": "CREATE TABLE mine (x integer)",
    "add a temporary table": "CREATE TEMP TABLE audit (seq bigint)",
    "add a function": "CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "run a program": "COPY pupils TO PROGRAM 'cat'",
    "read a file of the server": "SELECT pg_read_file('/etc/passwd')",
    "write a file of the server": "COPY pupils TO '/tmp/pupils'",
    "become the owner": "SET ROLE onroll_owner",
    "own a table": "ALTER TABLE audit OWNER TO onroll_service",
    "make a role": "CREATE ROLE mine",
    "delete a score": "DELETE FROM scores",
    "change a score": "UPDATE scores SET risk = 0",
    "delete a case": "DELETE FROM cases",
    "change a note": "UPDATE case_entries SET at = now()",
    "lift the schema's revision": "UPDATE alembic_version SET version_num = '9999'",
    "make an administrator's key": "INSERT INTO keys (key_id, digest, role, urns, created_at) VALUES ('x', 'x', 'administrator', '[]', now())",
    "use a revoked key again": "UPDATE keys SET revoked_at = NULL",
    "let a session last": "UPDATE sessions SET ends_at = now() + interval '9 years'",
    "make a session an administrator's": "UPDATE sessions SET role = 'administrator'",
    "make a key an administrator's": "UPDATE keys SET role = 'administrator'",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_service_cannot(service, attack):
    with service.engine.connect() as connection, pytest.raises(sa.exc.ProgrammingError) as refused:
        connection.exec_driver_sql(ATTACKS[attack])
    assert refused.value.orig.sqlstate == "42501", attack  # insufficient privilege, not a mistake in the statement


def test_the_same_statements_are_valid_for_the_owner_or_the_administrator(accounts):
    """Before, the service's account was the administrator's."""
    engine, refused = open_engine(accounts["administrator"]), []
    for attack, statement in ATTACKS.items():
        with engine.connect() as connection:
            try:
                connection.exec_driver_sql(statement)
            except sa.exc.DBAPIError as error:
                refused += (
                    [attack] if "only added to" not in str(error.orig) and "last entry" not in str(error.orig) else []
                )
            connection.rollback()
    engine.dispose()
    assert refused == []


def test_who_makes_keys_reads_no_child_and_keeps_the_second_person(clerk, monkeypatch):
    """Before, the service's own account made keys: a break-in left one of an administrator, past the second person."""
    monkeypatch.setattr("serving.store.caller.account", lambda: "ann")
    settings = SimpleNamespace(second_person=True)
    with pytest.raises(approvals.NeedsSecondPerson, match="a second person must confirm"):
        approvals.require(clerk, settings, {"command": "keys create"})
    key_id, key = clerk.create_key("lead", "801")
    assert clerk.caller(key).role == "lead"
    clerk.revoke(key_id)
    assert verified(clerk).whole
    with clerk.engine.connect() as connection, pytest.raises(sa.exc.ProgrammingError) as refused:
        connection.exec_driver_sql("SELECT * FROM pupils")
    assert refused.value.orig.sqlstate == "42501"


def test_the_service_does_its_work(service, clerk):
    """Scores again, so that the first are replaced; cases, doubts, casework, staff, sessions, keys, holds, and the audit of all."""
    service.save([score("kept", 1), score("due", 2)])
    service.save([{**score("kept", 1), "risk": 0.5}])
    do(service, sessions.open_session, "Ann")
    lead = Caller("token:ann", "lead", "801")
    with service.change(lead) as change:
        staff.remember(change, "Ann")
        staff.set_capacity(change, "801", "", 5, 0)
    with service.change(ADMIN) as change:
        from serving.store.cases import casework

        for _ in range(2):
            casework.keep(change, gathered("kept", off_roll=["kept"]), "1")
    with reading(service.engine) as connection:
        ref = connection.scalar(sa.select(Pupil.pupil_ref).where(Pupil.pupil_id == "kept"))
    case = do(service, cases.open_case, ref)
    do(service, doubts.doubt, case, 1, "attendance", date(2025, 1, 2), reason="not_so", text="x")
    do(service, cases.close, case, 2, "done")
    key_id, key = clerk.create_key("lead", "801")
    assert service.caller(key).role == "lead"
    secret = do(service, sessions.open_session, "Ann")
    assert signed_in(service.engine, secret, timedelta(minutes=15))
    clerk.revoke(key_id)
    assert service.caller(key) is None
    do(service, holds.place, ["kept"], "court")
    assert do(service, sessions.end_sessions) == 2
    assert verified(service).whole
    assert schema.differences(service.engine) == []


def test_retention_removes_what_is_due_and_the_audits_beginning(service, keeper, accounts):
    """With the account of retention; a trigger lifted meanwhile is back, and a hold keeps its records."""
    service.save([score("old", 3), score("held", 4)])
    do(service, holds.place, ["held"], "court")
    administrator = open_engine(accounts["administrator"])
    with writing(administrator) as connection:
        past = datetime.now(UTC) - relativedelta(months=30)
        connection.execute(sa.update(StoredScore).values(stored_at=past))
    administrator.dispose()
    periods = {**dict.fromkeys(retention.KINDS), "scores": 24}
    assert do(keeper, retention.apply, periods)["scores"] >= 1
    assert do(keeper, erasure.erase, ["held"], "asked").held == 1
    assert (
        do(keeper, pruning.prune, datetime.now(UTC) + timedelta(days=1)) > 0
    )  # up to the first entry about a held pupil
    assert (verified(keeper).first > 1, verified(keeper).whole) == (True, True)
    with pytest.raises(sa.exc.DBAPIError, match="last entry"), keeper.engine.connect() as connection:
        connection.exec_driver_sql("SELECT audit_prune(1000000)")
    with writing(keeper.engine) as connection:
        assert connection.exec_driver_sql(f"SELECT audit_prune({verified(keeper).first})").scalar_one() == 1
    with pytest.raises(sa.exc.ProgrammingError) as refused, keeper.engine.connect() as connection:
        connection.exec_driver_sql("DELETE FROM audit")
    assert refused.value.orig.sqlstate == "42501"
    found = verified(keeper)
    # The chain did not record this pruning, which no key signed: the audit says so, and its triggers are in place.
    assert (found.bad, "not by 'onroll retention'" in found.why) == (1, True)
    assert schema.differences(keeper.engine) == []


def test_retention_says_when_its_account_may_not_purge_the_files_and_the_owner_may(keeper, accounts):
    server_version = keeper.engine.dialect.server_version_info
    with keeper.engine.connect():
        pass
    unpurged = purge_files(keeper.engine)
    if (keeper.engine.dialect.server_version_info or server_version) >= (17,):
        assert "statistics" in unpurged
    assert "onroll database purge" in unpurged
    assert purge_files(open_engine(accounts["owner"])) == ""


def test_grant_names_what_is_missing(accounts, tmp_path):
    with pytest.raises(Usage, match="does not own the tables"):
        grant(open_engine(accounts["service"]))
    with pytest.raises(Usage, match="only PostgreSQL"):
        grant(open_engine(f"sqlite:///{tmp_path / 'onroll.db'}"))


def test_the_verb_upgrades_and_grants(accounts, monkeypatch):
    monkeypatch.setenv("ONROLL_DATABASE_URL", accounts["owner"])
    done = CliRunner().invoke(onroll, ["database", "upgrade", "--grant"])
    assert (done.exit_code, "onroll_service and onroll_retention have what they need" in done.output) == (0, True)


def over_the_network(encrypted, account="service", password=None, **query):
    """Return what a connection over the network says: whether it is encrypted."""
    query = {"hostaddr": HERE, "sslmode": "verify-full", "sslrootcert": encrypted[0] / "authority", **query}
    named = "&".join(f"{name}={value}" for name, value in query.items())
    engine = open_engine(
        f"postgresql://onroll_{account}:{password or f'onroll_{account}-secret'}@postgres/onroll?{named}"
    )
    try:
        with engine.connect() as connection:
            return connection.exec_driver_sql("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").scalar_one()
    finally:
        engine.dispose()


def test_each_account_connects_over_tls_with_its_password(accounts, encrypted):
    for account in ("owner", "service", "retention", "access"):
        assert over_the_network(encrypted, account)


@pytest.mark.parametrize(
    "attack", ["clear text", "another authority", "another name", "wrong password", "administrator"]
)
def test_a_connection_is_refused(accounts, encrypted, tmp_path, attack):
    other = write_certificates(tmp_path, "postgres")
    attempt = {
        "clear text": {"sslmode": "disable"},
        "another authority": {"sslrootcert": other / "authority"},
        "another name": {"host": "elsewhere"},
        "wrong password": {"password": "x"},
        "administrator": {"account": "administrator"},
    }[attack]
    with pytest.raises(sa.exc.OperationalError):
        over_the_network(encrypted, **attempt)
