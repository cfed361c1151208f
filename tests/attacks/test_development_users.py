"""Development users need no secret: they must be enabled explicitly, without other authenticators, for direct local requests only.

Before, they answered behind a proxy on 127.0.0.1, and whoever reached the port and named localhost.
"""

import os

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from histories.errors import Faults
from histories.settings import settings
from serving.access.configuration import Configuration
from serving.access.permissions import RULES
from serving.cli.main import onroll
from serving.http.api import make_app

USERS = """
[development]
someone = {role = "lead", authority = "801"}
"""
TOKENS = """
[tokens]
issuer = "https://id.example"
audience = "onroll"
jwks = "https://id.example/keys"
[roles]
"Onroll.Worker" = "worker"
"""
PROXY = """
[proxy]
secret_file = "secret"
roles_header = "X-Forwarded-Groups"
[roles]
"Onroll.Worker" = "worker"
"""
AS_SOMEONE = {"Authorization": "Bearer dev:someone"}
THROUGH_A_PROXY = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Host": "localhost",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-User": "cat",
    "X-Real-IP": "203.0.113.9",
    "Forwarded": "for=203.0.113.9",
    "Via": "1.1 gateway",
    "X-Original-Host": "onroll.example",
    "True-Client-IP": "203.0.113.9",
}


@pytest.fixture
def access(tmp_path, bundle, monkeypatch):
    (tmp_path / "access.toml").write_text(USERS)
    monkeypatch.setenv("ONROLL_ACCESS", "access.toml")
    monkeypatch.setenv("ONROLL_MODEL", str(bundle))
    monkeypatch.setenv("ONROLL_DEVELOPMENT", "1")
    return tmp_path / "access.toml"


@pytest.fixture
def app(access):
    return make_app(settings(), "127.0.0.1")


def from_(app, address):
    return TestClient(app, base_url="http://127.0.0.1", follow_redirects=False, client=(address, 50_000))


@pytest.fixture
def client(app):
    return from_(app, "127.0.0.1")


def test_development_users_answer_direct_requests_on_this_machine(client):
    assert client.get("/api/v1/model", headers=AS_SOMEONE).status_code == 200
    assert client.get("http://localhost:3000/api/v1/model", headers=AS_SOMEONE).status_code == 200
    assert client.get("/api/v1/model", headers={"Authorization": "Bearer dev:other"}).status_code == 401


@pytest.mark.parametrize("header", THROUGH_A_PROXY)
def test_a_request_through_a_proxy_is_refused_on_every_route(client, header):
    headers = {**AS_SOMEONE, header: THROUGH_A_PROXY[header]}
    for rule in RULES:
        assert client.request(rule.method, rule.route, headers=headers).status_code == 403, rule.route


@pytest.mark.parametrize("address", ["192.0.2.9", "2001:db8::9", "::ffff:192.0.2.9", "", "this machine"])
def test_a_request_from_another_machine_is_refused_whatever_it_says(app, address):
    """Before, ``ONROLL_HOST=127.0.0.1 bentoml serve --host 0.0.0.0`` and ``Host: localhost`` were enough."""
    for path in ("/api/v1/model", "/sign-in", "/livez"):
        assert from_(app, address).get(path, headers={**AS_SOMEONE, "Host": "localhost"}).status_code == 403
    assert from_(app, "::1").get("/api/v1/model", headers=AS_SOMEONE).status_code == 200


def test_a_request_in_the_protocol_of_proxies_is_refused(app):
    """What nginx sends with its defaults: HTTP/1.0, its own address, and as host the address that it was told."""

    async def old(scope, receive, send):
        await app({**scope, "http_version": "1.0"}, receive, send)

    assert from_(old, "127.0.0.1").get("/api/v1/model", headers=AS_SOMEONE).status_code == 403


@pytest.mark.parametrize("host", ["onroll.example", "203.0.113.9", "127.0.0.1.example", "localhost.example"])
def test_a_request_for_another_host_is_refused(client, host):
    for path in ("/api/v1/model", "/sign-in"):
        assert client.get(path, headers={**AS_SOMEONE, "Host": host}).status_code == 403


@pytest.mark.parametrize("host", [None, "0.0.0.0", "192.0.2.1", "::", "example.org"])
def test_the_service_does_not_start_with_development_users_on_another_host(access, host):
    with pytest.raises(Faults, match="only for this machine"):
        make_app(settings(), host)


@pytest.mark.parametrize("flag", [None, "", "0", "true"])
def test_the_service_does_not_start_with_development_users_without_the_flag(access, monkeypatch, flag):
    if flag is None:
        monkeypatch.delenv("ONROLL_DEVELOPMENT")
    else:
        monkeypatch.setenv("ONROLL_DEVELOPMENT", flag)
    with pytest.raises(Faults, match="must be asked for"):
        make_app(settings(), "127.0.0.1")


@pytest.mark.parametrize("options", [[], ["--host", "0.0.0.0", "--development"]])
def test_serve_refuses_to_start(access, monkeypatch, options):
    monkeypatch.setattr(os, "execv", lambda *_: pytest.fail("it starts"))
    refused = CliRunner().invoke(onroll, ["serve", *options])
    assert isinstance(refused.exception, Faults)


@pytest.mark.parametrize("others", [TOKENS, PROXY], ids=["tokens", "proxy"])
def test_development_users_are_refused_beside_tokens_or_a_proxy(access, others):
    (access.parent / "secret").write_text("s" * 40)
    (access.parent / "secret").chmod(0o600)
    access.write_text(others)
    Configuration.load(access)
    access.write_text(USERS + others)
    with pytest.raises(Faults, match="beside real ones"):
        Configuration.load(access)
