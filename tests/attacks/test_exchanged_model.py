"""An attacker who can write to the release folder exchanges a model: nothing serves it, and it is reported.

Before, risk fell from 0.645 to 0.0045 with a clean ``/readyz`` and a clean ``models verify``. Later, two appended lines were enough:
the service itself copied them into the audit.
"""

import json
import shutil

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.testclient import TestClient

from histories.errors import Faults
from histories.settings import settings
from serving.cli.main import onroll
from serving.http.api import make_app
from serving.scoring.live_model import LiveModel
from serving.store.tables import AuditEntry
from tests.support.interface import BODY
from tests.support.released import LOW, alias, append_a_promotion, release, write_aliases
from tests.support.stores import acted
from training.bundle import MANIFEST, SUMS, bundle_digest, file_digest
from training.release.promotion_log import append
from training.release.resolve import ALIASES, MOVES, UNRECORDED, Mismatch, find_release


def exchange_calibrator(releases, bundle):
    """Change the calibrator in the manifest and update the checksums."""
    folder = releases / "onroll" / "v1"
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**manifest, "calibrator": LOW}))
    names = [line.split("  ")[1] for line in (folder / SUMS).read_text().splitlines()]
    (folder / SUMS).write_text("".join(f"{file_digest(folder / n)}  {n}\n" for n in names))
    return "bundle_differs"


def name_a_hand_made_folder(releases, bundle):
    """Write a folder that is not in the log, and name it in the alias file."""
    log = (releases / "onroll" / MOVES).read_bytes()
    release(releases, bundle, 2, calibrator=LOW)
    (releases / "onroll" / MOVES).write_bytes(log)
    write_aliases(releases, champion=2)
    return "alias_not_in_log"


def name_an_earlier_version(releases, bundle):
    """Point the alias back at a released version that was rolled back from."""
    release(releases, bundle, 2)
    write_aliases(releases, champion=2)
    return "alias_not_in_log"


def climb_out_of_the_folder(releases, bundle):
    """Name a folder outside the releases."""
    write_aliases(releases, champion="1/../../../elsewhere")
    return "alias_not_in_log"


def change_the_log(releases, bundle):
    """Write another digest into the log."""
    exchange_calibrator(releases, bundle)
    log = releases / "onroll" / MOVES
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    lines[0]["bundle"] = bundle_digest(releases / "onroll" / "v1")
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return "log_broken"


def remove_the_log(releases, bundle):
    """Take the log away."""
    (releases / "onroll" / MOVES).unlink()
    return "alias_not_in_log"


EXCHANGES = [
    exchange_calibrator,
    name_a_hand_made_folder,
    name_an_earlier_version,
    climb_out_of_the_folder,
    change_the_log,
    remove_the_log,
]


def rewrite_the_log(releases, bundle):
    """Exchange the model and write a log that fits it, every hash right."""
    shutil.rmtree(releases / "onroll")
    release(releases, bundle, 1, calibrator=LOW)
    alias(releases, champion=1)
    return "log_not_in_audit"


def cut_the_log(releases, bundle):
    """Take the last promotion back, in the log and the aliases, as if it had never been."""
    file = releases / "onroll" / MOVES
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:1]))
    (releases / "onroll" / ALIASES).unlink()
    append(file, alias="champion", version=1, before=None, action="registered", by="ann", why="first")
    write_aliases(releases, champion=1)
    return "log_not_in_audit"


AUDITED = [rewrite_the_log, cut_the_log, append_a_promotion]


@pytest.fixture
def impatient(monkeypatch):
    """A service that waits for no command to record its line."""
    monkeypatch.setattr("serving.scoring.live_model.RECORDING_SECONDS", 0)


def risk(client):
    return client.post("/api/v1/score", json=BODY).json()["scores"][0]["risk"]


@pytest.mark.parametrize("exchange", [*EXCHANGES, *AUDITED], ids=lambda e: e.__name__)
def test_a_running_service_keeps_its_model_and_is_not_ready(service, releases, bundle, exchange, caplog, impatient):
    before, live = risk(service), service.app.state.live_model
    assert [d["version"] for d in acted(service.app.state.store, "model.serves")] == ["1"]
    reason = exchange(releases, bundle)
    live.refresh()
    live.refresh()
    answer = service.get("/readyz")
    assert (answer.status_code, answer.json()["errors"][0]["type"]) == (503, reason)
    assert risk(service) == before
    assert len([r for r in caplog.records if r.levelname == "ERROR" and "is refused" in r.message]) == 1
    assert "onroll_model_mismatch 1.0" in service.get("/metrics").text
    assert acted(service.app.state.store, "model.refused_to_serve") == [{"model": "onroll@champion", "reason": reason}]


@pytest.mark.parametrize("exchange", [*EXCHANGES, *AUDITED], ids=lambda e: e.__name__)
def test_a_restarted_service_does_not_serve_a_withdrawn_version(service, releases, bundle, exchange):
    assert service.get("/readyz").status_code == 200
    reason = exchange(releases, bundle)
    for verb in ("verify", "show"):  # looking at the audit legitimises nothing
        CliRunner().invoke(onroll, ["audit", verb])
    client = TestClient(make_app(settings()))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["errors"][0]["type"]) == (503, reason)
    assert client.app.state.live_model.current is None
    assert client.app.state.live_model.hides_scores


@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda e: e.__name__)
def test_a_withdrawn_version_is_not_found_by_its_alias(releases, bundle, exchange):
    reason = exchange(releases, bundle)
    with pytest.raises(Mismatch) as refused:
        find_release("onroll@champion", releases)
    assert refused.value.code == reason


@pytest.mark.parametrize("exchange", [*EXCHANGES, *AUDITED], ids=lambda e: e.__name__)
def test_the_verbs_verify_and_score_say_so(service, releases, bundle, small_histories, exchange):
    assert service.get("/readyz").status_code == 200
    reason = exchange(releases, bundle)
    verified = CliRunner().invoke(onroll, ["models", "verify", "--json"])
    assert verified.exit_code == 1
    assert reason in [fault["code"] for fault in json.loads(verified.stdout)["faults"]]
    scored = CliRunner().invoke(onroll, ["score", str(small_histories), "--as-of", "2025-04-28", "--out", "s.parquet"])
    assert reason in [fault.code for fault in scored.exception.faults]
    for verb in (["promote", "1", "--approver", "eve"], ["rollback", "--by", "eve"]):
        if reason in ("log_not_in_audit", UNRECORDED):
            moved = CliRunner().invoke(onroll, ["models", *verb, "--reason", "x"])
            assert [fault.code for fault in moved.exception.faults] == [reason]


def test_a_changed_audit_entry_does_not_vouch_for_a_version(service, releases, bundle):
    assert service.get("/readyz").status_code == 200
    rewrite_the_log(releases, bundle)
    head = json.loads((releases / "onroll" / MOVES).read_text().splitlines()[-1])["hash"]
    with service.app.state.store.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER audit_no_update")
        newest = connection.scalar(sa.select(sa.func.max(AuditEntry.seq)).where(AuditEntry.action == "model.serves"))
        details = json.dumps({"model": "onroll", "hash": head})
        connection.execute(sa.update(AuditEntry).where(AuditEntry.seq == newest).values(details=details))
    client = TestClient(make_app(settings()))
    assert client.get("/readyz").json()["errors"][0]["type"] == "audit_changed"


def test_a_takeover_that_cannot_be_audited_does_not_happen(releases):
    def broken(release):
        raise OSError("the disk is full")

    live = LiveModel("onroll@champion", releases, take_over=broken)
    assert live.model() is None
    assert live.refused.version == "v1"


def test_nothing_is_exchanged_between_the_check_and_the_load(releases, bundle):
    def exchanging(release):
        exchange_calibrator(releases, bundle)

    live = LiveModel("onroll@champion", releases, check=exchanging)
    assert live.model() is None
    assert "changed after it was made" in live.refused.why


def test_a_promotion_between_log_and_alias_is_no_mismatch(releases, bundle):
    release(releases, bundle, 2)
    append(releases / "onroll" / MOVES, alias="champion", version=2, before=1, action="promoted", by="b", why="w")
    assert find_release("onroll@champion", releases).version == "1"
    write_aliases(releases, champion=2)
    assert find_release("onroll@champion", releases).version == "2"


def test_with_a_trusted_key_a_rewritten_log_is_refused_without_any_audit(releases, bundle, keys):
    private, public = keys
    with pytest.raises(Mismatch) as unsigned:
        find_release("onroll@champion", releases, public)
    assert unsigned.value.code == "not_signed"
    release(releases, bundle, 2)
    alias(releases, private, champion=2)
    assert find_release("onroll@champion", releases, public).version == "2"
    rewrite_the_log(releases, bundle)
    alias(releases, champion=1)
    with pytest.raises(Mismatch) as rewritten:
        find_release("onroll@champion", releases, public)
    assert rewritten.value.code == "not_signed"
    with pytest.raises(Faults, match="no public key"):
        find_release("onroll@champion", releases, b"")


def test_a_signature_of_another_line_or_key_is_invalid(releases, bundle, keys):
    private, public = keys
    alias(releases, private, champion=1, challenger=1)
    file = releases / "onroll" / MOVES
    signed = json.loads(file.read_text().splitlines()[-1])
    for key in (None, Ed25519PrivateKey.generate()):
        line = append(file, alias="champion", version=1, before=1, action="promoted", by="b", why="w")
        stolen = signed["signature"] if key is None else "x.y.z"
        text = file.read_text().rstrip("\n").rsplit("\n", 1)[0]
        file.write_text(text + "\n" + json.dumps({**line, "signature": stolen}) + "\n")
        with pytest.raises(Mismatch, match="not signed"):
            find_release("onroll@champion", releases, public)
