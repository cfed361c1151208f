"""A writer killed at any moment leaves each change with its audit entry, or neither; acknowledged changes are kept."""

import random
import subprocess
import sys
import threading

import sqlalchemy as sa

from serving.store.cases.tables import Case, CaseEntry
from serving.store.database import reading
from serving.store.tables import AuditEntry, StoredScore
from tests.support.stores import verified

WRITERS = 3
PROGRAM = """
import sys
from pathlib import Path
import sqlalchemy as sa
from serving.store import Caller, Store
from serving.store.cases import cases
from serving.store.tables import Pupil
url, anchors, name = sys.argv[1:]
store, lead = Store(url, b"k" * 32, Path(anchors)), Caller(name, "lead", "801")
print("ready", flush=True)
for n in range(10_000):
    pupil = f"{name}-{n}"
    place = {"authority": "801", "urn": "1", "nc_year": 7, "as_of": "2025-01-13"}
    made = {"model": "m", "model_version": "1", "definition": "d", "horizon_days": 9, "band": "high", "rank": n, "risk": 0.5, "reasons": []}
    store.save([{"pupil_id": pupil, **place, **made}], lead)
    print("score", pupil, flush=True)
    with store.change(lead) as change:
        ref = change.connection.scalar(sa.select(Pupil.pupil_ref).where(Pupil.pupil_id == pupil))
        case = cases.open_case(change, ref)
        cases.note(change, case, 1, "note")
    print("case", case, flush=True)
    with store.view(lead) as view:
        view.record("pupil.seen", [pupil], marker=pupil)
    print("view", pupil, flush=True)
"""


def test_a_killed_writer_leaves_both_files_or_neither(store, database_url, tmp_path):
    rng, acknowledged, writers = random.Random(5), [], []
    for n in range(WRITERS):
        command = [sys.executable, "-c", PROGRAM, database_url, tmp_path / "anchors", f"w{n}"]
        writers.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        acknowledged += [writer.stdout.readline() for _ in range(rng.randint(2, 6))]
        # At any moment of the next acts, and not when one has just ended.
        threading.Timer(rng.uniform(0, 0.5), writer.kill).start()
    for writer in writers:
        acknowledged += writer.stdout.readlines()  # acknowledgements before it was killed
        writer.wait(20)
    lines = [line.split() for line in acknowledged if line.endswith("\n")]
    assert len(lines) > WRITERS
    with reading(store.engine) as connection:
        scored = set(connection.scalars(sa.select(StoredScore.pupil_id)))
        opened = set(connection.scalars(sa.select(Case.case_id)))
        noted = set(connection.scalars(sa.select(CaseEntry.case_id)))
        entries = connection.execute(sa.select(AuditEntry.action, AuditEntry.details)).all()

    def recorded(action):
        return [e.details for e in entries if e.action == action]

    assert {x for kind, x in lines if kind == "score"} <= scored
    assert {x for kind, x in lines if kind == "case"} <= opened
    assert len(recorded("scores.stored")) == len(scored)
    assert len(recorded("case.opened")) == len(recorded("case.note")) == len(opened)
    assert noted == opened
    seen = recorded("pupil.seen")
    assert all(any(f'"{x}"' in details for details in seen) for kind, x in lines if kind == "view")
    assert (verified(store).why, verified(store).entries) == ("", len(entries))
