"""What the provider answers when it is wrong, silent or somebody else: no session, a page that says what to do, no other page waits."""

import logging
import re
import socket
from datetime import UTC, datetime, timedelta

import pytest

from serving.access import fetched
from serving.access.provider import Provider
from serving.http.problems import Problem
from tests.support import sign_in_provider
from tests.support.identity_provider import signing_key, token
from tests.support.sign_in_provider import CLIENT, DISCOVERY
from tests.support.signing_in import CONFIDENTIAL, asked, begun, browser, refused

FOREIGN = signing_key()
WRONG = {
    "wrong nonce": {"claims": {"nonce": "another"}},
    "no nonce": {"without": ("nonce",)},
    "nonce of another type": {"claims": {"nonce": 5}},
    "other issuer": {"claims": {"iss": "https://another.example"}},
    "other audience": {"claims": {"aud": "onroll"}},
    "audience without the client that asked": {"claims": {"aud": [CLIENT, "another"]}},
    "asked by another client": {"claims": {"azp": "another"}},
    "expired": {"claims": {"exp": datetime.now(UTC) - timedelta(minutes=5)}},
    "of the future": {"claims": {"iat": datetime.now(UTC) + timedelta(hours=1)}},
    "valid for years": {"claims": {"exp": datetime.now(UTC) + timedelta(days=1000)}},
    "no account": {"without": ("sub",)},
    "account with a line feed": {"claims": {"sub": "a\nb"}},
    "no signature": {"make": sign_in_provider.unsigned},
    "signed with the public key": {"make": sign_in_provider.signed_with_the_public_key},
    "another signer": {"make": lambda state, asked: token(FOREIGN, iss=state.issuer, aud=CLIENT, nonce=asked["nonce"])},
    "no token at all": {"make": lambda state, asked: "a.b.c"},
}


@pytest.mark.parametrize("fault", WRONG, ids=WRONG)
def test_a_token_that_does_not_hold_opens_no_session(still, fault):
    state, app = still
    vars(state).update(WRONG[fault])
    client = browser(app)
    refused(app, client, begun(client), 401, "did not hold")


@pytest.mark.parametrize(
    "claims",
    [
        {"roles": []},
        {"roles": ["Onroll.Worker", "Onroll.Admin"]},
        {"groups": []},
        {"roles": [], "groups": ["cme-801", "Onroll.Admin"]},  # a group with the name of a role
        {"roles": {"Onroll.Worker": True}},
    ],
    ids=range(5),
)
def test_a_person_without_one_role_and_one_authority_is_told_what_to_ask_for(still, claims):
    state, app = still
    state.claims = claims
    client = browser(app)
    refused(app, client, begun(client), 403, "no place here yet")


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        ((500, {}), 503, "cannot be reached"),
        ((401, {"error": "invalid_client"}), 503, "cannot be reached"),
        ((302, {}), 503, "cannot be reached"),
        ((200, b"<html>"), 503, "cannot be reached"),
        ((200, b"[" * 100_000), 503, "cannot be reached"),
        ((200, []), 503, "cannot be reached"),
        ((200, {"id_token": 5}), 503, "cannot be reached"),
        ((200, {"access_token": "only"}), 503, "cannot be reached"),
        ((200, b" " * (fetched.MAX_BYTES + 1)), 503, "cannot be reached"),
        ((400, {"error": "invalid_grant"}), 401, "did not hold"),
    ],
    ids=range(10),
)
def test_an_answer_that_is_no_answer_opens_no_session(still, answer, status, says):
    state, app = still
    client = browser(app)
    address = begun(client)
    state.answer = answer
    refused(app, client, address, status, says)


def test_who_stops_at_the_provider_is_told_so_and_no_text_of_the_answer_is_shown(still, caplog):
    state, app = still
    for error in ("access_denied", "<b>markup</b>", ""):
        client = browser(app)
        state_of = asked(client)["state"]
        with caplog.at_level(logging.WARNING, "onroll.access"):
            answer = refused(
                app,
                client,
                f"/sign-in/callback?error={error}&error_description=secret-words&state={state_of}",
                401,
                "not signed in",
            )
        assert "markup" not in answer.text + caplog.text
        assert "secret-words" not in answer.text + caplog.text
    assert state.redeemed == []


def test_an_answer_of_another_provider_is_refused(still):
    """RFC 9207: the code of one provider must not be redeemed at another one."""
    state, app = still
    for change in (
        lambda a: re.sub(r"iss=[^&]*", "iss=https://another.example", a),
        lambda a: re.sub(r"&iss=[^&]*", "", a),
    ):
        client = browser(app)
        refused(app, client, change(begun(client)), 401, "did not hold")
    assert state.redeemed == []


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://another.example"},
        {"token_endpoint": "http://id.example/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": None},
        {"code_challenge_methods_supported": ["plain"]},
        {"code_challenge_methods_supported": "S256"},
    ],
    ids=range(6),
)
def test_a_discovery_document_that_does_not_hold_begins_nothing(still, change):
    state, app = still
    working = app.state.page_context.provider
    state.discovery = state.discovery | change
    tried = Provider(working.settings, app.state.page_context.configuration, working.id_tokens)
    for _ in range(2):
        with pytest.raises(Problem) as problem:
            tried.endpoints()
        assert problem.value.status == 503
    assert state.asked == [DISCOVERY], "it is not asked again and again"


def test_a_silent_provider_holds_up_no_other_page(world, monkeypatch):
    monkeypatch.setattr(fetched, "FETCH_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        explicit = f'authorization_endpoint = "{address}/authorize"\ntoken_endpoint = "{address}/token"\n{CONFIDENTIAL}'
        with world(explicit) as (state, app):
            client = browser(app)
            sent = asked(client)
            refused(
                app,
                client,
                f"/sign-in/callback?code=c&state={sent['state']}&iss={state.issuer}",
                503,
                "cannot be reached",
            )
            provider = app.state.page_context.provider
            provider._redeeming = 8
            busy = browser(app)
            sent = asked(busy)
            answer = refused(app, busy, f"/sign-in/callback?code=c&state={sent['state']}", 503, "cannot be reached")
            assert answer.headers["retry-after"] == "5", "the provider was not asked"
            assert browser(app).get("/sign-in").status_code == 200
