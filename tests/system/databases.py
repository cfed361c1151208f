"""Databases for the tests: SQLite files, and a real PostgreSQL server that the tests start from Debian's package."""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

KEY = b"k" * 32


def programs():
    """Return the folder of Debian's newest PostgreSQL, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    return found[-1].parent if found else None


def owner():
    """PostgreSQL refuses to run as root: then it runs as the account that Debian's package made."""
    return {} if os.geteuid() else {"user": "postgres", "group": pwd.getpwnam("postgres").pw_gid, "extra_groups": []}


@contextmanager
def server():
    """Yield the URL of a PostgreSQL server of our own, without a port: it listens on a socket in a folder only."""
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
