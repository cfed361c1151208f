"""The stores that the tests of the store run on: SQLite, and PostgreSQL."""

import pytest

from serving.store import Store
from serving.store.database import open_engine, writing
from serving.store.tables import Base
from tests.support.databases import KEY, database_of, server


@pytest.fixture(scope="session")
def postgresql():
    with server() as url:
        yield url


@pytest.fixture(scope="session")
def laid(postgresql, tmp_path_factory):
    """The URL of one database of the server with the schema: making one for each test would take longer than the test."""
    with database_of(postgresql) as url:
        Store(url, KEY, tmp_path_factory.mktemp("laid") / "anchors").engine.dispose()
        yield url


def emptied(url):
    engine = open_engine(url)
    with writing(engine) as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")  # the audit's triggers rest
        for table in Base.metadata.sorted_tables:
            connection.exec_driver_sql(f"DELETE FROM {table.name}")
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path):
    """The URL of a database of each kind without a row."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'onroll.db'}"
    else:
        url = request.getfixturevalue("laid")
        yield url
        emptied(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request, tmp_path):
    """The URL of a database of each kind without a schema, for tests that change it."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'onroll.db'}"
    else:
        with database_of(request.getfixturevalue("postgresql")) as url:
            yield url


@pytest.fixture
def store(database_url, tmp_path):
    opened = Store(database_url, KEY, tmp_path / "anchors")
    yield opened
    opened.engine.dispose()


@pytest.fixture
def own_store(empty_url, tmp_path):
    """A store whose schema the test may spoil."""
    opened = Store(empty_url, KEY, tmp_path / "anchors")
    yield opened
    opened.engine.dispose()
