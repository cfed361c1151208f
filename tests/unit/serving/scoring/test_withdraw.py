"""The kill switch: whatever else is wrong, nothing serves from then on; what disagrees is reported afterwards."""

import fcntl
import json
import shutil

import pytest
from click.testing import CliRunner

from histories.errors import Faults
from histories.settings import settings
from serving.cli.main import onroll
from serving.scoring.live_model import LiveModel
from serving.store import Store
from serving.telemetry import metrics
from tests.support.databases import KEY
from tests.support.laid_before import Registered
from tests.support.released import alias, append_a_promotion, recorded, release
from tests.support.stores import acted, tamper
from training.release import registry, withdrawal
from training.release.promotion_log import HEAD, append, entries, hashes
from training.release.resolve import ALIASES, MOVES, Withdrawn, find_release, must_not_be_withdrawn
from training.release.standing import TakenBack


class Unreachable:
    def __getattr__(self, name):
        raise ConnectionError("no answer")


@pytest.fixture
def releases(bundle, monkeypatch):
    monkeypatch.setenv("ONROLL_AUDIT_KEY", KEY.decode())
    releases = settings().releases
    release(releases, bundle, 1)
    alias(releases, champion=1)
    recorded(releases, Store.of(settings()))
    in_mlflow = Registered()
    in_mlflow.aliases["champion"] = 1
    log = releases / "onroll" / MOVES
    in_mlflow.tags[HEAD] = f"{len(entries(log))} {hashes(log)[-1]}"
    reach(monkeypatch, in_mlflow)
    return releases


def reach(monkeypatch, in_mlflow):
    for module in (registry, withdrawal):
        monkeypatch.setattr(module, "client", lambda current: in_mlflow)


def withdraw():
    return CliRunner().invoke(onroll, ["models", "withdraw", "--by", "ann", "--reason", "wrong"])


def mlflow_is_away(releases, bundle, monkeypatch):
    reach(monkeypatch, Unreachable())
    return "MLflow could not be told"


def somebody_appended(releases, bundle, monkeypatch):
    append_a_promotion(releases, bundle)
    return "no command recorded these moves"


def somebody_changed_a_line(releases, bundle, monkeypatch):
    log = releases / "onroll" / MOVES
    log.write_bytes(log.read_bytes().replace(b"newly", b"nicely", 1))
    return "does not verify: it was changed"


ODD = [
    b"\xff\xfe no json",
    b"5",
    b"[]",
    b"[" * 100_000,
    b'{"alias":"champion","version":"x"}',
    b'{"alias":"champion","version":true}',
    b'{"alias":"champion","action":"withdrawn","version":0,"before":[1]}',
    b'{"alias":"champion","version":1,"bundle":[["x"]]}',
]


def spoilt_by(line):
    def somebody_spoilt_a_line(releases, bundle, monkeypatch):
        log = releases / "onroll" / MOVES
        log.write_bytes(line + b"\n" + log.read_bytes())
        return "line 1 does not verify: it cannot be read"

    return somebody_spoilt_a_line


def somebody_spoilt_the_aliases(releases, bundle, monkeypatch):
    (releases / "onroll" / ALIASES).write_text("{")
    return ""


def the_audit_was_changed(releases, bundle, monkeypatch):
    tamper(Store.of(settings()), "UPDATE audit SET who = 'nobody'")
    return "the audit's entry about this log was changed"


def the_database_is_away(releases, bundle, monkeypatch):
    monkeypatch.setenv("ONROLL_DATABASE_URL", "sqlite:////nowhere/onroll.db")
    return "audit"


WRONG = [
    mlflow_is_away,
    somebody_appended,
    somebody_changed_a_line,
    *map(spoilt_by, ODD),
    somebody_spoilt_the_aliases,
    the_audit_was_changed,
    the_database_is_away,
]


@pytest.mark.parametrize("wrong", WRONG)
def test_nothing_serves_whatever_is_wrong_and_it_is_reported(releases, bundle, monkeypatch, wrong):
    live = LiveModel("onroll@champion", releases)
    assert live.model()
    says = wrong(releases, bundle, monkeypatch)
    answer = withdraw()
    live.refresh()
    assert (live.current, live.withdrawn) == (None, True)
    assert "is withdrawn" in answer.output
    assert says in answer.output
    assert answer.exit_code == bool(says)
    assert not LiveModel("onroll@champion", releases).model(), "after a restart"


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_line_stops_no_page_and_no_withdrawal_and_the_commands_that_need_the_log_refuse_it(releases, odd):
    log = releases / "onroll" / MOVES
    withdraw()
    with log.open("ab") as file:
        file.write(odd + b"\n")
    assert TakenBack(log)() == {"1"}
    copy = shutil.copytree(releases / "onroll" / "v1", releases.parent / "copy")
    with pytest.raises(Withdrawn):
        must_not_be_withdrawn(find_release(str(copy), releases), releases)
    for read in (entries, hashes, append):
        with pytest.raises(Faults, match="does not verify: it cannot be read"):
            read(log)
    with pytest.raises(Faults, match="does not verify: it cannot be read"):
        registry.rollback(settings(), "onroll", who="ann", why="x")


def test_a_withdrawn_folder_says_when_its_own_version_was_withdrawn(releases, bundle):
    withdraw()
    (own,) = (line for line in entries(releases / "onroll" / MOVES) if line.get("action") == "withdrawn")
    release(releases, bundle, 2)
    alias(releases, champion=2)
    append(releases / "onroll" / MOVES, alias="champion", action="withdrawn", version=0, before=2, at="2099-01-01")
    folder = str(releases / "onroll" / "v1")
    with pytest.raises(Withdrawn) as refused:
        must_not_be_withdrawn(find_release(folder, releases), releases)
    assert (refused.value.version, refused.value.at) == ("1", own["at"])


def test_another_command_that_moves_an_alias_is_not_waited_for(releases):
    with (releases / "onroll" / ".promotion").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert withdraw().exit_code == 0


def test_a_withdrawal_that_the_audit_cannot_tie_to_the_log_is_noted_without_vouching_for_it(releases, bundle):
    append_a_promotion(releases, bundle)
    withdraw()
    (noted,) = acted(Store.of(settings()), "model.withdrawn")
    assert (noted["by"], noted["why"]) == ("ann", "wrong")
    assert "hash" not in noted


def test_the_metric_of_the_withdrawn_version_is_0_in_every_process(releases):
    live = LiveModel("onroll@champion", releases)
    live.refresh()
    assert b'onroll_model_serves{version="1"} 1.0' in metrics.page()[0]
    withdraw()
    live.refresh()
    assert b'onroll_model_serves{version="1"} 0.0' in metrics.page()[0]
    metrics.serves("1")  # as a process did that has ended
    metrics._served.clear()
    assert not LiveModel("onroll@champion", releases).model()
    assert b'onroll_model_serves{version="1"} 0.0' in metrics.page()[0]


@pytest.mark.parametrize("copied", [False, True])
def test_a_folder_of_the_withdrawn_version_stops_too_and_its_copy(releases, tmp_path, copied):
    folder = releases / "onroll" / "v1"
    folder = shutil.copytree(folder, tmp_path / "copy") if copied else folder
    live = LiveModel(str(folder), releases)
    assert live.model()
    assert withdraw().exit_code == 0
    live.refresh()
    assert (live.current, live.withdrawn) == (None, True)


def test_another_model_that_the_setting_names_is_said_to_go_on(releases, bundle, monkeypatch):
    other = release(releases, bundle, 2)
    monkeypatch.setenv("ONROLL_MODEL", str(other))
    answer = withdraw()
    assert answer.exit_code == 1
    assert "what this setting names was not withdrawn" in answer.output
    assert LiveModel(str(other), releases).model()


def test_a_model_of_another_name_is_withdrawn_by_the_name_that_the_setting_gives(releases, monkeypatch):
    shutil.copytree(releases / "onroll", releases / "other")
    monkeypatch.setenv("ONROLL_MODEL", "other@champion")
    assert withdraw().exit_code == 0
    moves = CliRunner().invoke(onroll, ["models", "timeline", "--json"]).output
    assert [m["action"] for m in json.loads(moves)["moves"]] == ["promoted", "withdrawn"]
    assert not LiveModel("other@champion", releases).model()
    assert LiveModel("onroll@champion", releases).model()
