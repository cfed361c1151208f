"""``onroll retrain``: what it refuses, what it leaves to a person, and what its page says; the training itself is in test_main_job."""

import json
from dataclasses import asdict, replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from click.testing import CliRunner

from histories.errors import Faults
from histories.settings import settings
from serving.cli.main import onroll
from serving.monitoring.alarms import ALARMS
from serving.monitoring.alarms.alarm import Acknowledgement, AlarmResult
from serving.retraining import retrain as workflow
from serving.retraining.refusals import is_open
from serving.store import Store
from serving.store.audit import audit_log
from serving.store.caller import command_line
from tests.support.databases import KEY
from tests.support.released import alias, recorded, release
from training.bundle import RECIPE, read_bundle, write_bundle
from training.fitting.helped import WORDS
from training.gates import GATES, Verdict
from training.release.resolve import logged
from training.task import Task
from training.workflow import Registration

FIGURES = {"average_precision": {"lead": 0.01, "interval": [-0.01, 0.03], "within_noise": True}}


def recipe():
    task = Task(as_of=(date(2025, 1, 13),), until=date(2025, 6, 1))
    question = {
        "definition": asdict(task.definition),
        "horizon": task.horizon,
        "as_of": ["2025-01-13"],
        "rule": None,
        "until": "2025-06-01",
        "known": None,
    }
    return {"question": question, "config": {"rounds": 7}, "trained_by": "ann"}


@pytest.fixture
def champion(bundle, monkeypatch):
    """A champion with a recipe; its log's end is in no MLflow."""
    monkeypatch.setenv("ONROLL_AUDIT_KEY", KEY.decode())
    monkeypatch.setattr(workflow, "check_log", lambda *_: None)
    current = settings()
    booster, manifest = read_bundle(bundle)
    release(current.releases, bundle, 1, data_digest="d1")
    folder = current.releases / "onroll" / "v1"
    for file in folder.iterdir():
        file.unlink()
    write_bundle(folder, booster, replace(manifest, data_digest="d1"), {"card.md": "# card\n"}, recipe())
    assert (folder / RECIPE).is_file()
    alias(current.releases, champion=1)
    recorded(current.releases)
    return current


@pytest.fixture
def trained(champion, bundle, monkeypatch):
    """Replace the training, which takes a minute, by a second version; returns what it was asked for, and the gates that fail."""
    asked = SimpleNamespace(calls=[], failing=["G010"])

    def train_and_register(current, histories, location, task, **how):
        asked.calls.append((task, how))
        folder = release(current.releases, bundle, 2)
        alias(current.releases, champion=1, challenger=2)
        line = logged(current.releases, "onroll")[-1]
        taught = {"question": {"helped": task.helped}, "helped": {"snapshots": 9000, "helped": 12, "left_out": 5}}
        made = SimpleNamespace(manifest=read_bundle(folder)[1], recipe=taught)
        return Registration(trained=made, run_id="r", version=2, folder=folder, first=False, line=line)

    def gates(current, name, version):
        return [
            Verdict(code=g.code, title=g.title, passed=g.code not in asked.failing, measured="m", limit="l", do=g.do)
            for g in GATES
        ]

    monkeypatch.setattr(workflow, "train_and_register", train_and_register)
    monkeypatch.setattr(workflow, "gates", gates)
    monkeypatch.setattr(workflow, "current_evidence", lambda *_: {"champion": FIGURES})
    return asked


def run(place, *options, as_of=("--as-of", "2026-01-01")):
    """Retrain as if it were the day after the records end."""
    return CliRunner().invoke(onroll, ["retrain", str(place), *as_of, *options])


def audited(action):
    store = Store.of(settings())
    with store.view(command_line()) as view:
        entries = list(audit_log.entries(view, last=50, action=action, pupils=()))
        view.record("audit.seen", entries=len(entries))
    return [e["details"] for e in entries]


def spoilt(histories, folder):
    """A copy of histories with an error of the check: a pupil twice."""
    folder.mkdir()
    for file in histories.glob("*.parquet"):
        frame = pl.read_parquet(file)
        if file.stem == "enrolments":
            frame = pl.concat([frame, frame.head(2)])
        frame.write_parquet(folder / file.name)
    return folder


@pytest.mark.parametrize(("options", "way"), [((), "as-they-came"), (("--helped", "untreated"), "untreated")])
def test_outcomes_after_help_are_handled_as_asked_and_the_page_says_how(trained, small_histories, options, way):
    answer = run(small_histories, "--json", *options)
    assert answer.exit_code == 0, answer.output + str(answer.exception)
    ((task, _),) = trained.calls
    assert task.helped == way
    page = " ".join(Path(json.loads(answer.stdout)["page"]).read_text().split())
    assert WORDS[way] in page
    assert "12 of the 9,000 snapshots with an outcome for version 2 were helped; 5 are left out" in page


def test_it_trains_by_the_champions_recipe_on_all_terms_and_leaves_the_champion(trained, small_histories):
    answer = run(small_histories, "--json")
    assert answer.exit_code == 0, answer.output + str(answer.exception)
    ((task, how),) = trained.calls
    assert (task.as_of, task.until, task.known_on) == ((), None, None)
    assert (task.definition.name, task.horizon) == ("commissioner_or_unknown", 120)
    assert how["config"] == {"rounds": 7}
    current = settings()
    named = json.loads((current.releases / "onroll" / "aliases.json").read_text())
    assert named == {"champion": 1, "challenger": 2}
    data = json.loads(answer.stdout)
    assert (data["version"], data["changes"]["champion"], data["changes"]["failed"]) == (2, 1, [])
    assert data["changes"]["lists"]["overlap"] == 1
    (entry,) = audited("model.retrained")
    assert "alarms looked at the records as of 2026-01-01, which was named as today" in entry["set_aside"]
    assert entry["set_aside"] == data["set_aside"]
    assert all(what in Path(data["page"]).read_text() for what in entry["set_aside"])
    assert (entry["version"], entry["champion"], entry["failed"]) == (2, 1, [])


@pytest.mark.prove
def test_a_failed_gate_leaves_with_1_and_the_page_says_what_changed(trained, small_histories):
    trained.failing = ["G001", "G010"]
    answer = run(small_histories, "--report", "page.html", "--capacity", "5")
    assert answer.exit_code == 1
    assert "G001 FAILED" in answer.output
    assert "nothing was promoted" in answer.output
    page = Path("page.html")
    assert page.stat().st_mode & 0o077 == 0
    html = page.read_text()
    for part in ("Figures", "The list of", "Reasons", "Groups", "Gates", "G001", "waits for a person", "+0.0100"):
        assert part in html, part
    ids = pl.read_parquet(small_histories / "pupils.parquet")["pupil_id"].to_list()
    assert not [i for i in ids if i in html or i in answer.output]


def test_errors_of_the_check_are_refused_before_anything_is_trained(trained, small_histories, tmp_path):
    answer = run(spoilt(small_histories, tmp_path / "spoilt"))
    assert isinstance(answer.exception, Faults)
    assert answer.exception.exit_code == 1
    assert {f.code for f in answer.exception.faults} & {"H007", "H008", "H009"}, answer.exception
    assert trained.calls == []
    assert audited("retraining.refused")
    assert not audited("model.retrained")


def test_an_open_alarm_is_refused_and_an_acknowledged_one_is_named(trained, small_histories, monkeypatch):
    alarm = AlarmResult(code="A010", title="t", state="up", since=date(2026, 1, 1), what="w", where="cme", do="Ask.")
    real, seen = workflow.monitor, [alarm]

    def monitor(*words, **how):
        return replace(real(*words, **how), alarms=seen)

    monkeypatch.setattr(workflow, "monitor", monitor)
    answer = run(small_histories)
    assert [f.code for f in answer.exception.faults] == ["A010"]
    assert "--acknowledge A010" in str(answer.exception)
    assert trained.calls == []
    seen[:] = [replace(alarm, acknowledged=Acknowledgement(by="ann", at="2026-01-01T10:00", reason="new system"))]
    answer = run(small_histories, "--report", "page.html")
    assert answer.exit_code == 0, answer.output
    assert "new system" in Path("page.html").read_text()


def test_records_that_ended_long_ago_are_refused(trained, small_histories):
    answer = run(small_histories, as_of=())
    assert "A017" in [f.code for f in answer.exception.faults]
    assert trained.calls == []


def test_without_a_champion_there_is_nothing_to_retrain(small_histories, monkeypatch):
    monkeypatch.setenv("ONROLL_AUDIT_KEY", KEY.decode())
    answer = run(small_histories)
    assert "there is no champion" in str(answer.exception)
    assert answer.exception.exit_code == 1


SEEN = Acknowledgement(by="ann", at="2026-01-01", reason="seen")


@pytest.mark.parametrize("code", [a.code for a in ALARMS])
@pytest.mark.parametrize("state", ["up", "quiet", "not_judged"])
@pytest.mark.parametrize("seen", [None, SEEN])
def test_which_alarms_stop_a_retraining(code, state, seen):
    """Every alarm that is up and not acknowledged; a model's age never, a broken audit always."""
    alarm = AlarmResult(code=code, title="t", state=state, since=date(2026, 1, 1), acknowledged=seen)
    stops = state == "up" and code != "A015" and (seen is None or code == "A016")
    assert is_open(alarm) is stops


@pytest.mark.prove
def test_the_list_is_compared_on_the_day_after_the_last_known_one(trained, small_histories):
    from histories.reading.histories import Histories

    day = Histories.open(small_histories).last_known() + timedelta(days=1)
    assert json.loads(run(small_histories, "--json").stdout)["changes"]["lists"]["as_of"] == str(day)
