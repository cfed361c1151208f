"""Withdrawal: no version is found, whatever the files say, until a person promotes one or rolls back."""

import pytest

from histories.errors import Faults
from histories.settings import settings
from tests.support.laid_before import Registered, as_files, registered
from tests.support.released import write_aliases
from training.release import promotion, registry, withdrawal
from training.release.resolve import Withdrawn, aliases, find_release
from training.release.withdrawal import tell_mlflow, withdraw


@pytest.fixture
def current(monkeypatch, bundle):
    in_mlflow = Registered()
    monkeypatch.setattr(registry, "client", lambda current: in_mlflow)
    monkeypatch.setattr(withdrawal, "client", lambda current: in_mlflow)
    monkeypatch.setattr(registry, "files_of", as_files)
    monkeypatch.setattr(registry, "card_in_short", lambda _: "the card")
    current = settings()
    registered(current, bundle)
    return current


def find(current):
    return find_release("onroll@champion", current.releases).version


def test_a_withdrawal_hides_the_version_and_is_logged(current):
    entry = withdraw(current, "onroll", who="ann", why="scores of one school were wrong")
    with pytest.raises(Withdrawn, match="withdrawn"):
        find(current)
    assert (entry["action"], entry["before"], entry["by"], entry["why"]) == (
        "withdrawn",
        1,
        "ann",
        "scores of one school were wrong",
    )
    assert tell_mlflow(current, "onroll", entry) == []
    assert registry.verify(current, "onroll").whole
    assert aliases(current.releases, "onroll") == {"challenger": 2}
    assert registry.check_mlflow_aliases(current, "onroll") == []


def test_an_alias_restored_by_hand_does_not_undo_a_withdrawal(current):
    withdraw(current, "onroll", who="ann", why="wrong")
    write_aliases(current.releases, champion=1)
    with pytest.raises(Withdrawn):
        find(current)


def test_a_promotion_ends_a_withdrawal_and_a_new_version_does_not(current, bundle):
    withdraw(current, "onroll", who="ann", why="wrong")
    registered(current, bundle, 1)
    assert aliases(current.releases, "onroll") == {"challenger": 3}
    with pytest.raises(Withdrawn):
        find(current)
    assert promotion.promote(current, "onroll", 2, who="ann", why="better")["action"] == "promoted"
    assert find(current) == "2"


def test_a_rollback_ends_a_withdrawal_with_the_previous_champion(current):
    promotion.promote(current, "onroll", 2, who="ann", why="better")
    withdraw(current, "onroll", who="ann", why="wrong")
    registry.rollback(current, "onroll", who="ann", why="the one before was right")
    assert find(current) == "1"


def test_no_rollback_brings_a_withdrawn_version_back(current):
    withdraw(current, "onroll", who="ann", why="wrong")
    promotion.promote(current, "onroll", 2, who="ann", why="better")
    with pytest.raises(Faults, match="no earlier champion"):
        registry.rollback(current, "onroll", who="ann", why="the one before was right")
    assert find(current) == "2"


@pytest.mark.parametrize(("who", "why"), [(" ", "wrong"), ("ann", "")])
def test_the_caller_and_the_reason_are_required(current, who, why):
    with pytest.raises(Faults, match="person and a reason"):
        withdraw(current, "onroll", who=who, why=why)
    assert find(current) == "1"


def test_a_version_that_does_not_serve_cannot_be_withdrawn(current):
    withdraw(current, "onroll", who="ann", why="wrong")
    with pytest.raises(Faults, match="no version serves"):
        withdraw(current, "onroll", who="ann", why="wrong")


def test_a_promotion_that_began_before_a_withdrawal_does_not_undo_it(current, monkeypatch):
    def checked(*of):
        withdraw(current, "onroll", who="ann", why="wrong")
        return checks(*of)

    checks = promotion.check_all
    monkeypatch.setattr(promotion, "check_all", checked)
    with pytest.raises(Faults, match="withdrawn while this ran"):
        promotion.promote(current, "onroll", 2, who="ann", why="better")
    with pytest.raises(Withdrawn):
        find(current)


def test_a_rollback_that_began_before_a_withdrawal_does_not_undo_it(current, monkeypatch):
    promotion.promote(current, "onroll", 2, who="ann", why="better")
    whole = registry.check_version

    def checked(*of):
        withdraw(current, "onroll", who="ann", why="wrong")
        return whole(*of)

    monkeypatch.setattr(registry, "check_version", checked)
    with pytest.raises(Faults, match="withdrawn while this ran"):
        registry.rollback(current, "onroll", who="ann", why="the list churned")
    with pytest.raises(Withdrawn):
        find(current)
