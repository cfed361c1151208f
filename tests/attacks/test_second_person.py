"""One person alone makes an administrator's key or a champion. Before, nothing could require a second one, and `USER=bob` was enough to
act as Bob in the audit and the promotion log."""

import json
import os
import pwd
from pathlib import Path

import pytest
from click.testing import CliRunner

from histories.errors import Faults
from histories.io.account import account
from serving.cli.main import onroll
from serving.store import Store
from serving.store.audit import approvals
from serving.store.caller import command_line
from tests.support.databases import KEY
from tests.support.released import append_a_promotion
from tests.support.stores import acted, tamper, verified
from training.bundle import SUMS
from training.release.promotion_log import append
from training.release.resolve import MOVES, logged

ADMINISTRATOR = ("keys", "create", "--role", "administrator")


@pytest.fixture
def person(monkeypatch):
    """Let another person run the commands from now on."""
    monkeypatch.setattr("histories.io.account.LOGIN", Path("no login"))
    monkeypatch.setenv("ONROLL_AUDIT_KEY", KEY.decode())
    monkeypatch.setenv("ONROLL_SECOND_PERSON", "true")

    def now_is(name):
        monkeypatch.setattr("serving.store.caller.account", lambda: name)

    now_is("ann")
    return now_is


@pytest.fixture
def store(tmp_path):
    opened = Store(f"sqlite:///{tmp_path / 'onroll.db'}", KEY)
    yield opened
    opened.engine.dispose()


def run(*words):
    return CliRunner().invoke(onroll, [*words, "--json"])


def waiting():
    return json.loads(run("approvals", "list").output)["approvals"]


def refused(*words):
    """Run a command that needs somebody else, and return the id of its request."""
    done = run(*words)
    assert isinstance(done.exception, approvals.NeedsSecondPerson)
    return waiting()[-1]["approval_id"]


def test_an_administrators_key_needs_a_second_person_once_for_each(store, person):
    request = refused(*ADMINISTRATOR)
    assert refused(*ADMINISTRATOR) == request  # trying again is no second request
    assert store.list_keys() == []
    assert isinstance(run("approvals", "confirm", request).exception, Faults)  # not by oneself
    person("bob")
    assert run("approvals", "confirm", request).exit_code == 0
    person("ann")
    key = json.loads(run(*ADMINISTRATOR).output)["key"]
    assert store.caller(key).role == "administrator"
    assert refused(*ADMINISTRATOR) != request
    with store.view(command_line()) as view:
        from serving.store.audit.audit_log import entries

        told = [(e["action"], e["who"]) for e in entries(view, action="approval")]
        view.record("test")
    assert told[-3:] == [
        ("approval.confirmed", "command:bob"),
        ("approval.used", "command:ann"),
        ("approval.requested", "command:ann"),
    ]


def test_a_confirmation_is_for_who_asked_for_what_they_asked_and_for_some_days(store, person, monkeypatch):
    request = refused(*ADMINISTRATOR)
    person("bob")
    run("approvals", "confirm", request)
    refused(*ADMINISTRATOR)  # it is Ann's
    person("ann")
    others = [("--authority", "801"), ("--urn", "100"), ("--holder", "Eve"), ("--names",), ("--expires", "2099-01-01")]
    asked = {refused(*ADMINISTRATOR, *other) for other in others}
    assert len(asked - {request}) == len(others), "each is another act"
    assert [a["confirmed_by"] for a in waiting()] == ["command:bob", None, *([None] * len(others))]
    monkeypatch.setattr(approvals, "LIFETIME", approvals.LIFETIME * 0)
    assert waiting() == []
    assert isinstance(run("approvals", "confirm", request).exception, Faults)


def test_other_keys_and_unset_need_nobody(store, person, monkeypatch):
    assert run("keys", "create", "--role", "lead", "--authority", "801").exit_code == 0
    monkeypatch.setenv("ONROLL_SECOND_PERSON", "false")
    assert run(*ADMINISTRATOR).exit_code == 0


def test_a_confirmation_that_was_put_into_the_audit_is_not_accepted(store, person):
    """By the owner of the database, who does not have the audit's key."""
    request = refused(*ADMINISTRATOR)
    made_up = f"SELECT max(seq) + 1, max(at), 'command:bob', 'administrator', NULL, 'approval.confirmed', '[]', '{{\"approval\":\"{request}\"}}', NULL, max(mac) FROM audit"
    tamper(
        store, f"INSERT INTO audit (seq, at, who, role, authority, action, pupils, details, request_id, mac) {made_up}"
    )
    done = run(*ADMINISTRATOR)
    assert "does not verify" in str(done.exception)
    assert store.list_keys() == []
    assert not verified(store).whole


def test_a_promotion_needs_a_second_person_for_these_very_bytes(store, person, releases, monkeypatch):
    promoted = []

    def promote(_, name, version, **__):
        promoted.append(version)
        line = logged(releases, "onroll")[-1]
        return {**line, "action": "promoted", "before": 0, "gates": [], "account": "ann", "trained_by": "cat"}

    monkeypatch.setattr("training.release.promotion.promote", promote)
    command = ("models", "promote", "1", "--by", "ann", "--reason", "autumn")
    request = refused(*command)
    person("bob")
    assert run("approvals", "confirm", request).exit_code == 0
    person("ann")
    card = releases / "onroll" / "v1" / SUMS
    before = card.read_bytes()
    card.write_bytes(before + b" ")
    assert isinstance(run(*command).exception, Faults)
    assert promoted == []
    card.write_bytes(before)
    assert run(*command).exit_code == 0
    assert promoted == [1]


def test_a_rollback_needs_a_second_person_too(store, person, releases, bundle, monkeypatch):
    """A withdrawal takes away and needs nobody; what serves again needs two, or one person withdraws and rolls back alone."""
    append_a_promotion(releases, bundle)
    rolled_back = []

    def roll_back(*_, **__):
        rolled_back.append(1)
        return {**logged(releases, "onroll")[-1], "action": "rolled back", "version": 1}

    monkeypatch.setattr("training.release.registry.rollback", roll_back)
    monkeypatch.setattr("serving.cli.models._record", lambda *_: None)
    monkeypatch.setattr("serving.cli.models._refuse_unless_audited", lambda *_: None)
    command = ("models", "rollback", "--by", "ann", "--reason", "the list churned")
    request = refused(*command)
    assert rolled_back == []
    person("bob")
    assert run("approvals", "confirm", request).exit_code == 0
    person("ann")
    assert run(*command).exit_code == 0
    assert rolled_back == [1]


def test_a_log_is_accepted_as_a_second_person_saw_it(store, person, releases, bundle):
    command = ("models", "accept", "--by", "ann", "--reason", "trained on the other machine")
    append_a_promotion(releases, bundle)
    request = refused(*command)
    person("bob")
    assert run("approvals", "confirm", request).exit_code == 0
    person("ann")
    append(releases / "onroll" / MOVES, version=99, action="noted", by="ann", why="after the confirmation")
    assert refused(*command) != request
    assert acted(store, "model.accepted") == []
    with (releases / "onroll" / MOVES).open("r+") as log:
        log.truncate(log.read().rstrip("\n").rindex("\n") + 1)  # as Bob saw it
    assert run(*command).exit_code == 0
    assert len(acted(store, "model.accepted")) == 1


def test_an_account_is_the_processs_or_that_of_sudo_and_not_what_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setattr("histories.io.account.LOGIN", tmp_path / "none")
    own = pwd.getpwuid(os.getuid()).pw_name
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "bob")
    monkeypatch.delenv("SUDO_UID", raising=False)
    assert account() == own
    other = next(a for a in pwd.getpwall() if a.pw_uid != os.getuid())
    monkeypatch.setenv("SUDO_UID", str(other.pw_uid))
    assert account() == other.pw_name
    for wrong in ("999999999", "9" * 40):
        monkeypatch.setenv("SUDO_UID", wrong)
        assert account() == "unknown"


@pytest.mark.parametrize(("login", "holds"), [("{own}", True), ("4294967295", False), ("", False)])
def test_who_logged_in_stays_so_whatever_sudo_is_said_to_be(monkeypatch, tmp_path, login, holds):
    own = pwd.getpwuid(os.getuid())
    other = next(a for a in pwd.getpwall() if a.pw_uid != os.getuid())
    (tmp_path / "loginuid").write_text(login.format(own=own.pw_uid))
    monkeypatch.setattr("histories.io.account.LOGIN", tmp_path / "loginuid")
    monkeypatch.setenv("SUDO_UID", str(other.pw_uid))
    assert account() == (own if holds else other).pw_name
