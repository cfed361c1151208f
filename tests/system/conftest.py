"""The stores that the tests of the store run on: SQLite, and PostgreSQL."""

import pytest

from serving.store import Store
from tests.system.databases import KEY, database_of, server


@pytest.fixture(scope="session")
def postgresql():
    with server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path):
    """The URL of an empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'onroll.db'}"
    else:
        with database_of(request.getfixturevalue("postgresql")) as url:
            yield url


@pytest.fixture
def store(database_url, tmp_path):
    made = Store(database_url, KEY, tmp_path / "anchors")
    yield made
    made.engine.dispose()
