"""A released model with its log, the application that serves it, the audit, staff of two authorities, and a provider to sign in at."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.testclient import TestClient

from histories.settings import settings
from serving.access.places import Places
from serving.http.api import make_app
from serving.http.guard import Guard
from serving.store.database import reading
from serving.store.tables import Pupil
from tests.support import sign_in_provider
from tests.support.forms import submit
from tests.support.identity_provider import signing_key
from tests.support.released import alias, recorded, release
from tests.support.scores import full_score
from tests.support.sign_in_provider import CLIENT, SECRET
from tests.support.signing_in import ACCESS, CONFIDENTIAL

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
    recorded(folder)
    return folder


@pytest.fixture
def service(releases):
    app = make_app(settings())
    client = TestClient(app)
    _, key = app.state.store.create_key("lead", "801")
    client.headers["Authorization"] = f"Bearer {key}"
    return client


@pytest.fixture
def keys(tmp_path):
    private = Ed25519PrivateKey.generate()
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    return private.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain), private.public_key().public_bytes(
        pem, spki
    )


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
        client = TestClient(guarded, base_url="http://127.0.0.1", follow_redirects=False, client=("127.0.0.1", 50_000))
        submit(client, "/sign-in", "/sign-in", user=user)
        return client

    yield SimpleNamespace(store=store, path=path, child=CHILD, visit=visit, access=access, app=app)
    store.engine.dispose()


@pytest.fixture(scope="module")
def signer():
    return signing_key()


@pytest.fixture
def world(tmp_path, bundle, monkeypatch, signer):
    """Start a provider and an application: ``make(sign_in, tokens, secret)`` returns both."""
    opened = []

    @contextmanager
    def started(sign_in=CONFIDENTIAL, tokens="", secret=SECRET):
        with sign_in_provider.provider(signer, secret=secret) as state:
            (tmp_path / "client.secret").write_text(SECRET + "\n")
            (tmp_path / "client.secret").chmod(0o600)
            text = ACCESS.format(issuer=state.issuer, client=CLIENT, sign_in=sign_in, tokens=tokens)
            (tmp_path / "access.toml").write_text(text)
            monkeypatch.setenv("ONROLL_ACCESS", "access.toml")
            monkeypatch.setenv("ONROLL_MODEL", str(bundle))
            app = make_app(settings(), "127.0.0.1")
            opened.append(app)
            yield state, app

    yield started
    for app in opened:
        app.state.store.engine.dispose()


@pytest.fixture(scope="module")
def standing(tmp_path_factory, bundle, signer):
    """One provider and one application for the tests that change neither."""
    folder = tmp_path_factory.mktemp("standing")
    with sign_in_provider.provider(signer) as state, pytest.MonkeyPatch.context() as patch:
        (folder / "client.secret").write_text(SECRET)
        (folder / "client.secret").chmod(0o600)
        text = ACCESS.format(issuer=state.issuer, client=CLIENT, sign_in=CONFIDENTIAL, tokens="")
        (folder / "access.toml").write_text(text)
        patch.setenv("ONROLL_ACCESS", str(folder / "access.toml"))
        patch.setenv("ONROLL_DATABASE_URL", f"sqlite:///{folder / 'onroll.db'}")
        patch.setenv("ONROLL_MODEL", str(bundle))
        app = make_app(settings(), "127.0.0.1")
        sound = dict(vars(state))
        yield state, app, sound
        app.state.store.engine.dispose()


@pytest.fixture
def still(standing):
    state, app, sound = standing
    vars(state).update({**sound, "codes": {}, "redeemed": [], "asked": []})
    app.state.page_context.provider.places = Places()
    return state, app
