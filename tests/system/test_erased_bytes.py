"""Erased records are looked for where they would be: in the bytes of PostgreSQL's files and in its statistics.

Before, a plain VACUUM left the bytes of erased rows in the pages of their tables, ANALYZE kept values of tables that became empty, and nobody looked.
"""

import json
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from serving.cli.main import onroll
from serving.store import Store, database
from serving.store.records import erasure
from serving.store.records.purging import READ_MEANWHILE, purge_files
from serving.store.records.remains import NOT_READ, remains
from tests.support.databases import KEY, database_of
from tests.support.stores import do, hold_everything, verified

GONE, ALSO, STAYS = "gone-1234567", "gone-7654321", "stay-1234567"


@pytest.fixture
def url(postgresql):
    with database_of(postgresql) as own:
        yield own


@pytest.fixture
def store(url, tmp_path):
    opened = Store(url, KEY, tmp_path / "anchors")
    yield opened
    opened.engine.dispose()


@pytest.fixture
def data(postgresql):
    """The data directory of the server."""
    return Path(postgresql.partition("host=")[2]) / "d"


def run_each(store, *statements):
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def sampled(store):
    """The columns of which the server remembers a value with the erased child's identifier."""
    query = "SELECT tablename FROM pg_stats WHERE concat(histogram_bounds, most_common_vals) LIKE '%gone-%'"
    with store.engine.connect() as connection:
        return connection.scalars(sa.text(query)).all()


def tables_with(store, data):
    found = remains(store.engine, [GONE], [data / "base"])
    return (found.looked_for, len(found.found_in) > 0)


@pytest.mark.parametrize("others", [[], [STAYS]], ids=["nobody stays", "another stays"])
def test_no_byte_and_no_statistic_of_an_erased_child_is_left_in_the_tables(store, data, others):
    hold_everything(store, [GONE, ALSO, *others])
    do(store, holds_lift)
    run_each(store, "ANALYZE", "CHECKPOINT")
    assert tables_with(store, data) == (1, True)
    assert sampled(store) != []
    do(store, erasure.erase, [GONE, ALSO], "asked")
    run_each(store, "VACUUM", "CHECKPOINT")
    assert tables_with(store, data) == (1, True), "which is why VACUUM is not enough"
    assert purge_files(store.engine) == ""
    run_each(store, "CHECKPOINT")
    assert (tables_with(store, data), sampled(store)) == ((1, False), [])
    assert remains(store.engine, [GONE], [data / "pg_wal"]).found_in != (), (
        "the write-ahead log is named as not reached"
    )
    assert verified(store).whole


def holds_lift(change):
    from serving.store.records import holds

    holds.lift(change, [GONE, ALSO], "over")


def test_the_command_looks_into_the_servers_files_where_they_are_named_and_says_where_not(
    store, url, data, monkeypatch, tmp_path
):
    monkeypatch.setenv("ONROLL_AUDIT_KEY", KEY.decode())
    monkeypatch.setenv("ONROLL_DATABASE_URL", url)
    monkeypatch.setenv("ONROLL_AUDIT_ANCHOR", str(tmp_path / "anchors"))
    hold_everything(store, [GONE])
    do(store, holds_lift)
    run_each(store, "CHECKPOINT")
    (tmp_path / "pupils.txt").write_text(f"{GONE}\n")
    command = ["erase", "--pupil-file", str(tmp_path / "pupils.txt"), "--reason", "asked"]
    done = CliRunner().invoke(onroll, command)
    assert (done.exit_code, NOT_READ in done.output) == (0, True)
    done = CliRunner().invoke(onroll, [*command, "--look-in", str(data), "--json"])
    output = json.loads(done.output)
    assert (done.exit_code, output["purged"], output["looked_for"]) == (1, False, 1)
    assert {f.split("/")[0] for f in output["found_in"]} == {"pg_wal"}
    assert GONE not in done.output


def test_a_reader_is_waited_for_and_then_named(store, url, monkeypatch):
    monkeypatch.setattr(database, "PATIENCE", 1)
    hold_everything(store, [GONE])
    with closing(psycopg.connect(url)) as reader:
        reader.execute("SELECT count(*) FROM pupils")
        assert purge_files(store.engine) == READ_MEANWHILE
    assert purge_files(store.engine) == ""
