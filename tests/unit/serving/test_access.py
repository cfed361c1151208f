"""Permissions: the table against every route, role and authenticator."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest
from starlette.testclient import TestClient

from histories.errors import Faults
from histories.settings import settings
from serving.access.configuration import Configuration
from serving.access.permission import OPEN
from serving.access.permissions import RULES, find, matrix
from serving.http.api import make_app
from serving.roles import ROLES
from tests.support import identity_provider
from tests.support.identity_provider import jwks, signing_key
from tests.support.scores import full_score

SECRET = "s" * 40
FILE = """
[tokens]
issuer = "https://id.example"
audience = "onroll"
jwks = "jwks.json"
[proxy]
secret_file = "secret"
roles_header = "X-Forwarded-Groups"
[roles]
"Onroll.Worker" = "worker"
"Onroll.Analyst" = "analyst"
"Onroll.Administrator" = "administrator"
[groups]
"cme-801" = {authority = "801"}
"north-801" = {authority = "801", locality = "north"}
"cme-802" = {authority = "802"}
[localities]
north = ["100", "101"]
"""
# The request for each route; a missing route fails the test, like one without a permission.
ASKED = {
    "/api/v1/score": {
        "as_of": "2025-01-13",
        "histories": {
            "pupils": [{"pupil_id": "A1", "date_of_birth": "2014-05-01", "authority": "801"}],
            "enrolments": [{"pupil_id": "A1", "urn": "100", "entry_date": "2018-09-04"}],
        },
    },
    "/api/v1/scores": {"pupil_ids": ["A1"]},
    "/api/v1/worklist": {},
    "/api/v1/counts": {},
    **dict.fromkeys(("/api/v1/model", "/api/v1/openapi.json", "/openapi.json", "/schema.json")),
    **dict.fromkeys(("/livez", "/readyz", "/metrics")),
}
INTERFACE = [r for r in RULES if not r.page and r.route != "/assets/{name}"]  # tests/pages tests the others


@pytest.fixture(scope="module")
def signer():
    return signing_key()


@pytest.fixture
def files(tmp_path, signer):
    (tmp_path / "jwks.json").write_text(jwks(signer, use="sig"))
    (tmp_path / "secret").write_text(SECRET + "\n")
    (tmp_path / "secret").chmod(0o600)
    (tmp_path / "access.toml").write_text(FILE)
    return tmp_path


@pytest.fixture
def client(files, bundle, monkeypatch):
    monkeypatch.setenv("ONROLL_MODEL", str(bundle))
    monkeypatch.setenv("ONROLL_ACCESS", "access.toml")
    app = make_app(settings(), "127.0.0.1")
    client = TestClient(app, raise_server_exceptions=False)
    client.store = app.state.store
    return client


def token(signer, **changes):
    claims = {"sub": "u1", "roles": ["Onroll.Worker"], "groups": ["cme-801"], **changes}
    return identity_provider.token(signer, without={n for n, v in claims.items() if v is None}, **claims)


def call(client, rule, headers):
    return client.request(rule.method, rule.route, json=ASKED[rule.route], headers=headers)


def test_every_route_of_the_application_has_a_rule_and_every_rule_a_route(client):
    declared = {
        (method, route.path)
        for route in client.app.routes
        if hasattr(route, "methods")
        for method in route.methods
        if method != "HEAD"
    }
    assert declared == {(r.method, r.route) for r in RULES}
    assert {r.route for r in INTERFACE} == set(ASKED)
    assert all(hasattr(r, "methods") for r in client.app.routes), "what is mounted is walked, too"


@pytest.mark.parametrize("rule", INTERFACE, ids=lambda r: f"{r.method} {r.route}")
def test_the_matrix_of_roles_holds_within_and_across_authorities(client, rule):
    client.store.save([full_score("A1", "801"), full_score("B2", "802")])
    for authority, pupils in (("801", {"A1"}), ("802", set())):
        for role in ROLES:
            _, key = client.store.create_key(role, authority)
            answer = call(client, rule, {"Authorization": f"Bearer {key}"})
            if role not in rule.roles:
                assert answer.status_code == 403
                continue
            if rule.route == "/api/v1/scores" and not pupils:
                assert answer.status_code == 404
                continue
            assert answer.status_code == 200, answer.text
            if rule.route in ("/api/v1/score", "/api/v1/scores"):
                assert {s["pupil_id"] for s in answer.json()["scores"]} == pupils
            if rule.route == "/api/v1/worklist":
                assert {s["authority"] for s in answer.json()["scores"]} == {authority}
    assert call(client, rule, {}).status_code == (200 if rule.is_open else 401)


def test_routes_without_an_access_rule_answer_404_or_405(client):
    client.app.add_api_route("/open-by-mistake", lambda: "everything", methods=["GET"])
    _, key = client.store.create_key("administrator")
    headers = {"Authorization": f"Bearer {key}"}
    assert client.get("/open-by-mistake", headers=headers).status_code == 404
    refused = client.delete("/api/v1/model", headers=headers)
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET")
    assert find("GET", "/api/v1/score/") == (None, ())


def test_another_authoritys_pupil_is_as_if_not_there(client):
    client.store.save([full_score("A1", "801"), full_score("B2", "802")])
    _, key = client.store.create_key("lead", "801")
    headers = {"Authorization": f"Bearer {key}"}
    foreign = client.post("/api/v1/scores", json={"pupil_ids": ["B2"]}, headers=headers)
    nobody = client.post("/api/v1/scores", json={"pupil_ids": ["nobody"]}, headers=headers)
    assert foreign.status_code == nobody.status_code == 404
    assert foreign.json() == nobody.json()
    both = client.post("/api/v1/scores", json={"pupil_ids": ["A1", "B2"]}, headers=headers)
    assert [s["pupil_id"] for s in both.json()["scores"]] == ["A1"]


def test_a_token_brings_its_role_and_schools(client, signer):
    client.store.save([full_score("A1", "801"), full_score("A2", "801", "200"), full_score("B2", "802")])

    def seen(**claims):
        headers = {"Authorization": f"Bearer {token(signer, **claims)}"}
        answer = client.post("/api/v1/worklist", json={}, headers=headers)
        return {s["pupil_id"] for s in answer.json()["scores"]}

    assert seen() == {"A1", "A2"}
    assert seen(groups=["north-801"]) == {"A1"}
    assert seen(groups=["north-801", "cme-801", "something else"]) == {"A1", "A2"}
    assert seen(roles="Onroll.Worker", groups="cme-802") == {"B2"}
    assert seen(roles=["Onroll.Administrator"], groups=None) == {"A1", "A2", "B2"}


def test_tokens_that_do_not_hold_are_refused(client, signer):
    past, later = datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(hours=1)
    other = signing_key()
    public = signer.public_key().public_numbers().n.to_bytes(256, "big")
    bad = [
        token(signer, exp=past),
        token(signer, exp=None),
        token(signer, iss="https://other"),
        token(signer, iss=None),
        token(signer, aud="other"),
        token(signer, aud=None),
        token(signer, sub=None),
        token(signer, iat=None),
        token(signer, nbf=later),
        token(other),
        token(signer)[:-4] + "AAAA",
        "a.b.c",
        "..",
        "é.b.c",
        jwt.encode({"sub": "x"}, None, "none"),
        jwt.encode({"sub": "x"}, public, "HS256", headers={"kid": "k1"}),
        jwt.encode({"sub": "x"}, signer, "RS256", headers={"kid": "unknown"}),
        jwt.encode({"sub": "x"}, signer, "RS512", headers={"kid": "k1"}),
    ]
    for one in bad:
        answer = client.post("/api/v1/worklist", json={}, headers={"Authorization": f"Bearer {one}".encode()})
        assert answer.status_code == 401, one
        assert answer.headers["www-authenticate"] == "Bearer"
        assert one not in answer.text


@pytest.mark.parametrize(
    "claims",
    [
        {"roles": []},
        {"roles": ["unknown"]},
        {"roles": ["Onroll.Worker", "Onroll.Analyst"]},
        {"groups": []},
        {"groups": ["cme-801", "cme-802"]},
        {"roles": 5},
        {"roles": {"a": 1}},
        {"groups": [[]]},
    ],
)
def test_a_token_without_exactly_one_role_and_authority_has_no_rights(client, signer, claims):
    headers = {"Authorization": f"Bearer {token(signer, **claims)}"}
    assert client.post("/api/v1/worklist", json={}, headers=headers).status_code == 403


def test_a_proxy_is_trusted_only_with_its_secret(client):
    client.store.save([full_score("A1", "801"), full_score("A2", "801", "200")])
    proxied = {"X-Forwarded-User": "ann", "X-Forwarded-Groups": "Onroll.Worker, north-801"}

    def status_of(headers):
        return client.post("/api/v1/worklist", json={}, headers=headers)

    believed = status_of({**proxied, "X-Onroll-Proxy-Secret": SECRET})
    assert [s["pupil_id"] for s in believed.json()["scores"]] == ["A1"]
    for headers in (
        proxied,
        {**proxied, "X-Onroll-Proxy-Secret": ""},
        {**proxied, "X-Onroll-Proxy-Secret": SECRET[:-1]},
        {**proxied, "X-Onroll-Proxy-Secret": SECRET, "X-Forwarded-User": ""},
        {**proxied, "X-Onroll-Proxy-Secret": "é" * 40, "X-Forwarded-For": "127.0.0.1"},
    ):
        assert status_of({k: v.encode("latin-1") for k, v in headers.items()}).status_code == 401
    twice = [*proxied.items(), ("X-Onroll-Proxy-Secret", SECRET), ("X-Forwarded-Groups", "Onroll.Administrator")]
    assert status_of(twice).status_code == 400


def test_keys_of_a_provider_are_fetched_once_and_their_loss_is_a_503(files, bundle, monkeypatch, signer):
    import http.server
    import threading

    fetched, document = [], (files / "jwks.json").read_bytes()

    class Provider(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            fetched.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(document)

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/keys"
    (files / "access.toml").write_text(FILE.replace("jwks.json", address))
    monkeypatch.setenv("ONROLL_ACCESS", "access.toml")
    monkeypatch.setenv("ONROLL_MODEL", str(bundle))
    first, second = TestClient(make_app(settings(), "127.0.0.1")), TestClient(make_app(settings(), "127.0.0.1"))
    headers = {"Authorization": f"Bearer {token(signer)}"}
    assert [first.get("/api/v1/model", headers=headers).status_code for _ in range(3)] == [200] * 3
    assert fetched == ["/keys"]
    server.shutdown()
    server.server_close()
    assert first.get("/api/v1/model", headers=headers).status_code == 200
    lost = second.get("/api/v1/model", headers=headers)
    assert lost.status_code == 503
    assert address not in lost.text


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("nothing = 1\n[tokens]\nissuer = 5\n", ["nothing", "tokens.issuer", "tokens.audience", "tokens.jwks"]),
        (
            "[groups]\na = {authority = '801', locality = 'x'}\n[development]\nb = {role = 'lead'}\n[proxy]\nsecret_file = 'short'\nroles_header = 'X-Roles'\n",
            ["groups.a.locality", "development", "development.b", "roles", "short"],
        ),
        ("[proxy]\nroles_header = ''\n", ["proxy.secret_file", "proxy.roles_header"]),
        (
            "[roles]\na = 'king'\n[localities]\nn = 'x'\n[limits]\nper_second = 0\n",
            ["roles.a", "localities.n", "limits.per_second"],
        ),
        (
            "[roles]\na = 'lead'\n[tokens]\nissuer='i'\naudience='a'\njwks='http://id.example/keys'\n[localities]\nn = []\n",
            ["tokens.jwks", "localities.n"],
        ),
    ],
)
def test_all_faults_of_the_file_are_reported_together(tmp_path, text, places):
    (tmp_path / "access.toml").write_text(text)
    (tmp_path / "short").write_text("guessable")
    with pytest.raises(Faults) as refused:
        Configuration.load(tmp_path / "access.toml")
    assert len(refused.value.faults) == len(places)
    for place in places:
        assert any(f.where.endswith(place) for f in refused.value.faults), place
    assert "guessable" not in str(refused.value)
    assert "king" not in str(refused.value)


def test_a_caller_over_the_rate_limit_is_told_when_to_retry(files, bundle, monkeypatch):
    (files / "access.toml").write_text("[limits]\nper_second = 0.002\nburst = 2\n")  # no token comes meanwhile
    monkeypatch.setenv("ONROLL_ACCESS", "access.toml")
    monkeypatch.setenv("ONROLL_MODEL", str(bundle))
    app = make_app(settings())
    client, (_, one), (_, other) = TestClient(app), *(app.state.store.create_key("lead", "801") for _ in range(2))
    answers = [client.get("/api/v1/model", headers={"Authorization": f"Bearer {one}"}) for _ in range(3)]
    assert [a.status_code for a in answers] == [200, 200, 429]
    assert 1 <= int(answers[2].headers["retry-after"]) <= 500
    assert client.get("/api/v1/model", headers={"Authorization": f"Bearer {other}"}).status_code == 200
    assert client.get("/livez").status_code == 200


def test_the_matrix_prints_every_rule_and_role():
    table = matrix()
    assert all(r.route in table for r in RULES)
    assert all(role in table.splitlines()[0] for role in OPEN)
