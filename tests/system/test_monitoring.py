"""``onroll monitor`` on a store and a folder of histories: what it prints, and how it exits."""

import csv
import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from histories.settings import settings
from serving.cli.main import main, onroll
from serving.monitoring import stored
from serving.store import Caller, Store
from serving.store.caller import command_line
from serving.store.scores.complete_lists import complete_lists, scores_of, weekly_capacities
from serving.store.sign_in import staff
from tests.support.databases import KEY
from tests.support.monitored import DAY, END, scores, stored_list, tables
from tests.support.stores import ADMIN, do, tamper, verified

RISKS = [0.5] * 20 + [0.01] * 80
OPEN = date(2024, 9, 9)


@pytest.fixture(autouse=True)
def today(monkeypatch):
    """The day after the records end; returns what moves it."""

    def is_now(day):
        monkeypatch.setattr("serving.monitoring.monitor.london_today", lambda: day)

    is_now(END + timedelta(days=1))
    return is_now


def write(folder, rows_of):
    folder.mkdir()
    for table, rows in rows_of.items():
        with (folder / f"{table}.csv").open("w", newline="") as out:
            writer = csv.DictWriter(out, list(rows[0]), restval="")
            writer.writeheader()
            writer.writerows(rows)


@pytest.fixture
def filled(monkeypatch):
    """A store of the settings with one matured and one open list, and histories beside it; returns what runs the verb."""
    monkeypatch.setenv("ONROLL_AUDIT_KEY", KEY.decode())
    store = Store.of(settings())
    store.save(scores(RISKS))
    store.save(scores(RISKS, day=OPEN))

    def run(*options, gone=range(10)):
        if not Path("h").exists():
            write(Path("h"), tables(gone=gone))
        return CliRunner().invoke(onroll, ["monitor", "h", *options])

    run.store = store
    return run


def test_a_list_that_kept_its_promise_leaves_with_0(filled):
    answer = filled("--json")
    assert answer.exit_code == 0, answer.output
    report = json.loads(answer.stdout)
    assert report["alarms_up"] == 0
    assert [(x["as_of"], x["outcomes_known"]) for x in report["lists"]] == [(str(DAY), True), (str(OPEN), False)]
    version = report["versions"][0]
    of_places = {kind: {n: c["observed"] for n, c in named.items()} for kind, named in version["places"].items()}
    assert of_places == {"authority": {"801": 10}, "school": {"1": 10}}
    assert (version["observed"], version["at_capacity"]["found"]) == (10, 8)
    assert version["expected"] == pytest.approx(10.8)
    states = {a["code"]: a["state"] for a in report["alarms"]}
    assert states["A001"] == "quiet"
    assert states["A007"] == "not_judged"
    assert any("Nothing here is the effect of a list or of help" in note for note in report["notes"])


def test_a_list_that_broke_its_promise_leaves_with_1_and_says_where_and_what_to_do(filled):
    answer = filled(gone=[50])
    assert answer.exit_code == 1
    assert "A001 version 1" in answer.output
    assert "the risks said that 10.8 children would go missing, and 1 did" in answer.output
    assert "Then train again" in answer.output
    assert "1 of 1 school outside the usual range:\n    school 1: 10.8 expected" in answer.output
    assert "the next outcomes are known once the histories reach 2025-03-08" in answer.output


def test_no_pupils_value_is_printed_and_the_audit_has_the_reading(filled):
    told = filled(gone=[1, 2, 3]).output + filled("--json").output
    assert "p000" not in told
    assert "2014-05-01" not in told
    with filled.store.view(command_line()) as view:
        from serving.store.audit import audit_log

        entries = list(audit_log.entries(view, last=50, action="monitor.seen", pupils=()))
        view.record("audit.seen", entries=len(entries))
    assert [e["details"]["lists"] for e in entries] == [2, 2]
    assert verified(filled.store).whole


def test_the_page_has_what_the_command_found(filled):
    report = json.loads(filled("--json").stdout)
    with filled.store.view(Caller("dev:x", "lead", "801")) as view:
        _, shown = stored.newest(view)
        view.record("monitor.page_seen")
    assert shown["terms"][0]["expected"] == round(report["terms"][0]["expected"], 1)
    assert shown["terms"][0]["observed"] == report["terms"][0]["observed"] == 10
    assert [(s["way"], s["verdict"], s["found"]) for s in shown["simple_ways"]] == [
        ("checklist", "as_good", 10),
        ("stopped", "as_good", 10),
        ("surroundings", "as_good", 10),
    ]
    assert [s["verdict"] for s in report["simple_ways"]] == ["as_good"] * 3
    assert [list(s["terms"]) for s in report["simple_ways"]] == [["2023/24 spring"]] * 3
    assert set(shown["simple_ways_left_out"]) == set(report["simple_ways_left_out"]) == {"logistic", "challenger"}


def test_a_look_of_an_earlier_version_still_shows_the_checklist(filled):
    one = {"verdict": "better", "listed": 60, "listed_simply": 60, "found": 30, "found_simply": 20}
    with filled.store.view(command_line()) as view:
        view.record(stored.ACTION, report={"authority": "801", "simple_way": one})
        view.record("monitor.kept")
    with filled.store.view(Caller("dev:x", "lead", "801")) as view:
        _, shown = stored.newest(view)
        view.record("monitor.page_seen")
    assert shown["simple_ways"] == [{"way": "checklist", "other": "", "lead": None, "terms": [], **one}]
    assert shown["simple_ways_left_out"] == {}


def test_the_capacity_is_the_authoritys_unless_named(filled):
    do(filled.store, staff.set_capacity, "801", "", 7, 0)

    def first(*options):
        return json.loads(filled("--json", *options).stdout)["versions"][0]["at_capacity"]["capacity"]

    assert first() == 7
    assert first("--capacity", "12") == 12


def test_limits_of_a_file_are_in_force_and_a_wrong_one_is_refused(filled):
    Path("limits.toml").write_text("[A001]\nexpected = 1000.0\n")
    report = json.loads(filled("--json", "--limits", "limits.toml", gone=[50]).stdout)
    assert next(a for a in report["alarms"] if a["code"] == "A001")["state"] == "not_judged"
    Path("limits.toml").write_text("[A001]\nexpectd = 1.0\n")
    with pytest.raises(SystemExit) as leaving:
        main(["monitor", "h", "--limits", "limits.toml"])
    assert leaving.value.code == 1


def test_the_audit_tells_the_default_look_from_others(filled):
    """The service's metrics follow default looks only."""
    Path("limits.toml").write_text("[A001]\nexpected = 1000.0\n")
    Path("same.toml").write_text("")
    for options in ((), ("--limits", "limits.toml"), ("--as-of", "2024-09-16"), ("--limits", "same.toml")):
        filled(*options)
    with filled.store.view(command_line()) as view:
        from serving.store.audit import audit_log

        entries = list(audit_log.entries(view, action="alarms.seen"))
        view.record("audit.seen", entries=len(entries))
    assert [e["details"]["default_look"] for e in entries] == [True, False, False, True]
    assert entries[2]["details"]["day"] == "2024-09-16"


def test_an_import_that_died_is_an_alarm_unless_the_day_is_named(filled, today):
    """Everything else is judged as of the day on which the records end, and looks as it looked then."""
    assert filled().exit_code == 0
    today(END + timedelta(weeks=12))
    died = filled()
    assert (died.exit_code, "A017" in died.output) == (1, True)
    assert "the newest record is of 2024-09-30" in died.output
    assert filled("--as-of", str(END + timedelta(days=1))).exit_code == 0
    assert "A017" in filled("--as-of", str(END + timedelta(weeks=12))).output


def test_a_changed_audit_is_an_alarm(filled):
    tamper(filled.store, "UPDATE audit SET who = 'nobody' WHERE seq = 1")
    answer = filled()
    assert answer.exit_code == 1
    assert "A016" in answer.output


def test_an_empty_store_has_no_list_and_leaves_with_0(monkeypatch):
    monkeypatch.setenv("ONROLL_AUDIT_KEY", KEY.decode())
    write(Path("h"), tables())
    answer = CliRunner().invoke(onroll, ["monitor", "h", "--json"])
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout)["lists"] == []


def test_only_complete_lists_and_scores_in_force_are_read(store):
    """On every database: what was replaced is counted, and takes no part."""
    store.save(scores([0.4, 0.2]))
    store.save(scores([0.4, 0.1]))
    other = [s | {"authority": "802", "pupil_id": f"q{s['rank']}"} for s in scores([0.3])]
    store.save(other)
    with store.view(ADMIN) as view:
        lists = complete_lists(view)
        read = scores_of(view, lists)
        none = scores_of(view, [])
        view.record("monitor.seen", lists=len(lists))
    assert lists == [
        stored_list([0.4, 0.1], replaced=1, mean_risk=pytest.approx(0.25), mean_square=pytest.approx(0.085)),
        stored_list([0.3], authority="802", mean_risk=pytest.approx(0.3), mean_square=pytest.approx(0.09)),
    ]
    assert read.select("pupil_id", "risk", "list").rows() == [
        ("p0000", 0.4, "act_today"),
        ("p0001", 0.1, "help_early"),
        ("q1", 0.3, "act_today"),
    ]
    assert none.is_empty()


def test_scores_whose_list_was_never_complete_take_no_part(store):
    from serving.store.scores import score_rows, stored_scores

    rows, _ = score_rows.rows_of(scores([0.4]))
    do(store, stored_scores.save, rows)
    with store.view(ADMIN) as view:
        view.record("monitor.seen")
        assert complete_lists(view) == []


def test_the_capacity_of_an_authority_is_its_own_or_the_sum_of_its_teams(store):
    for authority, team, number in (("801", "", 9), ("801", "north", 4), ("802", "north", 4), ("802", "south", 5)):
        do(store, staff.set_capacity, authority, team, number, 0)
    with store.view(ADMIN) as view:
        view.record("capacities.seen")
        assert weekly_capacities(view) == {"801": 9, "802": 9}


def test_an_acknowledged_alarm_says_who_saw_it_and_stays_up(filled):
    answer = filled("--acknowledge", "a001", "--reason", "the register was cleaned in May", "--json", gone=[50])
    assert answer.exit_code == 1

    def alarm(text):
        return next(a for a in json.loads(text)["alarms"] if a["code"] == "A001")

    seen = alarm(answer.stdout)["acknowledged"]
    assert seen["by"].startswith("command:")
    assert seen["reason"] == "the register was cleaned in May"
    again = filled("--json")
    assert (again.exit_code, alarm(again.stdout)["acknowledged"]) == (1, seen)
    assert "the register was cleaned in May" in filled().output
    assert verified(filled.store).whole


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (["--acknowledge", "A009", "--reason", "seen"], "no alarm of this code is up"),
        (["--acknowledge", "A001"], "the reason is empty or too long"),
        (["--acknowledge", "A001", "--reason", "x" * 501], "the reason is empty or too long"),
        (["--reason", "seen"], "Add --acknowledge"),
    ],
)
def test_an_acknowledgement_needs_an_alarm_that_is_up_and_a_reason(filled, capsys, options, what):
    filled(gone=[50])
    with pytest.raises(SystemExit) as leaving:
        main(["monitor", "h", *options])
    assert leaving.value.code == 2
    assert what in capsys.readouterr().err


def test_the_page_has_every_list_and_alarm_and_no_child(filled):
    answer = filled("--report", "m.html", gone=range(40))
    assert answer.exit_code == 1
    page = Path("m.html").read_text()
    assert page.count("data:image/svg+xml") == 2, "the run chart and a funnel"
    for text in (str(DAY), str(OPEN), "A001", "Nothing here is the effect", "not yet known; once the histories reach"):
        assert text in page
    assert "p000" not in page
    assert Path("m.html").stat().st_mode & 0o077 == 0


def test_the_page_of_an_empty_store_is_whole(monkeypatch):
    monkeypatch.setenv("ONROLL_AUDIT_KEY", KEY.decode())
    write(Path("h"), tables())
    assert CliRunner().invoke(onroll, ["monitor", "h", "--report", "m.html"]).exit_code == 0
    assert Path("m.html").read_text().rstrip().endswith("</html>")


def test_a_look_with_other_terms_is_not_shown_to_everybody(filled):
    Path("limits.toml").write_text("[A001]\nexpected = 1000.0\n")
    Path("cohort.toml").write_text("min_age = 5\n")
    for options in (
        ("--limits", "limits.toml"),
        ("--as-of", "2024-09-16"),
        ("--capacity", "12"),
        ("--cohort", "cohort.toml"),
    ):
        filled(*options)
        with filled.store.view(Caller("dev:x", "lead", "801")) as view:
            assert stored.newest(view) is None, options
            view.record("monitor.page_seen")
    filled()
    with filled.store.view(Caller("dev:x", "lead", "801")) as view:
        assert stored.newest(view) is not None
        view.record("monitor.page_seen")
