"""The client honours Retry-After, follows pages, types its answers, and never logs identifiers."""

import json
import logging
from datetime import UTC, date, datetime

import httpx2
import pytest

from histories.settings import settings
from serving.client import AsyncClient, Client, RequestRefused, Retry, Unreachable
from serving.http.api import make_app
from tests.support.coroutines import run
from tests.support.scores import full_score

CANARY = "ZZCANARYZZ"
URL = "http://127.0.0.1:1"
CARD = {
    "name": "onroll",
    "version": "1",
    "definition": "d",
    "horizon_days": 120,
    "trained_on": ["2025-01-13"],
    "until": None,
    "base_rate": 0.1,
    "metrics": {},
    "limits": [],
    "bands": [{"name": "high", "at_least": 0.3}],
    "data_digest": "",
    "catalogue_digest": "",
}
RETRY = Retry(jitter=lambda: 0.0, now=lambda: datetime(2025, 1, 13, 12, tzinfo=UTC))


def problem(status, **headers):
    body = {"type": "about:blank", "title": "No", "status": status, "detail": "", "request_id": "r1"}
    return httpx2.Response(status, json=body, headers=headers)


def client_of(*answers, retry=RETRY):
    """Call ``model`` once with each client against a service that gives some answers; return what both got and waited."""
    outcomes = []
    for kind in (Client, AsyncClient):
        left, waited = list(answers), []

        def answer(request, left=left):
            given = left.pop(0)
            if isinstance(given, Exception):
                raise given
            return httpx2.Response(
                given.status_code, content=given.content, headers=given.headers
            )  # each client consumes its own

        async def asleep(seconds, waited=waited):
            waited.append(seconds)

        sleep = waited.append if kind is Client else asleep
        client = kind(URL, "k", retry=retry, sleep=sleep, transport=httpx2.MockTransport(answer))
        try:
            got = client.model() if kind is Client else run(client.model())
        except (RequestRefused, Unreachable) as error:
            got = error
        outcomes.append((got, waited, len(left)))
    (first, *rest), (second, *same) = outcomes
    assert (type(first), str(first), *rest) == (type(second), str(second), *same)
    return outcomes[0]


OK = httpx2.Response(200, json=CARD)


def test_a_client_waits_longer_each_time_and_then_answers():
    got, waited, left = client_of(problem(503), problem(429), httpx2.ConnectError("x"), OK)
    assert (got.version, waited, left) == ("1", [0.5, 1.0, 2.0], 0)


@pytest.mark.parametrize(
    ("retry_after", "waited"),
    [
        ("7", [7.0]),
        ("0", [0.0]),
        ("Mon, 13 Jan 2025 12:00:09 GMT", [9.0]),
        ("Mon, 13 Jan 2025 11:00:00 GMT", [0.0]),
        ("soon", [0.5]),
        ("-3", [0.5]),
    ],
)
def test_a_client_waits_as_long_as_retry_after_says(retry_after, waited):
    assert client_of(problem(429, **{"Retry-After": retry_after}), OK)[1] == waited


def test_a_client_gives_up_after_some_tries_or_a_long_wait():
    got, waited, _ = client_of(*[problem(503)] * 5)
    assert (got.status, got.request_id, len(waited)) == (503, "r1", 4)
    got, waited, left = client_of(problem(429, **{"Retry-After": "3600"}), OK)
    assert (got.status, waited, left) == (429, [], 1)
    assert isinstance(client_of(*[httpx2.ReadTimeout("x")] * 5)[0], Unreachable)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 500])
def test_errors_that_waiting_cannot_mend_are_raised_at_once(status):
    got, waited, _ = client_of(problem(status), OK)
    assert (got.status, waited) == (status, [])


def test_an_answer_of_another_server_is_reported_without_its_text():
    for answer in (
        httpx2.Response(200, text=CANARY),
        httpx2.Response(200, json={"name": CANARY}),
        httpx2.Response(502, text=CANARY),
    ):
        got, _, _ = client_of(answer)
        assert isinstance(got, Unreachable)
        assert CANARY not in str(got)
        assert got.__suppress_context__


def test_waits_are_spread():
    waits = {Retry().wait(3, None) for _ in range(20)}
    assert len(waits) > 10
    assert all(1 <= w <= 2 for w in waits)


def test_a_key_goes_over_https_but_on_this_machine():
    with pytest.raises(ValueError, match="https only"):
        Client("http://onroll.example", "k")
    with pytest.raises(ValueError, match="https only"):
        AsyncClient("http://192.0.2.1", "k")
    Client("https://onroll.example", "k").close()
    Client("http://localhost:3000", "k").close()


@pytest.fixture
def app(bundle, monkeypatch):
    monkeypatch.setenv("ONROLL_MODEL", str(bundle))
    app = make_app(settings())
    app.state.store.save({**full_score(f"p{n}", "801"), "rank": n, "pupil_id": f"{CANARY}{n}"} for n in range(1, 8))
    app.state.key = app.state.store.create_key("lead", "801")[1]
    return app


def test_both_clients_call_the_real_interface_and_log_no_child(app, caplog):
    from starlette.testclient import TestClient

    caplog.set_level(logging.DEBUG)
    rows = {
        "pupils": [{"pupil_id": CANARY, "date_of_birth": "2014-05-01", "authority": "801"}],
        "enrolments": [{"pupil_id": CANARY, "urn": "100", "entry_date": "2018-09-04"}],
    }
    with Client(URL, app.state.key, transport=TestClient(app)._transport) as client:
        listed = list(client.worklist(page=3, band="high"))
        assert [s.rank for s in listed] == [1, 2, 3, 4, 5, 6, 7]
        assert client.scores([f"{CANARY}2"]).scores == [listed[1]]
        assert client.score(rows, date(2025, 1, 13)).scores[0].reasons is not None
        assert client.counts().counts[0].group == "high"
        assert client.model().version == "1"
        with pytest.raises(RequestRefused) as refused:
            client.scores(["nobody" + CANARY])
        with pytest.raises(RequestRefused) as wrong:
            client.scores([CANARY], as_of="soon")
    assert (refused.value.status, wrong.value.errors[0].loc) == (404, ["body", "as_of"])

    async def others():
        async with AsyncClient(URL, app.state.key, transport=httpx2.ASGITransport(app)) as client:
            assert [s async for s in client.worklist(page=3)] == listed
            assert (await client.scores([f"{CANARY}2"])).scores == [listed[1]]
            assert len((await client.score(rows, date(2025, 1, 13))).scores) == 1
            assert (await client.counts("urn")).by == "urn"
            assert (await client.model()).name == "onroll"

    run(others())
    records = (
        caplog.text + str(refused.value) + str(wrong.value) + repr(client) + json.dumps(client.__dict__, default=repr)
    )
    assert CANARY not in records
