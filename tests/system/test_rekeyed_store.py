"""Pupils of the database under a new pseudonym key, on both databases: nothing else changes, and a failure changes nothing."""

import pytest
import sqlalchemy as sa

from histories.errors import Faults
from histories.identity import joined, pseudonym
from serving.store.database import reading
from serving.store.people import details
from serving.store.people.cipher import Cipher
from serving.store.records import erasure, holds
from serving.store.records.places import BY_PUPIL
from serving.store.records.rekeying import rekey, require_able
from serving.store.tables import FormerReference
from tests.support.named_children import VALUES
from tests.support.stores import do, hold_everything, table_rows, verified

OLD, NEW = (b"old",), (b"old", b"new")
NAMES = ("one", "two", "held only", "of other histories")


def under(keys):
    return [pseudonym(name, joined(keys)) for name in NAMES]


def test_only_pseudonyms_change_and_an_authoritys_own_keys_stay(store):
    (one, two, only, other), now = under(OLD), under(NEW)
    hold_everything(store, [one, two, other, "P0000001"])
    do(store, holds.place, [only], "court")
    before = table_rows(store)
    new_of = dict(zip((one, two, only), now, strict=False))
    done = do(store, rekey, {**new_of, "p" + "1" * 20: "p" + "2" * 20}, "k1")
    assert (done.pupils, done.others) == (3, 1)
    for former, new in new_of.items():
        before = {t: sorted(row.replace(former, new) for row in rows) for t, rows in before.items()}
    assert table_rows(store) == before
    again = do(store, rekey, new_of, "k1")
    assert again.pupils == 0
    assert table_rows(store) == before
    assert verified(store).whole


def test_erasure_takes_the_references_along(store):
    (one, *_), (new, *_) = under(OLD), under(NEW)
    hold_everything(store, [one])
    do(store, rekey, {one: new}, "k1")
    do(store, holds.lift, [new], "over")
    with reading(store.engine) as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(FormerReference)) == len(store.chain.links)
    do(store, erasure.erase, [new], "asked")
    with reading(store.engine) as connection:
        for table in BY_PUPIL:
            assert not connection.scalar(sa.select(sa.func.count()).select_from(table)), table.__tablename__


def test_personal_details_are_encrypted_for_the_new_pseudonym(store):
    (one, *_), (new, *_) = under(OLD), under(NEW)
    cipher = Cipher([b"k" * 32])
    hold_everything(store, [one])
    do(store, details.save, cipher, {one: VALUES})
    with reading(store.engine) as connection:
        for other in (None, Cipher([b"other" * 8])):
            with pytest.raises(Faults, match=r"decrypted|another key"):
                require_able(connection, other)
        require_able(connection, cipher)
    do(store, rekey, {one: new}, "k1", cipher)
    with reading(store.engine) as connection:
        assert details.of_pupil(connection, cipher, new)["name"] == VALUES["name"]
        assert details.of_pupil(connection, cipher, one) is None
