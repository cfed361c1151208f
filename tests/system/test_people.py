"""Personal details on both databases: merged by import, shown and searched by right and scope, re-encrypted, removed."""

from datetime import date

import pytest

from serving.store import Caller
from serving.store.cases import casework
from serving.store.people import details
from serving.store.people.cipher import Cipher, Unreadable
from serving.store.people.details import MAX_MATCHES, PersonalDetails
from tests.support.named_children import VALUES
from tests.support.stores import do, gathered

OLD, NEW = b"o" * 32, b"n" * 32
NAMED = Caller("w", "worker", "801", names=True)
OTHERS = (
    Caller("w", "worker", "801"),
    Caller("w", "analyst", "801", names=True),
    Caller("w", "worker", "802", names=True),
    Caller("w", "worker", "801", ("999",), names=True),
)


def put(store, cipher, **people):
    return do(store, details.save, cipher, people)


def seen(store, cipher, caller=NAMED, pupils=("a", "b")):
    with store.view(caller) as view:
        view.record("test")
        return details.shown(view, cipher, pupils, "test")


def found(store, cipher, typed, caller=NAMED):
    with store.view(caller) as view:
        view.record("test")
        matches, count = details.search(view, cipher, typed)
        assert count >= len(matches)
        return [match.pupil_id for match in matches]


@pytest.fixture
def filled(store):
    do(store, casework.keep, gathered("a", "b"), "1")
    return store


def test_an_import_changes_the_fields_it_has_and_leaves_unknown_children_out(filled):
    cipher = Cipher([OLD])
    assert put(filled, cipher, a=VALUES, b={"name": "Bea Cee"}, nobody={"name": "No One"}) == 2
    assert seen(filled, cipher) == {"a": PersonalDetails(**VALUES), "b": PersonalDetails(name="Bea Cee")}
    put(filled, cipher, a={"name": "Zoë Married", "school_contact": ""})
    changed = PersonalDetails(**{**VALUES, "name": "Zoë Married", "school_contact": ""})
    assert seen(filled, cipher)["a"] == changed
    assert found(filled, cipher, "canary") == []


@pytest.mark.parametrize("caller", OTHERS)
def test_no_right_no_scope_no_details(filled, caller):
    cipher = Cipher([OLD])
    put(filled, cipher, a=VALUES)
    assert seen(filled, cipher, caller) == {}
    assert found(filled, cipher, "zoe", caller) == []
    assert found(filled, cipher, VALUES["upn"], caller) == []
    assert seen(filled, None) == {}


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("zoe", ["a"]),
        ("CANARY zoë", ["a"]),
        ("o’canary", ["a"]),
        ("ocan", ["a"]),
        ("lukasz", ["b"]),
        ("Łu", ["b"]),
        ("smith-j", ["b"]),
        ("jones smith", ["b"]),
        ("b8012 00005001", ["a"]),
        ("nary", []),
        ("z", []),
        ("", []),
        ("%", []),
        ("Kestrel", []),
        ("zoe lukasz", []),
    ],
)
def test_a_name_is_found_by_the_beginnings_of_its_words(filled, typed, expected):
    cipher = Cipher([OLD])
    put(filled, cipher, a=VALUES, b={"name": "Łukasz Smith-Jones", "date_of_birth": date(2014, 1, 2)})
    assert found(filled, cipher, typed) == expected


def test_a_search_shows_a_limited_number(store):
    pupils = [f"p{n:02}" for n in range(MAX_MATCHES + 5)]
    do(store, casework.keep, gathered(*pupils), "1")
    put(store, Cipher([OLD]), **{p: {"name": f"Ann {p}"} for p in pupils})
    assert found(store, Cipher([OLD]), "ann") == pupils[:MAX_MATCHES]


def test_a_new_key_reads_nothing_until_the_details_are_encrypted_with_it(filled, caplog):
    put(filled, Cipher([OLD]), a=VALUES)
    assert seen(filled, Cipher([NEW])) == {}
    assert "cannot be decrypted: 1 row" in caplog.text
    with pytest.raises(Unreadable):
        put(filled, Cipher([NEW]), a=VALUES)
    assert do(filled, details.reencrypt, Cipher([OLD, NEW])) == 1
    assert do(filled, details.reencrypt, Cipher([OLD, NEW])) == 0
    assert seen(filled, Cipher([NEW])) == {"a": PersonalDetails(**VALUES)}
    assert do(filled, details.remove_all) == 1
    assert seen(filled, Cipher([NEW])) == {}
