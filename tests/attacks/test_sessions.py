"""A session ends with what opened it: the token, the role, the account; and it can be listed and ended.

Before, a session outlived its token by up to 12 hours, a removed role worked on until its session ended, nothing listed or
ended sessions, people who had left stayed active, and keys never expired by default.
"""

import json
import re
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from starlette.testclient import TestClient

from histories.calendar import london_today
from histories.settings import settings
from serving.cli.main import onroll
from serving.http.api import make_app
from serving.http.guard import Guard
from serving.store.audit.audit_log import entries
from serving.store.caller import command_line
from serving.store.database import reading
from serving.store.sign_in import staff
from serving.store.sign_in.sessions import Session
from tests.support.forms import submit
from tests.support.identity_provider import jwks, signing_key, token

SECRET = "s" * 40
ACCESS = """
[tokens]
issuer = "https://id.example"
audience = "onroll"
jwks = "jwks.json"
[proxy]
secret_file = "secret"
roles_header = "X-Forwarded-Roles"
[roles]
"Onroll.Worker" = "worker"
"Onroll.Lead" = "lead"
[groups]
"cme-801" = {authority = "801"}
"""
BY_PROXY = {
    "X-Onroll-Proxy-Secret": SECRET,
    "X-Forwarded-User": "cat",
    "X-Forwarded-Roles": "Onroll.Worker",
    "X-Forwarded-Groups": "cme-801",
}
ENDED = "/sign-in?ended"


@pytest.fixture(scope="module")
def signer():
    return signing_key()


@pytest.fixture
def app(tmp_path, bundle, monkeypatch, signer):
    (tmp_path / "jwks.json").write_text(jwks(signer))
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "access.toml").write_text(ACCESS)
    monkeypatch.setenv("ONROLL_ACCESS", "access.toml")
    monkeypatch.setenv("ONROLL_MODEL", str(bundle))
    app = make_app(settings(), "127.0.0.1")
    yield app
    app.state.store.engine.dispose()


def by_token(signer, expires=timedelta(minutes=5)):
    bearer = token(signer, expires, roles=["Onroll.Worker"], groups=["cme-801"])
    return {"Authorization": f"Bearer {bearer}"}


def signed_in(app, headers):
    guarded = Guard(app, people=app.state.people, refusals=app.state.store.refusals)
    client = TestClient(guarded, base_url="http://127.0.0.1", follow_redirects=False)
    client.headers.update(headers)
    assert submit(client, "/sign-in", "/sign-in").status_code == 303
    assert client.get("/").headers["location"] == "/work-list"
    return client


def without(client, headers):
    for name in headers:
        del client.headers[name]
    return client


def run(*arguments):
    return CliRunner().invoke(onroll, [*arguments, "--json"], catch_exceptions=False)


@pytest.mark.parametrize("expires", [timedelta(minutes=5), timedelta(hours=20)])
def test_a_session_never_outlives_its_token(app, signer, expires):
    signed_in(app, by_token(signer, expires))
    with reading(app.state.store.engine) as connection:
        ends = connection.scalar(sa.select(Session.ends_at))
    limit = min(expires, timedelta(hours=12))
    assert timedelta(0) < ends - datetime.now(UTC) <= limit


@pytest.mark.parametrize("gone", ['"Onroll.Worker" = "worker"', '"cme-801" = {authority = "801"}'])
def test_a_role_or_group_that_is_taken_away_is_gone_at_the_next_request(app, signer, tmp_path, gone):
    headers = by_token(signer)
    carrying, bare = signed_in(app, headers), without(signed_in(app, headers), headers)
    assert bare.get("/").headers["location"] == "/work-list"
    (tmp_path / "access.toml").write_text(ACCESS.replace(gone, ""))
    assert bare.get("/").headers["location"] == ENDED
    assert carrying.get("/").status_code in (303, 403)
    assert carrying.get("/").headers.get("location", ENDED) == ENDED
    assert carrying.post("/api/v1/worklist", json={}).status_code == 403


def test_a_role_that_is_changed_ends_the_session(app, signer, tmp_path):
    headers = by_token(signer)
    client = without(signed_in(app, headers), headers)
    (tmp_path / "access.toml").write_text(ACCESS.replace('"worker"', '"analyst"'))
    assert client.get("/work-list").headers["location"] == ENDED


def test_a_faulty_change_of_the_file_takes_no_rights_and_gives_none(app, signer, tmp_path):
    client = signed_in(app, by_token(signer))
    (tmp_path / "access.toml").write_text("[roles\n")
    assert client.get("/").headers["location"] == "/work-list"


def test_a_session_of_a_proxy_is_nothing_without_the_proxy(app):
    client = signed_in(app, BY_PROXY)
    assert without(client, BY_PROXY).get("/").headers["location"] == ENDED


def test_people_see_and_end_their_own_sessions_and_nobody_elses(app, signer):
    here, there, third = (signed_in(app, by_token(signer)) for _ in range(3))
    else_ = signed_in(app, BY_PROXY)
    listed = json.loads(run("sessions", "list").output)["sessions"]
    assert [s["person_id"] for s in listed] == ["token:ann"] * 3 + ["proxy:cat"]
    page = here.get("/sessions").text
    assert page.count("Signed in with a work account") == 3
    assert re.findall(r'name="session" value="(\w+)"', page) == [s["session_id"] for s in listed[2:0:-1]]
    assert submit(here, "/sessions", "/sessions/end", session=listed[3]["session_id"]).status_code == 303
    assert submit(here, "/sessions", "/sessions/end", session=listed[1]["session_id"]).status_code == 303
    open_ones = [without(c, by_token(signer)).get("/").headers["location"] != ENDED for c in (here, there, third)]
    assert open_ones == [True, False, True]
    assert else_.get("/").headers["location"] == "/work-list"
    assert submit(here, "/sessions", "/sessions/end").status_code == 303
    assert third.get("/").headers["location"] == ENDED
    assert "You are signed in nowhere else." in here.get("/sessions").text
    with app.state.store.view(command_line()) as view:
        ended = [e["details"] for e in entries(view, action="session.ended_by_holder")]
        view.record("audit.seen")
    assert [(e["count"], e["session_id"]) for e in ended] == [(0, None), (1, listed[1]["session_id"]), (1, None)]
    assert else_.get("/").headers["location"] == "/work-list"


def test_sessions_are_listed_and_ended(app, signer):
    one, other = signed_in(app, by_token(signer)), signed_in(app, BY_PROXY)
    listed = json.loads(run("sessions", "list").output)["sessions"]
    assert [(s["person_id"], s["role"], s["authority"]) for s in listed] == [
        ("token:ann", "worker", "801"),
        ("proxy:cat", "worker", "801"),
    ]
    assert "digest" not in str(listed)
    assert run("sessions", "end", listed[0]["session_id"]).exit_code == 0
    assert one.get("/").headers["location"] == ENDED
    assert other.get("/").headers["location"] == "/work-list"
    assert json.loads(run("sessions", "end", "--person", "proxy:cat").output) == {"ended": 1}
    assert other.get("/").headers["location"] == ENDED
    signed_in(app, BY_PROXY)
    assert json.loads(run("sessions", "end", "--all").output) == {"ended": 1}
    for wrong in ((), ("x", "--all"), ("x", "--person", "y")):
        assert CliRunner().invoke(onroll, ["sessions", "end", *wrong]).exit_code != 0


def test_who_has_left_has_no_session_no_sign_in_and_no_case(app, signer):
    client = signed_in(app, by_token(signer))
    assert run("access", "close", "token:ann").exit_code == 0
    assert client.get("/").headers["location"] == ENDED
    assert submit(client, "/sign-in", "/sign-in").status_code == 401
    with app.state.store.view(command_line()) as view:
        assert staff.active_staff(view) == []
    assert run("access", "reopen", "token:ann").exit_code == 0
    assert submit(client, "/sign-in", "/sign-in").status_code == 303


def test_who_has_left_cannot_use_a_token_that_has_not_expired(app, signer):
    """Before, closing an account ended sessions, and tokens worked until they expired; who never saw a page could not be closed."""
    guarded = Guard(app, people=app.state.people, refusals=app.state.store.refusals)
    client = TestClient(guarded, base_url="http://127.0.0.1")
    for headers, person in ((by_token(signer), "token:ann"), (BY_PROXY, "proxy:cat")):
        assert client.post("/api/v1/worklist", json={}, headers=headers).status_code == 200
        assert run("access", "close", person).exit_code == 0
        assert client.post("/api/v1/worklist", json={}, headers=headers).status_code == 401
        assert run("access", "reopen", person).exit_code == 0
        assert client.post("/api/v1/worklist", json={}, headers=headers).status_code == 200
    app.state.store.refusals.flush()
    with app.state.store.view(command_line()) as view:
        refused = list(entries(view, action="request.refused"))
        assert staff.active_staff(view) == []  # nobody to give a case to
    assert [(e["who"], e["details"]["reason"]) for e in refused] == [("token:ann", "closed"), ("proxy:cat", "closed")]
    for nobody in ("ann", "token:", "command:root"):
        assert CliRunner().invoke(onroll, ["access", "close", nobody]).exit_code != 0


def test_no_key_is_said_to_be_closed_while_it_works(app):
    """Before, `access close KEY` said that it was closed, and the key went on with the interface."""
    key_id, key = app.state.store.create_key("worker", "801")
    guarded = Guard(app, people=app.state.people, refusals=app.state.store.refusals)
    client = TestClient(guarded, base_url="http://127.0.0.1", follow_redirects=False)
    assert submit(client, "/sign-in", "/sign-in", key=key).status_code == 303
    refused = CliRunner().invoke(onroll, ["access", "close", key_id])
    assert f"onroll keys revoke {key_id}" in str(refused.exception)
    assert run("keys", "revoke", key_id).exit_code == 0
    assert client.post("/api/v1/worklist", json={}, headers={"Authorization": f"Bearer {key}"}).status_code == 401
    assert run("access", "close", key_id).exit_code == 0, "so that it gets no case"


def test_keys_expire_unless_somebody_chooses_otherwise(app):
    lead = ("keys", "create", "--role", "lead", "--authority", "801")
    in_a_year = london_today() + timedelta(days=365)
    assert json.loads(run(*lead).output)["expires"] == in_a_year.isoformat()
    assert json.loads(run(*lead, "--expires", "2199-01-01").output)["expires"] == "2199-01-01"
    assert json.loads(run(*lead, "--never-expires").output)["expires"] is None
    assert CliRunner().invoke(onroll, [*lead, "--never-expires", "--expires", "2199-01-01"]).exit_code != 0
    stored = app.state.store.list_keys()
    assert {key["expires"] for key in stored} == {in_a_year, date(2199, 1, 1), None}


def test_the_review_names_everybody_and_when_they_came_last(app, signer, tmp_path):
    signed_in(app, by_token(signer))
    used, _ = app.state.store.create_key("lead", "801", ["100"])
    app.state.store.revoke(used)
    rows = {r["who"]: r for r in json.loads(run("access", "review", "--out", "review.csv").output)["access"]}
    assert (rows["token:ann"]["role"], rows["token:ann"]["status"]) == ("worker", "active")
    assert rows["token:ann"]["last_used"]
    assert (rows[used]["urns"], rows[used]["status"], rows[used]["last_used"]) == (["100"], "revoked", None)
    assert rows[command_line().key_id]["role"] == "administrator"
    assert (tmp_path / "review.csv").read_text().count("\n") == len(rows) + 1
    assert (tmp_path / "review.csv").stat().st_mode & 0o077 == 0
