"""Changing a store as an administrator does, tampering with it as its database's owner could, and verifying its audit."""

import json
from datetime import date

import sqlalchemy as sa

from serving.casework import Gathered
from serving.casework.duty import Deadline
from serving.casework.family import AtHome, Involvement
from serving.casework.no_roll import OffRoll
from serving.casework.silence import SilentChild
from serving.casework.transitions import Transition
from serving.store import Caller
from serving.store.audit import audit_log
from serving.store.cases import cases, casework, doubts
from serving.store.database import reading, writing
from serving.store.ledger.anchors import Anchors
from serving.store.records import holds
from serving.store.tables import AuditEntry, Base
from serving.store.trials import checks, trials
from tests.support import acting
from tests.support.scores import score

ADMIN = Caller("command:test", "administrator", None)


def do(store, work, *arguments, **named):
    """Do one piece of work in one change by an administrator."""
    return acting.do(store, ADMIN, work, *arguments, **named)


def hold_everything(store, pupils):
    """Hold something on pupils in every table that names children."""
    store.save([score(p, n) for n, p in enumerate(pupils, 1)])
    do(store, casework.keep, gathered(*pupils, off_roll=pupils), "1")
    begin_trial(store, pupils)
    draw_checks(store, pupils)
    for pupil in pupils:
        case = do(store, cases.open_case, acting.ref(store, pupil))
        do(store, cases.contact, case, 1, date(2025, 1, 2), "spoke_well", text="rang")
        do(store, doubts.doubt, case, 2, "sen", None, reason="twice", text="doubt")
        do(store, holds.place, [pupil], "court")


def begin_trial(store, pupils):
    """Register and start a trial with pupils, each of them a safety exception."""
    of = {"authority": "801", "as_of": date(2025, 1, 13), "pupils": pupils}
    do(store, trials.register, "autumn", "d" * 64, definition="cme_register", horizon_days=120, members="", **of)
    place = {"authority": "801", "risk": 0.1, "as_of": date(2025, 1, 13)}
    rows = [{"pupil_id": p, "unit": f"{n:064x}", "arm": "usual", **place} for n, p in enumerate(pupils)]
    do(store, trials.start, "autumn", rows, assessed=len(rows), split_homes=0)
    do(store, trials.add_exceptions, "autumn", pupils, "social_worker")


def draw_checks(store, pupils):
    """Register random checks and draw pupils, as the lot would."""
    day = date(2025, 1, 13)
    frame = {"members": "", "sizes": [len(pupils)], "excluded": {}, "model_version": "1"}
    of = {"authority": "801", "as_of": day, "definition": "cme_register", "horizon_days": 120}
    do(store, checks.register, "checks", "d" * 64, pupils=pupils, **of, **frame)
    place = {"authority": "801", "as_of": day, "band": 0, "chance": 0.5}
    rows = [{"pupil_id": p, "number": n, **place} for n, p in enumerate(pupils)]
    do(store, checks.store_drawn, "checks", rows, day=day, until=date(2025, 2, 24))


def table_rows(store):
    """Return the rows of every table as text, but for the audit and the references into it."""
    with reading(store.engine) as connection:
        return {
            t.name: sorted(map(repr, connection.execute(sa.select(t)).all()))
            for t in Base.metadata.sorted_tables
            if t.name not in ("audit", "former_references")
        }


def gathered(*pupils, as_of=date(2025, 1, 13), off_roll=()):
    """The case material kept beside scores: one row a pupil of every kind, and of some that they are on no roll."""
    gone = [{"pupil_id": p, "on_day": as_of, "how": "unknown", "known_on": as_of} for p in pupils]
    places = [{"pupil_id": p, "authority": "801", "urn": "100", "nc_year": 6} for p in pupils]
    return Gathered(
        as_of=as_of,
        schools=[{"urn": "100", "name": "A school", "phase": "primary"}],
        places=places,
        pupil_histories={p: {"weeks": []} for p in pupils},
        deadlines=[
            Deadline(pupil_id=p, kind="destination", urn="100", started_on=date(2025, 1, 6), due_on=date(2025, 1, 20))
            for p in pupils
        ],
        transitions=[
            Transition(pupil_id=p, entry_year=2025, from_urn="100", to_urn=None, state="applied") for p in pupils
        ],
        missing=gone,
        off_roll=[
            OffRoll(pupil_id=p, kind="left", since=as_of, urn="100", to_urn=None, authority="801", nc_year=6)
            for p in off_roll
        ],
        involvements=[Involvement(pupil_id=p, kind="early_help", since=as_of) for p in pupils],
        at_home=[AtHome(pupil_id=p, home="h" * 32, possible=10, missed=1, until=as_of) for p in pupils],
        silent_children=[SilentChild(pupil_id=p, since=as_of, days=3) for p in pupils],
        sources={"attendance": "2025-01-10"},
        authorities=frozenset({"801"}),
    )


def verified(store):
    """Return what verifying the whole audit finds."""
    with reading(store.engine) as connection:
        return audit_log.verify(connection, store.chain, store.anchors)


def verified_anew(store):
    """Return what verifying finds in a process that starts now, which remembers no anchor."""
    with reading(store.engine) as connection:
        return audit_log.verify(connection, store.chain, Anchors(store.anchors.file))


def tamper(store, *statements):
    """Change rows as the owner of the database could: drop the triggers, run the statements, put the triggers back."""
    with writing(store.engine) as connection:
        if connection.dialect.name == "postgresql":
            statements = [
                "ALTER TABLE audit DISABLE TRIGGER USER",
                *statements,
                "ALTER TABLE audit ENABLE TRIGGER USER",
            ]
        else:
            laid = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all()
            statements = [*(f"DROP TRIGGER {name}" for name, _ in laid), *statements, *(sql for _, sql in laid)]
        for statement in statements:
            connection.exec_driver_sql(statement)


def acted(store, action):
    """Return the details of every entry of an action."""
    with store.engine.connect() as connection:
        rows = connection.execute(sa.select(AuditEntry.details).where(AuditEntry.action == action))
        return [json.loads(details) for (details,) in rows]
