"""Store what the scoring of one Monday after another stores of a child, with rolls and registers made for it."""

from datetime import date, timedelta
from types import SimpleNamespace

from histories.calendar import school_days
from histories.reading.histories import Histories
from serving.pages.settings import PageSettings
from serving.store import Caller
from serving.store.cases import casework

LEAD = Caller("lead", "lead", "801")
RULES = PageSettings.load(None).rules()
FIRST = date(2025, 3, 10)
NEXT = FIRST + timedelta(weeks=1)
SPELL = {"pupil_id": "p", "urn": "100", "entry_date": "2020-09-02"}
LEFT = SPELL | {"leaving_date": "2025-02-20", "leaving_recorded_on": "2025-02-21"}


def score_on(store, day, *, spells=(SPELL,), born="2013-05-01", rules=RULES, **tables):
    """Store what a Monday's scoring stores of a child and of another at the same school."""
    other = {"pupil_id": "other", "date_of_birth": "2013-05-01", "authority": "801"}
    rows = {
        "pupils": [{"pupil_id": "p", "date_of_birth": born, "authority": "801"}, other],
        "enrolments": [*spells, SPELL | {"pupil_id": "other"}],
        **{name: rows for name, rows in tables.items() if rows},
    }
    listed = [SimpleNamespace(pupil_id="other", as_of=day, rank=1, authority="801", model_version="1")]
    return store.keep(Histories.from_rows(rows), listed, rules, ())


def running(store):
    with store.view(LEAD) as view:
        return {(d["kind"], d["started_on"]): d for d in casework.deadlines(view) if d["pupil_id"] == "p"}


def kinds(store):
    return {kind for kind, _ in running(store)}


def register(until, since=date(2025, 1, 6), **missed):
    """Marks of both children on every school day before a day; ``O=(first, last)`` marks the child so between two days."""
    rows = []
    for day in school_days(since, until - timedelta(days=1)):
        codes = [code for code, (start, end) in missed.items() if start <= day <= end]
        for session in ("AM", "PM"):
            mark = {"date": str(day), "session": session}
            rows += [mark | {"pupil_id": "p", "code": codes[-1] if codes else "/"}]
            rows += [mark | {"pupil_id": "other", "code": "/"}]
    return rows


def back(day, n):
    """Return the n-th school day before a day."""
    return school_days(day - timedelta(days=2 * n + 30), day - timedelta(days=1))[-n]
