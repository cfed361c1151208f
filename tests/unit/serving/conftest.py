"""The application in this process, behind its guard, with the key of a lead."""

import pytest
from starlette.testclient import TestClient

from histories.settings import settings
from serving.http.api import make_app
from serving.http.guard import Guard


@pytest.fixture
def service(bundle, monkeypatch):
    monkeypatch.setenv("ONROLL_MODEL", str(bundle))
    app = make_app(settings())
    guard = Guard(app, limit=2_000_000, refusals=app.state.store.refusals)
    client = TestClient(guard, raise_server_exceptions=False)
    client.store = app.state.store
    _, key = client.store.create_key("lead", "801")
    client.headers["Authorization"] = f"Bearer {key}"
    return client
