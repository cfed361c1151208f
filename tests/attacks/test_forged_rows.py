"""Whoever may add rows to the database adds a key or a session for later, past the commands and the second person.

Before, such a key opened everything for as long as it said and `audit verify` was content; such a session too, since its row said when it ends.
"""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from serving.store import Caller, Store
from serving.store.audit import pruning
from serving.store.caller import Credential
from serving.store.database import reading, writing
from serving.store.sign_in import sessions
from serving.store.sign_in.sessions import Session, signed_in
from serving.store.tables import StoredKey
from serving.telemetry.audit_watch import AuditWatch
from tests.support.databases import KEY
from tests.support.stores import do, verified

IDLE = timedelta(minutes=15)
HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path):
    opened = Store(f"sqlite:///{tmp_path / 'onroll.db'}", KEY)
    yield opened
    opened.engine.dispose()


def change_row(store, table, **values):
    with writing(store.engine) as connection:
        connection.execute(sa.update(table).values(**values))


def session_of(store, key_id):
    caller = Caller(key_id, "lead", "801", credential=Credential(None, (), ()))
    with store.change(caller) as change:
        return sessions.open_session(change, "Ann")


@pytest.mark.parametrize(("opened", "holds"), [(-11 * HOUR, True), (-12 * HOUR, False), (24 * HOUR, False)])
def test_a_session_that_was_put_into_the_database_lasts_no_longer_than_any(store, opened, holds):
    secret, now = session_of(store, "token:ann"), datetime.now(UTC)
    change_row(store, Session, opened_at=now + opened, ends_at=now + timedelta(days=9999))
    assert (signed_in(store.engine, secret, IDLE) is not None) is holds


@pytest.mark.parametrize(
    "forged",
    [{"role": "administrator"}, {"authority": None}, {"urns": '["1"]'}, {"names": True}],
    ids=lambda f: next(iter(f)),
)
def test_a_session_of_a_key_has_the_rights_of_the_key(store, forged):
    key_id, _ = store.create_key("lead", "801")
    secret = session_of(store, key_id)
    assert signed_in(store.engine, secret, IDLE) is not None
    change_row(store, Session, **forged)
    assert signed_in(store.engine, secret, IDLE) is None


def put_a_key(store, key_id="forged"):
    row = {
        "key_id": key_id,
        "digest": key_id,
        "role": "administrator",
        "urns": "[]",
        "created_at": datetime(2020, 1, 1, tzinfo=UTC),
    }
    with writing(store.engine) as connection:
        connection.execute(sa.insert(StoredKey), row)


def test_a_key_that_no_entry_made_is_reported(store):
    store.create_key("lead", "801")
    AuditWatch(store).declare()
    store.create_key("worker", "801", ["100"], date(2099, 1, 1), names=True)
    assert verified(store).whole
    put_a_key(store)
    assert verified(store).why == "no entry made these keys with their rights: forged"


@pytest.mark.parametrize(
    "forged", [{"role": "administrator"}, {"authority": None}, {"urns": "[]"}, {"names": True}, {"expires": None}]
)
def test_a_key_that_was_given_more_rights_is_reported(store, forged):
    AuditWatch(store).declare()
    key_id, _ = store.create_key("lead", "801", ["100"], date(2099, 1, 1))
    change_row(store, StoredKey, **forged)
    assert verified(store).why.endswith(f"rights: {key_id}")


def test_keys_of_before_the_first_declaration_are_taken_as_they_are_and_retention_keeps_what_was_known(store):
    store.note(Caller("x", "lead", "801"), "test")
    put_a_key(store, "old")
    assert verified(store).whole, "an audit that declares nothing is not held to it"
    AuditWatch(store).declare()
    store.create_key("lead", "801")
    assert do(store, pruning.prune, datetime.now(UTC) + HOUR) == 2
    store.note(Caller("x", "lead", "801"), "test")
    assert do(store, pruning.prune, datetime.now(UTC) + HOUR) == 2
    assert verified(store).whole
    put_a_key(store, "new")
    assert verified(store).why.endswith("rights: new")
    with reading(store.engine) as connection:
        (text,) = connection.execute(
            sa.text("SELECT details FROM audit WHERE action = 'audit.pruned' ORDER BY seq DESC LIMIT 1")
        ).one()
    assert len(json.loads(text)["keys"]) == 2
