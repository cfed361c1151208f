"""The score store answers alike on SQLite and on a real PostgreSQL server, which the tests start themselves."""

import os
import pwd
import shutil
import subprocess
import tempfile
from datetime import date
from pathlib import Path

import pytest

from histories.faults import Faults
from serving.store import Base, Store


def programs():
    """Return the folder of Debian's newest PostgreSQL, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    return found[-1].parent if found else None


def owner():
    """PostgreSQL refuses to run as root: then it runs as the account that Debian's package made."""
    return {} if os.geteuid() else {"user": "postgres", "group": pwd.getpwnam("postgres").pw_gid, "extra_groups": []}


@pytest.fixture(scope="session")
def postgresql():
    """The URL of a PostgreSQL server of our own, without a port: it listens on a socket in a folder only."""
    where = programs()
    if where is None:
        reason = "no PostgreSQL programs under /usr/lib/postgresql; .ci/run installs them"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    account = owner()
    try:
        if account:
            shutil.chown(folder, account["user"])
        run = {"check": True, "stdout": subprocess.DEVNULL, "cwd": folder, **account}
        subprocess.run([where / "initdb", "-D", folder / "d", "-U", "onroll", "-A", "trust", "--no-sync"], **run)
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        subprocess.run(
            [where / "pg_ctl", "-D", folder / "d", "-l", folder / "log", "-w", "-o", options, "start"], **run
        )
        try:
            yield f"postgresql://onroll@/postgres?host={folder}"
        finally:
            subprocess.run([where / "pg_ctl", "-D", folder / "d", "-m", "immediate", "stop"], **run)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request, tmp_path):
    url = f"sqlite:///{tmp_path / 'onroll.db'}" if request.param == "sqlite" else request.getfixturevalue("postgresql")
    made = Store(url)
    yield made
    Base.metadata.drop_all(made.engine)
    made.engine.dispose()


def score(pupil, rank, authority="801", version="1", day="2025-01-13"):
    return {
        "pupil_id": pupil, "as_of": day, "model_version": version, "authority": authority, "urn": f"1000{rank % 2}", "nc_year": 7,
        "band": "high" if rank == 1 else "usual", "rank": rank, "risk": 1 / (rank + 1), "reasons": [{"theme": "é 'quoted' %s"}],
    }  # fmt: skip


def test_scores_come_back_as_they_were_stored(store):
    given = [score(f"p{n}", n) for n in range(1, 1203)]
    assert store.save(given) == 1202
    _, key = store.create_key("lead", "801")
    caller = store.caller(key)
    assert store.worklist(caller, None, 3, None, None, None) == given[:3]
    assert store.worklist(caller, date(2025, 1, 13), 10, "10001", 7, "high") == given[:1]
    assert store.scores(caller, ["p5", "p2", "nobody"], None) == [given[1], given[4]]


def test_storing_again_replaces_and_a_new_version_stands_beside(store):
    store.save([score("p1", 1)])
    store.save([{**score("p1", 2)}, score("p1", 1, version="2")])
    _, key = store.create_key("lead", "801")
    (found,) = store.worklist(store.caller(key), None, 9, None, None, None)
    assert found["rank"] in (1, 2)
    with store.engine.connect() as connection:
        assert connection.exec_driver_sql("select count(*) from scores").scalar() == 2


def test_a_caller_sees_the_own_authority_and_schools_only(store):
    store.save([score("own", 1), score("other", 2), score("far", 1, authority="802")])
    _, lead = store.create_key("lead", "801")
    _, worker = store.create_key("worker", "801", ["10000"])
    _, administrator = store.create_key("administrator")
    seen = lambda key: {s["pupil_id"] for s in store.worklist(store.caller(key), None, 9, None, None, None)}  # noqa: E731
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
