"""A released model with its log, the application that serves it, the audit, and staff of two authorities."""

from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from histories.settings import settings
from serving.http.api import make_app
from serving.http.guard import Guard
from serving.store.database import reading
from serving.store.tables import Pupil
from tests.support.forms import submit
from tests.support.released import alias, release
from tests.support.scores import full_score

STAFF = """
[development]
worker = {role = "worker", authority = "801"}
lead = {role = "lead", authority = "801"}
analyst = {role = "analyst", authority = "801"}
worker-2 = {role = "worker", authority = "802"}
lead-2 = {role = "lead", authority = "802"}
"""
CHILD = "P-ATTACKED"


@pytest.fixture
def releases(tmp_path, bundle):
    folder = tmp_path / "mlruns" / "releases"
    release(folder, bundle, 1)
    alias(folder, champion=1)
    return folder


@pytest.fixture
def staffed(tmp_path, bundle, monkeypatch):
    """The application with one child, of authority 801: ``store``, the ``child`` and its ``path``, ``access`` and ``visit(user)``."""
    access = tmp_path / "access.toml"
    access.write_text(STAFF)
    monkeypatch.setenv("ONROLL_ACCESS", str(access))
    monkeypatch.setenv("ONROLL_MODEL", str(bundle))
    monkeypatch.setenv("ONROLL_DEVELOPMENT", "1")
    app = make_app(settings(), "127.0.0.1")
    store = app.state.store
    store.save([full_score(CHILD, "801")])
    with reading(store.engine) as connection:
        path = f"/pupils/{connection.scalar(sa.select(Pupil.pupil_ref))}"

    def visit(user):
        guarded = Guard(app, people=app.state.people, refusals=store.refusals)
        client = TestClient(guarded, base_url="http://127.0.0.1", follow_redirects=False)
        submit(client, "/sign-in", "/sign-in", user=user)
        return client

    yield SimpleNamespace(store=store, path=path, child=CHILD, visit=visit, access=access, app=app)
    store.engine.dispose()
