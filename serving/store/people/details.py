"""Children's personal details: stored encrypted, shown to callers with the right within their scope, and searched.

They are never a feature, and no score, log, metric or URL holds them. Every view is in the audit.
"""

from __future__ import annotations

import json
import logging
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from histories.errors import Fault, Faults
from histories.identity import clean_upn
from histories.io.quantities import quantity
from serving.store.caller import Caller
from serving.store.people.cipher import SETTING, Cipher, Unreadable
from serving.store.people.everyday import EVERYDAY
from serving.store.people.tables import StoredDetails
from serving.store.scores.stored_scores import BATCH, upsert
from serving.store.tables import NAMED, Pupil
from serving.store.unit_of_work import Change, View

MAX_MATCHES = 20  # children that a search shows
MIN_SEARCH = 2  # letters of a name
MIN_WORD, MIN_ID = 3, 5  # letters of a word of a name, and of an identifier, that a released text may not hold
ROWS = sa.select(StoredDetails.pupil_id, StoredDetails.key_id, StoredDetails.sealed)
APOSTROPHES = "['\u2018\u2019\u02bc\u00b4`]"
APOSTROPHE = "apostrophe"  # stands for one among words
NO_LETTER = re.compile(
    f"[\u0300-\u036f]|{APOSTROPHES}"
)  # accents, once they are parted from their letters, and apostrophes
BETWEEN = re.compile(r"[\W_]+")
STROKES = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "æ": "ae", "œ": "oe"})
WORDS = (
    "words"  # the words of the name as they are compared; within the ciphertext, so that a search reads no other field
)
log = logging.getLogger("onroll.alarm")


@dataclass(frozen=True, kw_only=True)
class PersonalDetails:
    """Who a child is.

    Attributes
    ----------
    school_contact : str
        Whom to ring at the school, and how.
    system_id : str
        The child's number in the authority's own system.
    """

    name: str
    date_of_birth: date | None = None
    upn: str = ""
    school_contact: str = ""
    system_id: str = ""


FIELDS = tuple(f.name for f in fields(PersonalDetails))


@dataclass(frozen=True)
class Match:
    """A child that a search found; ``pupil_ref`` is safe in an address."""

    pupil_id: str
    pupil_ref: str
    nc_year: int
    roll_year: int | None
    urn: str
    left_on: date | None
    left_to: str | None


PLACED = tuple(f.name for f in fields(Match))[1:]


def save(change: Change, cipher: Cipher, people: Mapping[str, Mapping[str, Any]]) -> int:
    """Store details of children whom the store knows, and return of how many; others are left out.

    Parameters
    ----------
    change : Change
    cipher : Cipher
    people : mapping
        Fields by pupil; fields that are not given stay as they are.
    """
    known = _known(change, list(people))
    stored = {
        row.pupil_id: asdict(_parsed(cipher.unseal(row.key_id, row.pupil_id, row.sealed)))
        for row in _rows(change, known)
    }
    rows = []
    for pupil in known:
        merged = stored.get(pupil, {}) | dict(people[pupil])
        merged[WORDS] = "".join(f" {word}" for word in _words_of(merged["name"]))
        sealed = cipher.seal(pupil, json.dumps(merged, ensure_ascii=False, default=date.isoformat).encode())
        rows.append({"pupil_id": pupil, "key_id": cipher.newest, "sealed": sealed, "stored_at": change.now})
    for at in range(0, len(rows), BATCH):
        insert = upsert(change, StoredDetails)
        changes = {name: insert.excluded[name] for name in ("key_id", "sealed", "stored_at")}
        change.connection.execute(
            insert.on_conflict_do_update(index_elements=["pupil_id"], set_=changes), rows[at : at + BATCH]
        )
    change.record("details.stored", count=len(rows))
    return len(rows)


def shown(view: View, cipher: Cipher | None, pupils: Iterable[str], where: str) -> dict[str, PersonalDetails]:
    """Return the details of pupils in the caller's scope; empty unless the caller may see them. The view is recorded.

    Parameters
    ----------
    where : str
        The page or file that shows them, for the audit.
    """
    requested = list(dict.fromkeys(pupils))
    if cipher is None or not view.caller.sees_names or not requested:
        return {}
    details: dict[str, PersonalDetails] = {}
    for at in range(0, len(requested), BATCH):
        query = _in_scope(view.caller, NAMED).where(StoredDetails.pupil_id.in_(requested[at : at + BATCH]))
        for row, text in _unsealed(cipher, view.connection.execute(query)):
            details[row.pupil_id] = _parsed(text)
    view.record("details.seen", pupils=list(details), where=where)
    return details


def search(view: View, cipher: Cipher | None, typed: str) -> tuple[list[Match], int]:
    """Return the children of the caller's scope whose UPN or name was typed, by name, and how many there are.

    At most ``MAX_MATCHES`` are returned.

    A name matches when every word typed begins a word of the name, in any order, without regard to case and accents. Names are
    compared after decryption: the database holds nothing that they could be looked up by.
    """
    upn, words = clean_upn(typed), _words(typed)
    named = sum(map(len, words)) >= MIN_SEARCH
    if cipher is None or not view.caller.sees_names or not (upn or named):
        return [], 0
    within = [b" " + word.encode() for word in words] if named else []
    rows = view.connection.execute(_in_scope(view.caller).add_columns(*(getattr(Pupil, name) for name in PLACED)))
    candidates = {}
    for row, text in _unsealed(cipher, rows):
        if (upn and upn.encode() in text) or (within and all(word in text for word in within)):
            candidates[row] = _parsed(text)
    matches = [
        (details.name, Match(row.pupil_id, *(getattr(row, name) for name in PLACED)))
        for row, details in candidates.items()
        if (upn and details.upn == upn) or (named and _begin(words, _words_of(details.name)))
    ]
    first = [match for _, match in sorted(matches, key=_by_name)[:MAX_MATCHES]]
    view.record("details.searched", pupils=[match.pupil_id for match in first], matches=len(matches))
    return first, len(matches)


def reencrypt(change: Change, cipher: Cipher) -> int:
    """Encrypt all details that an older key encrypted with the newest key, and return of how many children."""
    older = change.connection.execute(ROWS.where(StoredDetails.key_id != cipher.newest)).all()
    for row in older:
        sealed = cipher.seal(row.pupil_id, cipher.unseal(row.key_id, row.pupil_id, row.sealed).rstrip())
        update = sa.update(StoredDetails).where(StoredDetails.pupil_id == row.pupil_id)
        change.connection.execute(update.values(key_id=cipher.newest, sealed=sealed))
    change.record("details.reencrypted", count=len(older))
    return len(older)


def rename(change: Change, cipher: Cipher, new_of: Mapping[str, str]) -> None:
    """Encrypt the details of pupils for their new pseudonyms; the calling code records it."""
    for row in _rows(change, list(new_of)):
        pupil = new_of[row.pupil_id]
        sealed = cipher.seal(pupil, cipher.unseal(row.key_id, row.pupil_id, row.sealed).rstrip())
        update = sa.update(StoredDetails).where(StoredDetails.pupil_id == row.pupil_id)
        change.connection.execute(update.values(pupil_id=pupil, key_id=cipher.newest, sealed=sealed))


def remove_all(change: Change) -> int:
    """Remove everybody's details, and return of how many children."""
    count = change.connection.execute(sa.delete(StoredDetails)).rowcount
    change.record("details.removed", count=count)
    return count


def count_by_key(view: View) -> dict[str, int]:
    """Return of how many children each key encrypted the details."""
    query = sa.select(StoredDetails.key_id, sa.func.count()).group_by(StoredDetails.key_id)
    counts: dict[str, int] = {row.key_id: row[1] for row in view.connection.execute(query)}
    view.record("details.counted", count=sum(counts.values()))
    return counts


def must_fit(connection: sa.Connection, cipher: Cipher | None) -> None:
    """Refuse a key that does not decrypt what is stored.

    Raises
    ------
    Faults
        When another key encrypted some of the details.
    """
    if cipher is None:
        return
    used = set(connection.scalars(sa.select(StoredDetails.key_id).distinct()))
    if used - cipher.key_ids:
        do = "Put the key that encrypted them into the file too, above the new one; or remove them with 'onroll people remove'."
        raise Faults(Fault("another key encrypted the stored personal details", SETTING, do))


def of_pupil(connection: sa.Connection, cipher: Cipher | None, pupil_id: str) -> dict[str, Any] | None:
    """Return the details of a pupil for subject access, or None. The calling code records it.

    Raises
    ------
    Unreadable
        When there are details, and no key decrypts them.
    """
    row = connection.execute(ROWS.where(StoredDetails.pupil_id == pupil_id)).one_or_none()
    if row is None:
        return None
    if cipher is None:
        raise Unreadable
    return asdict(_parsed(cipher.unseal(row.key_id, row.pupil_id, row.sealed)))


def identifies(text: str, person: Mapping[str, Any]) -> bool:
    """Return whether a text holds a word of a child's name, the UPN or the system id; of names with short words only, the whole name.

    Parameters
    ----------
    person : mapping
        See ``of_pupil``.
    """
    named = _long_words(person["name"])
    whole = " ".join(_words(person["name"]))
    if not named and whole and f" {whole} " in f" {' '.join(_words(re.sub(APOSTROPHES, ' ', text)))} ":
        return True
    return bool(named & _written(text)) or _holds_identifier(text, person)


def may_be_no_name(text: str, person: Mapping[str, Any]) -> bool:
    """Return whether all that a text holds of a child is the first word of the name, an everyday word that is written as one.

    Then a person may say that the child is not meant. Not so for any other word of the name, a word that owns something (May's plan, Mays
    plan), a UPN or a system id.

    Parameters
    ----------
    person : mapping
        See ``of_pupil``.
    """
    first, written = _first(person["name"]), _written(text)
    others = {word for word in _words_of(person["name"]) if len(word) > 1} - {first}
    if first not in EVERYDAY or others & written or _holds_identifier(text, person):
        return False
    apart = _words(re.sub(APOSTROPHES, f" {APOSTROPHE} ", text))
    owns = (first, APOSTROPHE) in pairwise(apart)
    return not owns and f"{first}s" not in apart


def _long_words(name: str) -> set[str]:
    return {word for word in _words_of(name) if len(word) >= MIN_WORD}


def _first(name: str) -> str:
    """Return the first word of a name, or "" if it may be a surname: later words may be half of one, and so may a word that comes twice.

    Examples
    --------
    >>> _first("May Rose Hill"), _first("Rose Hill, May"), _first("May"), _first("May May")
    ('may', 'may', '', '')
    """
    surname, comma, given = name.partition(",")
    first, *later = _words(given if comma else name) or [""]
    others = [*later, *(_words(surname) if comma else ())]
    return first if others and first not in others else ""


def _written(text: str) -> set[str]:
    written = set(_words_of(text))
    return written | {word.removesuffix("s") for word in written}  # Zoes, and Zoe's as some write it


def _holds_identifier(text: str, person: Mapping[str, Any]) -> bool:
    ids = ["".join(_words(person[name])) for name in ("upn", "system_id")]
    return any(len(i) >= MIN_ID and i in "".join(_words(text)) for i in ids)


def _known(change: Change, pupils: list[str]) -> list[str]:
    known: list[str] = []
    for at in range(0, len(pupils), BATCH):
        part = sa.select(Pupil.pupil_id).where(Pupil.pupil_id.in_(pupils[at : at + BATCH]))
        known += change.connection.scalars(part)
    return known


def _rows(change: Change, pupils: list[str]) -> Iterator[Any]:
    for at in range(0, len(pupils), BATCH):
        yield from change.connection.execute(ROWS.where(StoredDetails.pupil_id.in_(pupils[at : at + BATCH])))


def _in_scope(caller: Caller, place: Any = Pupil) -> Any:
    return ROWS.join(Pupil, Pupil.pupil_id == StoredDetails.pupil_id).where(*caller.children(place))


def _parsed(text: bytes) -> PersonalDetails:
    stored = json.loads(text)
    born = stored.get("date_of_birth")
    known: dict[str, Any] = {name: stored[name] or "" for name in FIELDS if name in stored}
    known["date_of_birth"] = date.fromisoformat(born) if born else None
    return PersonalDetails(**known)


def _unsealed(cipher: Cipher, rows: Iterable[Any]) -> Iterator[tuple[Any, bytes]]:
    """Yield the rows that can be decrypted; of others the alarm says how many there are, and pages go on without them."""
    unreadable = 0
    for row in rows:
        try:
            yield row, cipher.unseal(row.key_id, row.pupil_id, row.sealed)
        except Unreadable:
            unreadable += 1
    if unreadable:
        log.error("personal details cannot be decrypted: %s", quantity(unreadable))


def _words(text: str) -> list[str]:
    """Return the words of a name for comparison: letters and digits only, without accents and apostrophes, in lower case."""
    plain = NO_LETTER.sub("", unicodedata.normalize("NFKD", text).casefold()).translate(STROKES)
    return BETWEEN.sub(" ", plain).split()


def _words_of(name: str) -> list[str]:
    """Return the words of a child's name: of O'Brien both ``obrien`` and ``brien``."""
    return list(dict.fromkeys([*_words(name), *_words(re.sub(APOSTROPHES, " ", name))]))


def _begin(typed: Sequence[str], words: Sequence[str]) -> bool:
    return all(any(word.startswith(start) for word in words) for start in typed)


def _by_name(match: tuple[str, Match]) -> tuple[list[str], str]:
    return _words(match[0]), match[1].pupil_id
