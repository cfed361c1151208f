"""What the provider answers when it is wrong, silent or somebody else: no session, a page that says what to do, no other page waits."""

import logging
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import parse_qs

import pytest
import sqlalchemy as sa

from serving.access import fetched, places
from serving.access.fetched import Fetched
from serving.access.provider import Provider
from serving.http import work
from serving.http.problems import Problem
from serving.store.database import reading
from serving.store.sign_in.answers import TakenAnswer
from tests.support import sign_in_provider
from tests.support.identity_provider import signing_key, token
from tests.support.sign_in_provider import CLIENT, DISCOVERY
from tests.support.signing_in import CONFIDENTIAL, COOKIE, audited, begun, browser, is_in, refused, requested

FOREIGN = signing_key()
WRONG = {
    "wrong nonce": {"claims": {"nonce": "another"}},
    "no nonce": {"without": ("nonce",)},
    "nonce of another type": {"claims": {"nonce": 5}},
    "other issuer": {"claims": {"iss": "https://another.example"}},
    "other audience": {"claims": {"aud": "onroll"}},
    "audience without the client that asked": {"claims": {"aud": [CLIENT, "another"]}},
    "asked by another client": {"claims": {"azp": "another"}},
    "expired": {"claims": {"exp": -timedelta(minutes=5)}},
    "of the future": {"claims": {"iat": timedelta(hours=1)}},
    "valid for years": {"claims": {"exp": timedelta(days=1000)}},
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
    refused(app, client, begun(client), 401, "could not verify")


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
    refused(app, client, begun(client), 403, "do not have access yet")
    assert ("request.refused", "token:u-17", None) in audited(app)


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
        ((400, {"error": "invalid_grant"}), 401, "could not verify"),
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
        state_of = requested(client)["state"]
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
        refused(app, client, change(begun(client)), 401, "could not verify")
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


@pytest.fixture
def patient(still, monkeypatch):
    """Let the service wait for the provider until the test lets it answer; it knows the provider's keys."""
    provider = still[1].state.page_context.provider
    provider.endpoints()
    provider.id_tokens.signing_keys.find("k1")
    monkeypatch.setattr(fetched, "FETCH_SECONDS", 60)


def test_a_silent_provider_holds_up_no_other_page(still, patient):
    """No code is redeemed meanwhile, and yet another page is answered."""
    state, app = still
    state.silence = threading.Event()
    with browser(app) as client, ThreadPoolExecutor(8) as pool:
        try:
            answers = [pool.submit(client.get, begun(client))]
            page = pool.submit(client.get, "/about")
            assert page.result(20).status_code == 200
            assert not answers[0].done()
        finally:
            state.silence.set()
        assert answers[0].result().status_code == 303


def attempts(app, client, count):
    """Return answers of the provider to attempts of several browsers, each with its cookie."""
    pairs = []
    for _ in range(count):
        client.cookies.clear()
        pairs.append((begun(client), {"Cookie": f"{COOKIE}={client.cookies[COOKIE]}"}))
    client.cookies.clear()
    return pairs


def others_answer_until(client, arrived):
    """Ask for another page until something has arrived."""
    for _ in range(1000):
        if arrived():
            return
        assert client.get("/about").status_code == 200
    raise AssertionError("nothing arrived")


def test_codes_of_one_address_leave_places_for_others(still, patient, monkeypatch):
    """Before, anybody held all eight places with rubbish, and who was turned away could not use their answer again."""
    state, app = still
    monkeypatch.setattr(places, "WAIT_SECONDS", 0.2)
    app.state.page_context.provider.places = places.Places()
    state.silence = threading.Event()
    with browser(app) as client, ThreadPoolExecutor(16) as pool:
        mine, more = attempts(app, client, 4), attempts(app, client, 2)
        try:
            sent = [pool.submit(client.get, address, headers=cookie) for address, cookie in mine]
            others_answer_until(client, lambda: len(state.redeemed) == 4)
            turned_away = [pool.submit(client.get, address, headers=cookie).result(20) for address, cookie in more]
            client._transport.client = ("192.0.2.2", 50_000)  # an honest person elsewhere
            ((address, cookie),) = attempts(app, client, 1)
            honest = pool.submit(client.get, address, headers=cookie)
            others_answer_until(client, lambda: len(state.redeemed) == 5)
        finally:
            state.silence.set()
        assert [(a.status_code, "Many people" in a.text) for a in turned_away] == [(503, True)] * 2
        assert all(a.headers["retry-after"] and "set-cookie" not in a.headers for a in turned_away)
        assert {a.result().status_code for a in [*sent, honest]} == {303}
        again = [client.get(address, headers=cookie) for address, cookie in more]
        assert [a.status_code for a in again] == [303] * 2, "the answer is not taken"
        client.cookies.clear()
        assert not is_in(client)


def test_who_waits_gets_the_next_place_and_one_address_gets_few_a_minute(still, patient, monkeypatch):
    state, app = still
    monkeypatch.setattr(places, "BURST", 6)
    monkeypatch.setattr(places, "PER_SECOND", 1e-9)
    monkeypatch.setattr(places, "WAIT_SECONDS", 60)
    app.state.page_context.provider.places = waiting = places.Places()
    state.silence = threading.Event()
    with browser(app) as client, ThreadPoolExecutor(16) as pool:
        pairs = attempts(app, client, 7)
        try:
            sent = [pool.submit(client.get, address, headers=cookie) for address, cookie in pairs[:6]]
            others_answer_until(client, lambda: len(waiting._waiting) == 2)
        finally:
            state.silence.set()
        assert {a.result().status_code for a in sent} == {303}
        address, cookie = pairs[6]
        assert client.get(address, headers=cookie).status_code == 503
        with reading(app.state.store.engine) as connection:
            count = sa.select(sa.func.count()).select_from(TakenAnswer)
            before = connection.scalar(count)
        declined = f"/sign-in/callback?error=access_denied&state={parse_qs(address)['state'][0]}"
        assert client.get(declined, headers=cookie).status_code == 401
        with reading(app.state.store.engine) as connection:
            assert connection.scalar(count) == before, "nothing is written for who stops at the provider"


@pytest.fixture
def waited(monkeypatch):
    """What requests wait for, each as it begins to."""
    seen, settled = [], Fetched.settled

    async def noted(document, *enough):
        seen.append(document.what)
        await settled(document, *enough)

    monkeypatch.setattr(Fetched, "settled", noted)
    monkeypatch.setattr(fetched, "FETCH_SECONDS", 60)
    return seen


def test_simultaneous_sign_ins_of_a_new_worker_wait_for_the_same_documents(world, waited):
    """Before, only the first waited, and the others were told that their work account cannot be reached."""
    many = places.MAX_AT_ONCE_OF_ADDRESS + 2  # who waits for a document holds no place
    with world() as (state, app), browser(app) as client, ThreadPoolExecutor(8) as pool:

        def held_up(what, send):
            """Send requests while the provider is silent, let it answer once all wait, and return the statuses."""
            state.gate, already = threading.Event(), waited.count(what)
            try:
                answers = [pool.submit(*one) for one in send]
                others_answer_until(client, lambda: waited.count(what) == already + len(send))
            finally:
                state.gate.set()
            return [answer.result().status_code for answer in answers]

        assert held_up("discovery document", [(client.get, "/sign-in/provider")] * 4) == [303] * 4
        answers = attempts(app, client, many)
        assert held_up("keys", [(lambda a, c: client.get(a, headers=c), *pair) for pair in answers]) == [303] * many
        assert (state.asked.count(DISCOVERY), state.asked.count("/keys")) == (1, 1)


def test_those_who_wait_for_a_silent_provider_are_few_and_are_no_work(world, waited, monkeypatch):
    """Before, 64 of them kept every key and session from the service, four of each thirty seconds."""
    monkeypatch.setattr(work, "MAX_AT_ONCE", 2)
    monkeypatch.setattr(places, "MAX_WAITING_OF_ADDRESS", 3)
    with world() as (state, app), browser(app) as client, ThreadPoolExecutor(8) as pool:

        def waiting(what, send):
            """Send three requests and one more while the provider is silent; return the statuses of the three, and the other answer."""
            state.gate, answers = threading.Event(), []
            try:
                for already in range(3):
                    answers.append(pool.submit(*send[already]))
                    others_answer_until(client, lambda: waited.count(what) == len(answers))
                one_more = pool.submit(*send[3]).result(20)
            finally:
                state.gate.set()
            return [answer.result().status_code for answer in answers], one_more

        statuses, one_more = waiting("discovery document", [(client.get, "/sign-in/provider")] * 4)
        assert (statuses, one_more.status_code, "Many people" in one_more.text) == ([303] * 3, 503, True)
        waited.clear()
        answers = attempts(app, client, 4)
        statuses, one_more = waiting("keys", [(lambda a, c: client.get(a, headers=c), *pair) for pair in answers])
        assert (statuses, one_more.status_code, "Many people" in one_more.text) == ([303] * 3, 503, True)


def test_who_waits_for_a_silent_provider_gives_up_with_it(world, waited, monkeypatch):
    monkeypatch.setattr(fetched, "FETCH_SECONDS", 0.05)
    with world() as (state, app), browser(app) as client, ThreadPoolExecutor(4) as pool:
        state.gate = threading.Event()
        try:
            answers = [pool.submit(client.get, "/sign-in/provider") for _ in range(4)]
            assert [answer.result(20).status_code for answer in answers] == [503] * 4
        finally:
            state.gate.set()
        assert len(state.asked) <= 1


def test_the_way_to_sign_out_there_too_is_known_to_every_worker(still, world, monkeypatch):
    """Before, a worker at which nobody had begun, and one whose document was an hour old, showed none."""
    state, app = still
    assert f"{state.issuer}/logout" in browser(app).get("/sign-in?ended").text
    document = app.state.page_context.provider._discovered
    hour_later = document.clock() + fetched.MAX_AGE + 1
    state.discovery = {}
    with monkeypatch.context() as patch:
        patch.setattr(document, "clock", lambda: hour_later)
        assert f"{state.issuer}/logout" in browser(app).get("/sign-in?ended").text
    explicit = f'authorization_endpoint = "{state.issuer}/authorize"\ntoken_endpoint = "{state.issuer}/token"'
    with world(f"{explicit}\n{CONFIDENTIAL}") as (other, second):
        assert f"{other.issuer}/logout" in browser(second).get("/sign-in?ended").text
