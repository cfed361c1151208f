"""The real server with two workers: promotions under load, a broken version, a stop with an open request."""

import http.client
import json
import os
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import bentoml
import httpx2
import pytest
from bentoml.exceptions import BentoMLException, NotFound

from serving.cli.running import start
from serving.store import Store
from tests.support.checkout import ROOT
from tests.support.released import alias, recorded, release
from tests.support.running_service import ask, read

PATIENCE = 60  # seconds to wait for a result
LOOKS = 500  # at the metrics, until they have counted what was answered
BODY = {
    "as_of": "2025-01-13",
    "histories": {
        "pupils": [{"pupil_id": f"A{n}", "date_of_birth": "2014-05-01", "authority": "801"} for n in range(30)],
        "enrolments": [{"pupil_id": f"A{n}", "urn": "100", "entry_date": "2018-09-04"} for n in range(30)],
    },
}


@pytest.fixture(scope="module")
def service(tmp_path_factory, bundle):
    """A running service with two workers: its process, address, log, releases, key and store."""
    home = tmp_path_factory.mktemp("edge")
    releases = home / "mlruns" / "releases"
    release(releases, bundle, 1)
    alias(releases, champion=1)
    recorded(releases)
    store = Store(f"sqlite:///{home / 'onroll.db'}")
    _, key = store.create_key("lead", "801")
    environment = {"ONROLL_WORKERS": "2", "PYTHONPATH": str(ROOT), "ONROLL_SHADOW": "1", "OMP_NUM_THREADS": "1"}
    process, url = start(home / "log", home, environment)
    yield process, url, home / "log", releases, key, store
    process.terminate()
    process.wait(30)


def until(condition):
    """Call until the result is true, then return it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        result = condition()
        if result:
            return result
    raise AssertionError("it did not happen in time")


def ready(url):
    return json.loads(read(f"{url}/readyz"))


def everywhere(url, version):
    """Return whether many new connections, which reach both workers, all see this version."""
    return all(ready(url)["model_version"] == version for _ in range(24))


def test_a_promotion_reaches_every_worker_without_a_failed_request(service, bundle):
    _, url, _, releases, key, _ = service
    ended, seen, failed = threading.Event(), [], []

    def client():
        while not ended.is_set():
            try:
                answer = ask(f"{url}/api/v1/score", key, BODY)
                seen.append(answer["model"]["version"])
                if {s["model_version"] for s in answer["scores"]} != {answer["model"]["version"]}:
                    failed.append("an answer of two versions")
            except httpx2.HTTPError as error:
                failed.append(repr(error))

    with ThreadPoolExecutor(2) as pool:
        for _ in range(2):
            pool.submit(client)
        try:
            until(lambda: len(seen) > 3)
            for version in (2, 3):
                release(releases, bundle, version)
                alias(releases, champion=version)
                recorded(releases)
                until(lambda version=version: everywhere(url, str(version)))
                until(lambda version=version: str(version) in seen)
        finally:
            ended.set()
    assert failed == []
    assert set(seen) == {"1", "2", "3"}


def test_a_broken_version_is_refused_and_the_previous_one_stays(service, bundle):
    _, url, log, releases, key, _ = service
    before = ready(url)["model_version"]
    folder = release(releases, bundle, 9)
    (folder / "booster.txt").write_text("not a booster")
    alias(releases, champion=9)
    recorded(releases)
    until(lambda: "refused" in ready(url))
    assert ready(url)["model_version"] == before
    assert ask(f"{url}/api/v1/score", key, BODY)["model"]["version"] == before
    assert "v9 is refused" in log.read_text()
    page = read(f"{url}/metrics")
    assert "onroll_model_refused 1.0" in page
    alias(releases, champion=int(before))
    recorded(releases)
    until(lambda: all("refused" not in ready(url) for _ in range(12)))


def test_a_challenger_scores_in_the_shadow(service, bundle):
    from serving.scoring.shadow import differences

    _, url, _, releases, key, store = service
    before = int(ready(url)["model_version"])
    release(releases, bundle, 10)
    alias(releases, champion=before, challenger=10)
    recorded(releases)

    def counted():
        assert ask(f"{url}/api/v1/score", key, BODY)["model"]["version"] == str(before)
        return [d for d in differences(store) if d["challenger"] == "10"]

    (pair,) = until(counted)
    assert pair["pupils"] >= 30
    assert pair["mean_risk_difference"] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("path", ["healthz", "docs.json", "docs", "static_content/x", "assets/x"])
def test_the_frameworks_own_routes_are_not_there(service, path):
    refused = httpx2.get(f"{service[1]}/{path}", timeout=PATIENCE)
    assert refused.status_code == 404
    assert refused.headers["content-type"] == "application/problem+json"


def test_bentomls_own_client_gets_the_same_scores_if_it_has_a_key(service, monkeypatch):
    _, url, _, _, key, _ = service
    monkeypatch.delenv("BENTO_CLOUD_API_KEY", raising=False)
    with bentoml.SyncHTTPClient(url, token=key, server_ready_timeout=PATIENCE) as client:
        answer = client.score(**BODY)
        assert client.counts(by="band")["counts"] == []
        with pytest.raises(NotFound):
            client.scores(pupil_ids=["A0"])
    assert len(answer["scores"]) == 30
    assert answer == ask(f"{url}/api/v1/score", key, BODY)
    for other in (None, "onroll_wrong"):
        with pytest.raises(BentoMLException, match="schema"):
            bentoml.SyncHTTPClient(url, token=other, server_ready_timeout=PATIENCE)


def test_metrics_are_those_of_both_workers_under_the_names_that_dashboards_for_bentoml_read(service):
    _, url, *_ = service

    def livez(name):
        lines = [x for x in read(f"{url}/metrics").splitlines() if x.startswith(f"{name}{{")]
        return sum(float(x.split()[-1]) for x in lines if 'endpoint="/livez"' in x and 'service_name="onroll"' in x)

    ended = ("bentoml_service_request_total", "bentoml_service_request_duration_seconds_count")
    before = [livez(name) for name in ended]
    for _ in range(20):
        read(f"{url}/livez")
    expected = [n + 20 for n in before]
    # An answer has reached its caller before the request is counted as ended.
    assert any([livez(name) for name in ended] == expected for _ in range(LOOKS))
    assert [livez(name) for name in ended] == expected, "and none is counted twice"
    assert livez("bentoml_service_request_in_progress") == 0
    assert 'bentoml_service_request_in_progress{endpoint="/metrics"' in read(f"{url}/metrics")


def test_a_running_request_is_finished_when_the_service_stops(service):
    process, url, log, _, key, _ = service
    port = int(url.rsplit(":", 1)[1])
    body = json.dumps(BODY).encode()
    head = (
        f"POST /api/v1/score HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(head + body[: len(body) // 2])
        until(lambda: ready(url))
        os.kill(process.pid, signal.SIGTERM)

        def closed():
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                return True

        until(closed)
        connection.sendall(body[len(body) // 2 :])
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert answer.status == 200
        assert len(json.load(answer)["scores"]) == 30
    process.wait(PATIENCE)
    assert '"level": "ERROR"' not in log.read_text().split("is refused")[-1]
