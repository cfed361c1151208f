"""Signing in at the identity provider: only its answer to this browser's own attempt opens a session, once."""

import base64
import json
import logging
import re
import threading
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa

from serving.access import attempt
from serving.access.attempt import Attempt
from serving.store.caller import command_line
from serving.store.database import reading
from serving.store.ledger.chain import ChainKey
from serving.store.sign_in import staff
from serving.store.sign_in.sessions import Session
from tests.support import sign_in_provider
from tests.support.forms import submit
from tests.support.sign_in_provider import SECRET
from tests.support.signing_in import CONFIDENTIAL, COOKIE, audited, begun, browser, is_in, refused, requested


@pytest.mark.parametrize(
    ("sign_in", "secret"),
    [(CONFIDENTIAL, SECRET), (f'{CONFIDENTIAL}\nclient_authentication = "post"', SECRET), ("", None)],
    ids=["confidential", "posted secret", "public"],
)
def test_who_signs_in_gets_a_session_that_ends_with_the_token(world, sign_in, secret):
    with world(sign_in, 'token_type = "at+jwt"', secret) as (_, app):
        client = browser(app)
        assert client.get("/work-list").headers["location"] == "/sign-in?next=/work-list"
        assert 'href="/sign-in/provider?next=/work-list"' in client.get("/sign-in?next=/work-list").text
        back = begun(client, "/sign-in/provider?next=/work-list")
        answer = client.get(back)
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in/done?next=/work-list")
        assert all(word in answer.headers["set-cookie"] for word in ("HttpOnly", "SameSite=strict"))
        assert COOKIE not in client.cookies
        on = client.get(answer.headers["location"])
        assert on.headers["refresh"] == "0; url=/work-list"
        page = client.get("/work-list").text
        assert "Ann Example" in page
        assert "u-17" not in page
        with reading(app.state.store.engine) as connection:
            session = connection.execute(sa.select(Session.__table__)).one()
        assert (session.person_id, session.name) == ("token:u-17", "Ann Example")
        assert session.ends_at - datetime.now(UTC) <= timedelta(minutes=5)
        assert submit(client, "/about", "/sign-out").headers["location"] == "/sign-in?ended"
        assert "/logout?client_id=pages-client" in client.get("/sign-in?ended").text
        assert ("session.opened", "token:u-17", None) in audited(app)


def test_the_request_to_the_provider_carries_pkce_state_and_nonce_of_256_bits(world):
    with world(tokens="signed_in_hours = 2") as (_, app):
        client = browser(app)
        first, second = requested(client), requested(client)
        assert first["code_challenge_method"] == "S256"
        assert (first["response_type"], first["scope"], first["max_age"]) == ("code", "openid profile", "7200")
        for name in ("state", "nonce", "code_challenge"):
            assert len(base64.urlsafe_b64decode(first[name] + "=")) == 32
            assert first[name] != second[name]
        held = client.cookies[COOKIE]
        assert not any(value in held for value in second.values() if len(value) > 30)
        header = client.get("/sign-in/provider").headers["set-cookie"]
        assert all(word in header for word in ("HttpOnly", "SameSite=lax", "Max-Age=600", "Path=/"))
        away = browser(app).get("https://onroll.example/sign-in/provider").headers["set-cookie"]
        assert away.startswith("__Host-onroll-sign-in=")
        assert "Secure" in away


STARTS = "Please start again"


def test_an_answer_to_no_attempt_of_this_browser_is_refused(still):
    """Otherwise an attacker signs a victim in as somebody else (login CSRF), or redeems a victim's code."""
    state, app = still
    theirs = begun(browser(app))
    refused(app, browser(app), theirs, 401, STARTS)
    other = browser(app)
    begun(other)
    refused(app, other, theirs, 401, STARTS)
    client = browser(app)
    address = begun(client)
    parts = parse_qs(urlsplit(address).query)
    for changed in (
        address.replace(parts["state"][0], parts["state"][0][:-1] + "é"),
        re.sub(r"state=[^&]*", "state=", address),
        re.sub(r"&state=[^&]*", "", address),
        address + "&code=another",
        address + "&state=another",
    ):
        refused(app, client, changed, 401, STARTS)
    assert state.redeemed == [], "no code went to the provider"
    assert ("request.refused", "nobody", "unknown") in audited(app)


def test_neither_another_tab_nor_a_foreign_link_ends_an_attempt(still):
    """Before, every answer deleted the cookie: two tabs made both sign-ins fail, and so did a link with any state."""
    _, app = still
    client = browser(app)
    first, second = begun(client), begun(client)
    refused(app, client, first, 401, STARTS)
    refused(app, client, "/sign-in/callback?state=x", 401, STARTS)
    refused(app, client, "/sign-in/callback?state=x&error=access_denied", 401, STARTS)
    assert client.get(second).status_code == 303
    assert is_in(client)
    assert COOKIE not in client.cookies


def test_an_attempt_outlives_a_new_audit_key(still, monkeypatch):
    """Before, a worker that knew of the new key refused attempts that another had begun, and the other way round."""
    _, app = still
    chain = app.state.store.chain
    links, current, keys, newest = chain.links, chain.current, chain.keys.read(), ChainKey(b"n" * 32)
    monkeypatch.setattr(chain.keys, "read", lambda: [*keys, b"n" * 32])
    first, second = browser(app), browser(app)
    before = begun(first)
    monkeypatch.setattr(chain, "links", [*links, newest])
    monkeypatch.setattr(chain, "current", newest)
    assert first.get(before).status_code == 303
    newer = begun(second)
    monkeypatch.setattr(chain, "links", links)
    monkeypatch.setattr(chain, "current", current)
    assert second.get(newer).status_code == 303


def test_who_fails_comes_back_to_the_page_that_was_asked_for(still):
    """Before, a wrong key and the provider's failure lost it."""
    state, app = still
    client = browser(app)
    wrong = submit(client, "/sign-in?next=/clocks", "/sign-in", next="/clocks", key="onroll_wrong")
    assert wrong.status_code == 401
    assert 'name="next" value="/clocks"' in wrong.text
    address = begun(client, "/sign-in/provider?next=/clocks")
    state.answer = (500, {})
    refused(app, client, address, 503, "cannot be reached", way_on="/sign-in?next=/clocks")


def test_nobody_is_told_that_they_are_signed_in_who_is_not(still, staffed):
    _, app = still
    assert "You are signed in" not in browser(app).get("/sign-in/done").text
    elsewhere = browser(staffed.app, "127.0.0.1")  # development users are let in from this machine only
    assert elsewhere.get("/sign-in/done").status_code == 404
    assert elsewhere.get("/sign-in/callback").status_code == 404


def test_an_answer_is_taken_once(still):
    state, app = still
    client = browser(app)
    address = begun(client)
    held = client.cookies[COOKIE]
    assert client.get(address).status_code == 303
    for code in (address, re.sub(r"code=[^&]*", "code=another", address)):
        thief = browser(app, **{COOKIE: held})
        refused(app, thief, code, 401, STARTS)
    assert len(state.redeemed) == 1
    assert is_in(client)


def test_a_code_that_the_provider_redeemed_before_is_refused(still):
    state, app = still
    client = browser(app)
    address = begun(client)
    state.codes.clear()
    refused(app, client, address, 401, "could not verify")


def test_an_attempt_ends_after_ten_minutes_and_cannot_be_forged(still, monkeypatch):
    state, app = still
    client = browser(app)
    address = begun(client)
    key = app.state.store.chain.current.sign_in
    old = Attempt.of(client.cookies[COOKIE], key)
    client.cookies.clear()
    late = Attempt(id=old.id, began=old.began - attempt.MAX_SECONDS - 1, to=old.to, before=old.before)
    forged = Attempt.new("//evil.example", "")
    for made, signer_key, state_key in ((late, key, key), (forged, b"k" * 32, b"k" * 32), (old, b"k" * 32, key)):
        again = re.sub(r"state=[^&]*", f"state={made.state(state_key)}", address)
        refused(app, browser(app, **{COOKIE: made.cookie(signer_key)}), again, 401, STARTS)
    for rubbish in (b"", b".", b"x.y", "é.é".encode(), b"W10.x", b"x" * 5000):
        sent = {"Cookie": COOKIE.encode() + b"=" + rubbish}
        assert STARTS in browser(app).get(address, headers=sent).text
    assert state.redeemed == []


ELSEWHERE = (
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "/work-list%0d%0aX: y",
    "/work-list?x=1",
    "/%2f/evil.example",
    "javascript:alert(1)",
    "/sign-in",
    "/no-such-page",
    "/work-list.csv",
    "/work-list.xlsx",
    "/sign-in/callback",
    "/../work-list",
)


@pytest.mark.parametrize("to", ELSEWHERE)
def test_no_sign_in_leads_elsewhere(still, to):
    _, app = still
    client = browser(app)
    answer = client.get(begun(client, f"/sign-in/provider?next={to}"))
    assert answer.headers["location"] == "/sign-in/done"
    assert client.get("/sign-in/done", params={"next": to}).headers["refresh"] == "0; url=/"
    assert "evil" not in client.get("/sign-in", params={"next": to}).text


def test_another_site_cannot_begin_a_sign_in(still):
    _, app = still
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Referer": "http://127.0.0.1/sign-in"},
        {},
        {"Referer": "http://evil.example/127.0.0.1"},
        {"Referer": "http://127.0.0.1.evil.example/sign-in"},
    ):
        client = browser(app)
        del client.headers["Sec-Fetch-Site"]
        answer = client.get("/sign-in/provider?next=/clocks", headers=headers)
        assert answer.headers["location"] == "/sign-in?next=/clocks", headers
        assert "set-cookie" not in answer.headers
    own = client.get("/sign-in/provider", headers={"Referer": "http://127.0.0.1/sign-in"})
    assert own.headers["location"].startswith("http"), "an old browser names the page"


def test_no_address_log_line_or_audit_entry_holds_a_code_a_token_or_a_state(still, caplog):
    state, app = still
    made, nonces = [], []

    def make(state, asked):
        nonces.append(asked["nonce"])
        made.append(sign_in_provider.id_token(state, asked))
        return made[-1]

    state.make = make
    with caplog.at_level(logging.DEBUG):
        good, bad = browser(app), browser(app)
        addresses = [begun(good), begun(bad)]
        answers = [good.get(addresses[0])]
        state.claims = {"nonce": "another"}
        answers.append(bad.get(addresses[1]))
    parts = [parse_qs(urlsplit(a).query) for a in addresses]
    values = {p[name][0] for p in parts for name in ("code", "state")} | set(made) | set(nonces) | {SECRET}
    values |= {redeemed.form["code_verifier"] for redeemed in state.redeemed}
    assert (len(made), len(nonces), len(values)) == (2, 2, 11)
    here = threading.get_ident()  # where the browsers of this test log what they ask, and not the service
    logged = [r for r in caplog.records if r.thread != here or not r.name.startswith(("httpx2", "httpcore2"))]
    told = " ".join([*(json.dumps(vars(r), default=str) for r in logged), json.dumps(audited(app), default=str)])
    for answer in answers:
        told += answer.text + answer.headers.get("location", "")
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
    assert any(r.name.startswith("onroll") for r in logged)
    assert [value for value in values if value in told] == []


def test_the_name_is_that_of_the_claims_if_it_can_be_shown(still):
    state, app = still
    for claims, shown in (
        ({"name": "Zoë  Example"}, "Zoë Example"),
        ({"name": "\u202eevil", "preferred_username": "zoe@la.example"}, "zoe@la.example"),
        ({"name": "x" * 101, "preferred_username": 5}, "u-17"),
        ({"name": "<b>Ann</b>"}, "&lt;b&gt;Ann&lt;/b&gt;"),
    ):
        state.claims = claims
        client = browser(app)
        client.get(begun(client))
        page = client.get("/work-list").text
        assert shown in page
        assert "<b>Ann" not in page


def test_the_session_of_before_ends_with_a_new_sign_in(still):
    _, app = still
    client = browser(app)
    client.get(begun(client))
    first = client.cookies["onroll"]
    address = begun(client)
    client.cookies.delete("onroll")  # as a browser does: the provider's site leads here, and the cookie is strict
    client.get(address)
    assert client.cookies["onroll"] != first
    assert is_in(client)
    assert not is_in(browser(app, onroll=first))


def test_a_closed_account_and_a_role_that_was_taken_away_open_nothing(world, tmp_path):
    with world() as (_, app):
        client = browser(app)
        client.get(begun(client))
        assert is_in(client)
        access = (tmp_path / "access.toml").read_text()
        (tmp_path / "access.toml").write_text(access.replace('"Onroll.Worker" = "worker"', '"Other" = "worker"'))
        assert not is_in(client)
        (tmp_path / "access.toml").write_text(access)
        with app.state.store.change(command_line()) as change:
            staff.set_active(change, "token:u-17", active=False)
        again = browser(app)
        refused(app, again, begun(again), 401, "account here is closed")
