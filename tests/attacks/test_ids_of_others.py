"""Every form, sent with ids of another authority: nothing of it is changed or told, whether there is such a thing or not."""

import re
import secrets
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from histories.calendar import london_today
from serving.access.permissions import RULES
from serving.store import tables
from serving.store.cases.casework_tables import StoredDeadline
from serving.store.cases.saved_filters import SavedFilter
from serving.store.cases.tables import Case, DataFault
from serving.store.database import reading, writing
from serving.store.tables import Pupil
from tests.support.forms import submit

FORMS = [r for r in RULES if r.page and r.method == "POST" and "{" in r.route]
OWN = ("audit", "sessions", "people", "taken_answers")  # change with any request
# The fields of every form at once, but for the day, which is today: each reads those that it knows.
FIELDS = {
    "version": "3",
    "text": "mine",
    "outcome": "spoke",
    "action": "visit",
    "reason": "not_so",
    "table": "sen",
    "to": "",
    "until": "2999-01-01",
    "consent": "parent",
    "code": "parent",
    "now": "1",
}
WHAT = ("note", "assign", "contact", "act", "doubt", "dismiss", "snooze", "wake", "close", "home_education")


@pytest.fixture
def theirs(staffed):
    """Ids of 801: of a child, a case, a duty, a doubt and a saved filter."""
    worker = staffed.visit("worker")
    assert submit(worker, staffed.path, f"{staffed.path}/note", version="0", text="theirs").status_code == 303
    doubt = {"version": "2", "table": "sen", "reason": "not_so", "text": "theirs"}
    assert submit(worker, staffed.path, f"{staffed.path}/doubt", **doubt).status_code == 303
    assert submit(worker, "/work-list?year=7", "/work-list/filters?year=7", name="theirs").status_code == 303
    begun = {"clock_id": "c" * 32, "pupil_id": staffed.child, "kind": "destination", "urn": "100", "case_id": ""}
    begun |= {"started_on": date(2025, 1, 20), "due_on": date(2025, 2, 1), "as_of": date(2025, 2, 3), "version": 3}
    with writing(staffed.store.engine) as connection:
        connection.execute(sa.insert(StoredDeadline), begun | {"changed_at": datetime.now(UTC), "changed_by": "x"})
    with reading(staffed.store.engine) as connection:
        columns = (Pupil.pupil_ref, Case.case_id, StoredDeadline.clock_id, DataFault.fault_id, SavedFilter.filter_id)
        return {column.key: connection.scalar(sa.select(column)) for column in columns}


def content(store):
    """Return every row of the store but of those that each request changes."""
    with reading(store.engine) as connection:
        kept = [t for t in tables.Base.metadata.sorted_tables if t.name not in OWN]
        return {t.name: sorted(map(str, connection.execute(t.select()))) for t in kept}


def sent(client, route, ids):
    """Send a form to every address of a route, and return what was answered: the status, and the page without what is each request's own."""
    for what in WHAT if "{what}" in route else ("",):
        to = re.sub(r"{(\w+)}", lambda m, what=what: {**ids, "what": what}[m[1]], route)
        answer = submit(client, "/about", to, on=str(london_today()), **FIELDS)
        own = {*ids.values(), answer.headers["x-request-id"]}
        text = re.sub("|".join(map(re.escape, own)), "", answer.text)
        yield what, answer.status_code, re.sub(r'value="[0-9a-f]{64}"', "", text)


@pytest.mark.parametrize("user", ["worker-2", "lead-2"])
@pytest.mark.parametrize("rule", FORMS, ids=lambda r: r.route)
def test_no_form_changes_or_tells_anything_of_another_authority(staffed, theirs, user, rule):
    client, before = staffed.visit(user), content(staffed.store)
    unknown = {name: secrets.token_hex(16) for name in theirs}
    foreign = list(sent(client, rule.route, theirs))
    assert {status for _, status, _ in foreign} <= {403, 404, 409}
    assert foreign == list(sent(client, rule.route, unknown)), "an id of another authority is like one of nobody"
    assert content(staffed.store) == before
