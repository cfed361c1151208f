"""A withdrawal is lost: its line is cut, its log is gone, the folder of releases is not mounted. What was withdrawn stays hidden.

Before, a log that was not there counted as one without withdrawals, and an alias that was gone as a model that never served: a restarted
service answered with the stored scores. The test of before left the alias in its place, which the command takes away.
"""

import json
import shutil

import pytest
from starlette.testclient import TestClient

from histories.settings import settings
from serving.http.api import make_app
from serving.scoring import live_model
from serving.scoring.live_model import LiveModel
from tests.support.released import alias, recorded, release, withdraw, write_aliases
from tests.support.scores import full_score
from training.release.resolve import ALIASES, MOVES

CALLS = {"worklist": {}, "scores": {"pupil_ids": ["p1"]}, "counts": {"by": "band"}}


def cut_its_line(releases):
    log = releases / "onroll" / MOVES
    log.write_text("".join(log.read_text().splitlines(keepends=True)[:-1]))


def cut_its_line_and_name_it_again(releases):
    cut_its_line(releases)
    write_aliases(releases, champion=1)


def remove_the_log(releases):
    (releases / "onroll" / MOVES).unlink()


def empty_the_log(releases):
    (releases / "onroll" / MOVES).write_bytes(b"")


def mount_no_releases(releases):
    shutil.rmtree(releases)


LOSSES = (cut_its_line, cut_its_line_and_name_it_again, remove_the_log, empty_the_log, mount_no_releases)


def restarted(service):
    return TestClient(make_app(settings()), headers=service.headers)


def answers(client):
    sent = {call: client.post(f"/api/v1/{call}", json=body) for call, body in CALLS.items()}
    return {call: (answer.status_code, "p1" in answer.text) for call, answer in sent.items()}


@pytest.mark.parametrize("lost", [lambda releases: None, *LOSSES])
def test_a_withdrawal_that_is_lost_brings_no_stored_score_back(service, releases, lost):
    service.app.state.store.save([full_score("p1", "801")])
    assert service.get("/readyz").status_code == 200
    withdraw(releases)
    recorded(releases)
    assert json.loads((releases / "onroll" / ALIASES).read_text()) == {}, "the command takes the alias away"
    service.app.state.live_model.refresh()  # a service that runs polls every second
    lost(releases)
    for client in (service, restarted(service)):  # one that runs, and one that starts
        client.app.state.live_model.refresh()
        assert answers(client) == dict.fromkeys(CALLS, (503, False))
        assert client.app.state.page_context.withdrawn


@pytest.mark.parametrize("lost", LOSSES)
def test_the_lists_of_a_withdrawn_version_stay_hidden_while_another_serves(service, releases, bundle, lost):
    store = service.app.state.store
    withdraw(releases)
    recorded(releases)
    release(releases, bundle, 2)
    alias(releases, champion=2)
    recorded(releases)
    assert store.taken_back() == {"1"}
    lost(releases)
    assert store.taken_back() == {"1"}, "of a process that runs on"
    assert restarted(service).app.state.store.taken_back() == {"1"}


@pytest.mark.parametrize("lost", [remove_the_log, mount_no_releases])
def test_a_folder_of_the_withdrawn_version_does_not_serve(service, releases, tmp_path, monkeypatch, lost):
    copy = shutil.copytree(releases / "onroll" / "v1", tmp_path / "copy")
    withdraw(releases)
    recorded(releases)
    lost(releases)
    monkeypatch.setenv("ONROLL_MODEL", str(copy))
    live = restarted(service).app.state.live_model
    assert (live.model(), live.withdrawn) == (None, True)


def test_a_model_that_never_served_hides_nothing(releases, tmp_path, monkeypatch):
    """A store may be filled before its first release: there is nothing that could have been withdrawn."""
    monkeypatch.setenv("ONROLL_DATABASE_URL", f"sqlite:///{tmp_path / 'other.db'}")
    monkeypatch.setenv("ONROLL_MODEL", "another@champion")
    app = make_app(settings())
    app.state.store.save([full_score("p1", "801")])
    _, key = app.state.store.create_key("lead", "801")
    client = TestClient(app, headers={"Authorization": f"Bearer {key}"})
    assert answers(client)["worklist"] == (200, True)


def test_an_audit_that_cannot_be_asked_hides_scores_until_it_can(tmp_path, monkeypatch):
    """Before, one unreachable moment of a database hid them until a version served, or a restart."""
    monkeypatch.setattr(live_model, "RETRY_SECONDS", 0.0)
    answers = iter([OSError("away"), False, True])

    def asked():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    live, hidden = LiveModel("onroll@champion", tmp_path, once_served=asked), []
    for _ in range(3):
        live.refresh()
        hidden.append(live.hides_scores)
    assert hidden == [True, False, True]


def test_what_was_withdrawn_and_promoted_again_serves(service, releases):
    withdraw(releases)
    recorded(releases)
    alias(releases, champion=1)
    recorded(releases)
    client = restarted(service)
    assert client.app.state.live_model.model().manifest.version == "1"
    assert client.app.state.store.taken_back() == set()
