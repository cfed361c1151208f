"""Two children of two authorities with personal details, whose every value is easy to search for."""

from datetime import date

import sqlalchemy as sa

from serving.store.database import reading
from serving.store.people import details
from serving.store.people.cipher import cipher_of
from serving.store.tables import Pupil
from tests.support.stores import do

CHILD, ABROAD = "P-NAMED", "P-ABROAD"
VALUES = {
    "name": "Zoë O'Canary",
    "date_of_birth": date(2013, 5, 1),
    "upn": "B801200005001",
    "school_contact": "Mrs Kestrel, 01632 960001",
    "system_id": "SYS-987123",
}
# As pages and files write them; the day also in words and as in a workbook.
WRITTEN = ("O&#39;Canary", "O'Canary", "Canary", "Kestrel", "B801200005001", "SYS-987123", "1 May 2013", "2013-05-01")
OTHER = {**VALUES, "name": "Ann Sparrow", "upn": "B802200005001"}
USERS = """
[development]
named = {role = "worker", authority = "801", names = true}
lead = {role = "lead", authority = "801", names = true}
worker = {role = "worker", authority = "801"}
plain-lead = {role = "lead", authority = "801"}
analyst = {role = "analyst", authority = "801", names = true}
elsewhere = {role = "worker", authority = "802", names = true}
administrator = {role = "administrator"}
"""
WITHOUT_THE_RIGHT = ("worker", "plain-lead", "analyst", "administrator")


def write_key(folder, name="people-key", letter="k"):
    """Write a key file, and return its path."""
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(letter * 64 + "\n")
    file.chmod(0o600)
    return file


def name_children(store, settings):
    """Store the personal details of the two children."""
    return do(store, details.save, cipher_of(settings), {CHILD: VALUES, ABROAD: OTHER})


def reference_of(store, pupil):
    """Return the random reference of a pupil."""
    with reading(store.engine) as connection:
        return connection.scalar(sa.select(Pupil.pupil_ref).where(Pupil.pupil_id == pupil))


def written_in(text):
    """Return the values of the child that a text holds."""
    return {value for value in WRITTEN if value in text}
