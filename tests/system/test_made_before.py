"""A store and a release from an earlier onroll open, verify and score as before; see ``tests/fixtures/made_before``."""

import gzip
import json
import shutil
import tarfile
from datetime import date
from pathlib import Path

import pytest

from histories.reading.histories import Histories
from serving.store import Caller, Store, schema
from serving.store.audit import audit_log, rotation
from serving.store.cases import cases, casework, doubts
from serving.store.scores import boards
from serving.store.sign_in import staff
from training.release.resolve import resolve
from training.risk_model import RiskModel

MADE_BEFORE = Path(__file__).parents[1] / "fixtures" / "made_before"
EXPECTED = json.loads((MADE_BEFORE / "expected.json").read_text("utf-8"))
LEAD = Caller("lead", "lead", EXPECTED["authority"])


@pytest.fixture
def store(tmp_path):
    (tmp_path / "onroll.db").write_bytes(gzip.decompress((MADE_BEFORE / "store.sqlite.gz").read_bytes()))
    for name in ("audit-keys.txt", "anchors.jsonl"):
        shutil.copy(MADE_BEFORE / name, tmp_path)
    opened = Store(f"sqlite:///{tmp_path / 'onroll.db'}", tmp_path / "audit-keys.txt", tmp_path / "anchors.jsonl")
    yield opened
    opened.engine.dispose()


@pytest.fixture
def releases(tmp_path):
    with tarfile.open(MADE_BEFORE / "releases.tar.gz") as packed:
        packed.extractall(tmp_path / "releases", filter="data")
    return tmp_path / "releases"


def as_json(value):
    return json.loads(json.dumps(value, default=str))


def as_stored(value, stored):
    """Return a value without the keys that the earlier onroll did not have."""
    if isinstance(value, dict) and isinstance(stored, dict):
        return {key: as_stored(value[key], stored[key]) for key in value if key in stored}
    if isinstance(value, list) and isinstance(stored, list) and len(value) == len(stored):
        return [as_stored(*pair) for pair in zip(value, stored, strict=True)]
    return value


def test_the_store_has_the_schema_that_this_onroll_declares(store):
    assert schema.differences(store.engine) == []


def test_the_audit_verifies_and_goes_on_under_its_newest_key(store):
    def verified():
        with store.engine.connect() as connection:
            return audit_log.verify(connection, store.chain, store.anchors)

    before = verified()
    assert (before.whole, before.entries) == (True, EXPECTED["verified"]["entries"])
    assert before.anchors >= 1
    with store.change(LEAD) as change:
        rotation.rotate(change)
        assert set(EXPECTED["references"]) <= set(change.all_references([EXPECTED["worklist"][0]["pupil_id"]]))
    after = verified()
    assert (after.whole, after.entries) == (True, before.entries + 1)


def test_stored_scores_and_the_work_list_read_as_they_were_stored(store):
    listed = [json.loads(body) for body in store.worklist(LEAD, as_of=None, limit=100)]
    assert {s["pupil_id"]: [s["rank"], s["risk"]] for s in listed} == EXPECTED["scores"]
    assert listed[: len(EXPECTED["worklist"])] == EXPECTED["worklist"]


def test_cases_deadlines_transitions_and_staff_read_as_before(store):
    with store.view(LEAD) as view:
        read = {
            "case": cases.case(view, EXPECTED["case"]["case_id"]),
            "cases": cases.cases(view),
            "faults": doubts.faults(view),
            "clocks": casework.deadlines(view),
            "crossings": boards.transitions(view),
            "people": staff.active_staff(view),
            "past": casework.pupil_history(view, EXPECTED["worklist"][0]["pupil_id"]),
        }
    for name, rows in read.items():
        assert as_stored(as_json(rows), EXPECTED[name]) == EXPECTED[name], name


def test_a_key_still_opens_the_interface(store):
    caller = store.caller(EXPECTED["key"])
    assert (caller.key_id, caller.role, caller.authority) == (EXPECTED["key_id"], "lead", EXPECTED["authority"])


@pytest.mark.parametrize("name", ["onroll@champion", "folder"])
def test_the_release_loads_and_scores_the_values_that_were_stored(releases, name):
    model = RiskModel.load(resolve(str(releases / "onroll" / "v1") if name == "folder" else name, releases))
    scores = model.score(Histories.open(MADE_BEFORE / "histories"), date(2025, 4, 28), top=30)
    assert {s.pupil_id: [s.rank, s.risk] for s in scores} == {
        pupil: [rank, pytest.approx(risk, rel=1e-9)] for pupil, (rank, risk) in EXPECTED["scores"].items()
    }
    for score, stored in zip(scores, EXPECTED["worklist"], strict=False):
        # The sentences are those of this version: a theme without a true sentence is now context.
        themes = {(r.theme, r.contribution > 0): r.contribution for r in score.reasons + score.context}
        for r in stored["reasons"]:
            assert themes[r["theme"], True] == pytest.approx(r["contribution"])
