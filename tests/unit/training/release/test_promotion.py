"""Promotion: guarded by gates, recorded in a chained log, reversible by one command, and not bypassed by editing files."""

import hashlib
import json
from datetime import datetime

import pytest
from click.testing import CliRunner

from histories.calendar import london_day
from histories.errors import Faults
from histories.settings import settings
from serving.cli.models import models
from serving.store import Store
from tests.support.laid_before import Registered, as_files, registered
from tests.support.nested import paths, without
from training.gates import GATES
from training.gates.limits import load_limits
from training.release import promotion, promotion_log, registry
from training.release.resolve import aliases


@pytest.fixture
def mlflow(monkeypatch):
    registered_models = Registered()
    monkeypatch.setattr(registry, "client", lambda current: registered_models)
    monkeypatch.setattr(registry, "files_of", as_files)
    monkeypatch.setattr(registry, "card_in_short", lambda _: "the card")
    return registered_models


@pytest.fixture
def current(mlflow):
    return settings()


@pytest.fixture
def folder(current, bundle):
    return registered(current, bundle)


def promote(current, version=2, who="ann", why="better"):
    return promotion.promote(current, "onroll", version, who=who, why=why)


def champion(current):
    return aliases(current.releases, "onroll")["champion"]


def failed(entry):
    return [v["code"] for v in entry["gates"] if not v["passed"]]


def test_a_version_that_passes_is_promoted_and_the_log_gives_the_grounds(current, folder, mlflow):
    entry = promote(current)
    assert (entry["action"], champion(current), mlflow.aliases) == ("promoted", 2, {"champion": "2"})
    assert len(entry["gates"]) == len(GATES)
    assert (entry["by"], entry["why"], entry["trained_by"]) == ("ann", "better", "tess")
    assert all(len(entry[k]) == 64 for k in ("bundle", "evidence", "data", "catalogue", "hash", "previous"))
    assert entry["limits"] == load_limits()
    assert registry.history(current, "onroll")[-1] == entry
    assert mlflow.version_tags == {"2": {"gates": "passed"}}


def test_the_first_version_is_a_challenger_where_a_second_person_is_set(mlflow, bundle, monkeypatch):
    """Before, whoever trained first had a champion, past the second person."""
    monkeypatch.setenv("ONROLL_SECOND_PERSON", "true")
    current = settings()
    registered(current, bundle)
    assert aliases(current.releases, "onroll") == {"challenger": 2}
    assert registry.history(current, "onroll")[0]["why"] == "first model; waits for a second person"
    assert promote(current)["action"] == "promoted"
    assert aliases(current.releases, "onroll") == {"champion": 2}


def test_promotion_by_the_trainer_is_refused_and_logged(current, folder, mlflow):
    entry = promote(current, who="TESS")
    assert mlflow.version_tags == {"2": {"gates": "failed G010"}}
    assert (entry["action"], failed(entry), champion(current)) == ("refused", ["G010"], 1)
    assert registry.history(current, "onroll")[-1] == entry


def test_limits_in_the_settings_hold_and_are_in_the_log(current, folder, tmp_path, monkeypatch):
    (tmp_path / "gates.toml").write_text("[G007]\npositives = 61\n")
    monkeypatch.setenv("ONROLL_GATES", "gates.toml")
    entry = promote(settings())
    assert failed(entry) == ["G007"]
    assert entry["limits"]["G007"]["positives"] == 61


def test_a_version_that_was_compared_with_another_champion_is_judged_again_first(current, folder, bundle):
    registered(current, bundle, 1)
    promote(current)
    (own_verdict,) = [v for v in promote(current, version=3)["gates"] if v["code"] == "G001"]
    assert not own_verdict["passed"]
    assert "compared with version 1, and version 2 serves" in own_verdict["measured"]


def test_evidence_from_which_anything_was_taken_is_no_evidence(current, folder):
    file = folder / "evidence" / "v2.json"
    whole = json.loads(file.read_text())
    readers = [g for g in GATES if g.code in ("G001", "G003", "G004", "G013", "G014")]
    tried = 0
    for path in paths(whole):
        for other in without(whole, path):
            if other == whole:
                continue
            file.write_text(json.dumps(other, indent=1, sort_keys=True) + "\n")
            assert promotion._evidence(current, "onroll", 2, registry.history(current, "onroll")[-1]["evidence"]) == {}
            tried += 1
    assert tried > 100
    verdicts = promotion.gates(current, "onroll", 2, who="ann", why="better")
    assert [v.code for v in verdicts if not v.passed] == [g.code for g in readers]
    file.unlink()
    assert failed(promote(current)) == [g.code for g in readers]


def spoil_log(folder):
    (folder / "promotions.jsonl").unlink()


def cut_log(folder):
    lines = (folder / "promotions.jsonl").read_text().splitlines(keepends=True)
    (folder / "promotions.jsonl").write_text("".join(lines[:-1]))


def change_log(folder):
    text = (folder / "promotions.jsonl").read_text()
    (folder / "promotions.jsonl").write_text(text.replace("first model", "best model"))


@pytest.mark.parametrize("harm", [spoil_log, cut_log, change_log])
def test_nothing_is_promoted_or_written_past_a_log_that_was_changed(current, folder, harm):
    harm(folder)
    text = (folder / "promotions.jsonl").read_text() if (folder / "promotions.jsonl").is_file() else None
    with pytest.raises(Faults, match="G012"):
        promote(current)
    assert champion(current) == 1
    with pytest.raises(Faults):
        registry.rollback(current, "onroll", who="ann", why="x")
    assert ((folder / "promotions.jsonl").read_text() if (folder / "promotions.jsonl").is_file() else None) == text


def test_without_the_file_of_aliases_there_still_is_a_champion_to_beat(current, folder):
    (folder / "aliases.json").unlink()
    assert failed(promote(current)) == ["G012"]


def with_sums_made_anew(folder):
    recipe = (folder / "recipe.json").read_text()
    (folder / "recipe.json").write_text(recipe.replace("tess", "nobody"))
    named = [f.name for f in folder.iterdir() if f.name != "SHA256SUMS"]
    sums = "".join(f"{hashlib.sha256((folder / n).read_bytes()).hexdigest()}  {n}\n" for n in sorted(named))
    (folder / "SHA256SUMS").write_text(sums)


@pytest.mark.parametrize(
    "harm",
    [
        lambda f: (f / "booster.txt").write_text("tree\n"),
        lambda f: (f / "recipe.json").unlink(),
        lambda f: (f / "SHA256SUMS").unlink(),
        with_sums_made_anew,
    ],
)
def test_files_that_are_not_those_that_were_registered_are_refused(current, folder, harm):
    harm(folder / "v2")
    assert "G009" in failed(promote(current))


@pytest.mark.parametrize("line", [1, 2, 3, 4])
def test_a_changed_line_is_found(current, folder, line):
    promote(current)
    registry.rollback(current, "onroll", who="bob", why="worse")
    file = folder / "promotions.jsonl"
    lines = file.read_text().splitlines(keepends=True)
    changed = [*lines[: line - 1], lines[line - 1].replace('"by": "', '"by": "x'), *lines[line:]]
    for text, bad in (
        (changed, line),
        (lines[: line - 1] + lines[line:], min(line, 3)),
        ([*lines[:line], lines[line - 1], *lines[line:]], line + 1),
    ):
        file.write_text("".join(text))
        assert registry.verify(current, "onroll").bad == bad
    file.write_text("".join(lines))
    assert registry.verify(current, "onroll").whole


def test_a_log_that_was_written_anew_does_not_end_as_noted(current, folder):
    promote(current)
    file = folder / "promotions.jsonl"
    entries = [
        {k: v for k, v in e.items() if k not in ("n", "at", "previous", "hash")} for e in promotion_log.entries(file)
    ]
    file.unlink()
    for entry in entries:
        promotion_log.append(file, **{**entry, "why": "other"})
    assert promotion_log.follow(file).whole
    assert registry.verify(current, "onroll").bad == 3


def test_half_a_line_that_a_killed_run_left_goes_and_lines_from_before_the_chain_stay(tmp_path):
    file = tmp_path / "log.jsonl"
    file.write_text('{"alias": "champion", "version": 1}\n{"half')
    promotion_log.append(file, version=2)
    chain = promotion_log.follow(file)
    assert (chain.whole, chain.lines, chain.unchained) == (True, 2, 1)
    file.write_text(file.read_text().replace("champion", "challenger"))
    assert promotion_log.follow(file).bad == 2


def test_rolling_back_goes_from_champion_to_champion(current, folder, bundle):
    promote(current)
    registered(current, bundle, 1)
    registry.move(current, "onroll", "champion", 3, action="promoted", by="ann", why="x")
    assert registry.rollback(current, "onroll", who="bob", why="x")["version"] == 2
    assert registry.rollback(current, "onroll", who="bob", why="x")["version"] == 1
    with pytest.raises(Faults, match="no earlier champion"):
        registry.rollback(current, "onroll", who="bob", why="x")


def test_a_champion_that_is_approved_later_is_rolled_back_from_once(current, folder):
    registry.move(current, "onroll", "champion", 1, action="promoted", by="ann", why="approved")
    promote(current)
    registry.move(current, "onroll", "champion", 2, action="promoted", by="ann", why="approved again")
    assert registry.rollback(current, "onroll", who="bob", why="x")["version"] == 1
    with pytest.raises(Faults, match="no earlier champion"):
        registry.rollback(current, "onroll", who="bob", why="x")


def test_nothing_is_rolled_back_to_damaged_files(current, folder):
    promote(current)
    (folder / "v1" / "booster.txt").write_text("")
    with pytest.raises(Faults, match="changed after"):
        registry.rollback(current, "onroll", who="bob", why="x")
    assert champion(current) == 2


def run(*words):
    return CliRunner().invoke(models, words)


def audited():
    with Store.of(settings()).engine.connect() as connection:
        actions = connection.exec_driver_sql("SELECT action FROM audit ORDER BY seq").scalars().all()
    return [action for action in actions if action.startswith("model.")]


def test_the_verbs_report_it_and_exit_with_their_codes(current, folder):
    refused = run("promote", "2", "--by", "tess", "--reason", "mine", "--json")
    assert (refused.exit_code, failed(json.loads(refused.output))) == (1, ["G010"])
    assert audited()[-1] == "model.refused"
    invoked = run("promote", "2", "--approver", "tess", "--reason", "mine")
    assert "G010 FAILED" in invoked.output
    assert "trained by tess, approved by tess" in invoked.output
    assert "G001" not in invoked.output
    assert run("gates", "2").exit_code == 1
    assert run("gates", "2", "--approver", "ann", "--reason", "x").exit_code == 0
    assert run("promote", "2", "--approver", "ann").exit_code == 2
    assert run("promote", "2", "--approver", "ann", "--reason", "better", "--json").exit_code == 0
    assert run("rollback", "--by", "bob", "--reason", "worse", "--json").exit_code == 0
    log = json.loads(run("log", "--json").output)["log"]
    assert [e["action"] for e in log] == ["registered", "registered", "refused", "refused", "promoted", "rolled back"]
    assert [e["version"] for e in json.loads(run("history", "--json").output)["history"]] == [1, 2, 2, 1]
    assert "failed G010" in run("log").output
    assert audited() == [f"model.{e['action'].replace(' ', '_')}" for e in log]
    assert run("verify").exit_code == 0
    change_log(folder)
    invoked = run("verify", "--json")
    assert (invoked.exit_code, json.loads(invoked.output)["bad"]) == (1, 1)


def test_the_dossier_says_since_when_a_version_served(current, folder):
    first = registry.history(current, "onroll")[0]
    served = promotion.dossier(current, "onroll", 2, who="", why="")["log"]["served_since"]
    assert served == str(london_day(datetime.fromisoformat(first["at"])))


@pytest.mark.parametrize(
    ("at", "day"),
    [("2025-06-30T22:59:59+00:00", "2025-06-30"), ("2025-06-30T23:30:00+00:00", "2025-07-01")],
)
def test_a_version_serves_from_the_day_that_it_was_in_england(at, day):
    """Before, it was the day in UTC, while lists and help are of days in England."""
    later = {"alias": "champion", "action": "promoted", "at": "2025-09-01T12:00:00+00:00"}
    assert promotion._served_since([later, {**later, "at": at}]) == day
