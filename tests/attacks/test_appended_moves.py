"""An attacker who can write to the release folder appends lines that verify to the promotion log: nothing serves them.

Before, two lines for a hand-made folder were enough: the service copied them into the audit, which then vouched for them.
"""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from histories.errors import Faults
from histories.settings import settings
from serving.cli.main import onroll
from serving.http.api import make_app
from serving.store.audit.model_log import accept, record_line
from tests.support.released import LOW, alias, append_a_promotion, recorded, release, write_aliases
from tests.support.stores import acted
from training.release.promotion_log import append
from training.release.resolve import MOVES, UNRECORDED, Mismatch, logged


def named_now(service):
    service.app.state.live_model.refresh()
    return service.get("/readyz").json().get("model_version")


def test_a_move_that_a_command_is_about_to_record_is_waited_for(service, releases, bundle):
    assert named_now(service) == "1"
    release(releases, bundle, 2)
    alias(releases, champion=2)
    assert named_now(service) == "1"
    assert acted(service.app.state.store, "model.refused_to_serve") == []
    recorded(releases)
    assert named_now(service) == "2"


def test_a_take_over_vouches_for_no_line_that_was_appended_before_it(service, releases, bundle):
    """The alias still names the version before the forged line, as in the seconds of a promotion."""
    release(releases, bundle, 99, calibrator=LOW)
    forged = {"alias": "champion", "version": 99, "before": 1, "action": "promoted", "by": "b", "why": "w"}
    append(releases / "onroll" / MOVES, **forged)
    assert named_now(service) == "1"
    write_aliases(releases, champion=99)
    assert named_now(TestClient(make_app(settings()))) is None


def test_no_command_records_a_move_that_another_made(service, releases, bundle):
    """Lines that were appended while a training ran would else be recorded with the training's own."""
    append_a_promotion(releases, bundle)
    release(releases, bundle, 100)
    alias(releases, challenger=100)
    store, own = service.app.state.store, logged(releases, "onroll")[-1]
    for line in (own, {"hash": "0" * 64}):
        with pytest.raises(Mismatch):
            record_line(store, releases, "onroll", line)
    assert named_now(TestClient(make_app(settings()))) is None


def test_the_log_of_a_model_of_another_name_is_not_trusted_at_first_sight(service, releases, bundle, monkeypatch):
    shutil.copytree(releases / "onroll", releases / "evil")
    monkeypatch.setenv("ONROLL_MODEL", "evil@champion")
    answer = TestClient(make_app(settings())).get("/readyz")
    assert (answer.status_code, answer.json()["errors"][0]["type"]) == (503, UNRECORDED)
    verified = json.loads(CliRunner().invoke(onroll, ["models", "verify", "--json"]).stdout)
    assert (UNRECORDED, True) in [(fault["code"], "/evil/" in fault["where"]) for fault in verified["faults"]]


def test_what_is_served_from_a_folder_is_verified_too(service, releases, monkeypatch):
    monkeypatch.setenv("ONROLL_MODEL", str(releases / "onroll" / "v1"))
    told = CliRunner().invoke(onroll, ["models", "verify"]).output
    assert "no log vouches" in told
    (releases / "onroll" / "v1" / "booster.txt").write_text("other")
    verified = json.loads(CliRunner().invoke(onroll, ["models", "verify", "--json"]).stdout)
    assert any("changed after it was made" in fault["what"] for fault in verified["faults"])


def test_a_person_accepts_a_log_from_another_machine(service, releases, bundle):
    release(releases, bundle, 2)
    alias(releases, champion=2)
    assert CliRunner().invoke(onroll, ["models", "accept", "--by", " ", "--reason", "x"]).exception.exit_code == 2
    words = ["models", "accept", "--by", "ann", "--reason", "trained on the other machine", "--json"]
    accepted = json.loads(CliRunner().invoke(onroll, words, catch_exceptions=False).stdout)["accepted"]
    assert [line["version"] for line in accepted] == [2, 2]
    assert named_now(service) == "2"
    (entry,) = acted(service.app.state.store, "model.accepted")
    assert (entry["by"], entry["why"], entry["lines"]) == ("ann", "trained on the other machine", 4)


def test_what_disagrees_is_not_accepted(service, releases, bundle):
    append_a_promotion(releases, bundle)
    (releases / "onroll" / "v1" / "booster.txt").write_text("other")
    with pytest.raises(Faults, match="changed after it was made"):
        accept(settings(), "onroll", who="ann", why="w")


def test_a_signed_move_needs_no_entry_and_an_unsigned_one_beside_it_is_nothing(
    service, releases, bundle, keys, monkeypatch
):
    private, public = keys
    Path("public.pem").write_bytes(public)
    monkeypatch.setenv("ONROLL_VERIFY_KEY_FILE", "public.pem")
    release(releases, bundle, 2)
    alias(releases, private, champion=2)
    assert named_now(TestClient(make_app(settings()))) == "2"
    append_a_promotion(releases, bundle)
    assert named_now(TestClient(make_app(settings()))) is None
