"""Readiness is checked before features are built, and reports what is missing and which dates would work."""

import json
import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from click.testing import CliRunner

from features import Definition, default_as_of
from features.outcome import cohort
from features.outcome.leavings import Leavings
from histories.errors import Faults, Usage
from histories.reading.histories import Histories
from serving.cli.main import onroll
from tests.support.rolls_that_go_on import going_on
from training import pipeline
from training.readiness import monthly_dates, monthly_task, readiness
from training.task import Task

MARKS_UNTIL = date(2025, 7, 18)

LONGEST_LINE = 200  # characters of a message


def histories(children=60, leaving="2024-10-11", destination="missing_education", lost=30, years=3):
    """Children on a roll since 2021; some leave each autumn, and there are marks until July 2025."""
    rows = {
        "pupils": [
            {"pupil_id": f"p{n}", "date_of_birth": f"2012-{n % 12 + 1:02d}-10", "authority": "801"}
            for n in range(children)
        ],
        "enrolments": [],
        "attendance": [
            {"pupil_id": f"p{children - 1}", "date": day, "session": "AM", "code": "/"}
            for day in ("2021-09-06", str(MARKS_UNTIL))
        ],
    }
    for n in range(children):
        spell = {"pupil_id": f"p{n}", "urn": "100001", "entry_date": "2021-09-02"}
        if n < lost:
            year = 2025 - years + n % years
            left = leaving.replace("2024", str(year))
            spell |= {"leaving_date": left, "destination": destination, "leaving_recorded_on": left}
        rows["enrolments"].append(spell)
    return Histories.from_rows(going_on(rows, MARKS_UNTIL))


def readiness_of(opened, *names, **task):
    definitions = [Definition.load(name) for name in names or Definition.shipped()]
    return readiness(opened, Task(definition=definitions[0], **task), definitions)


def test_ready_histories_say_which_dates_are_judged():
    (one,) = readiness_of(histories(), "commissioner").definitions
    assert one.ready
    assert one.pupils == 30
    assert len(one.judged) >= 2
    assert set(one.judged) <= set(one.labelled)


def test_each_definition_is_reported_separately():
    by_name = {d.definition: d for d in readiness_of(histories(destination="home_education")).definitions}
    assert by_name["commissioner"].outcomes == 0
    assert by_name["any_unplanned_exit"].outcomes == 30
    assert not by_name["commissioner"].ready


def test_the_newest_labelled_date_follows_horizon_delay_and_until():
    opened = histories()
    for horizon in (30, 120, 364):
        task = Task(definition=Definition.load("commissioner"), horizon=horizon)
        newest = task.newest_labelled(opened)
        assert newest == MARKS_UNTIL - timedelta(days=horizon + 60)
        for day, labelled in ((newest, True), (newest + timedelta(days=1), False)):
            dated = replace(task, as_of=(day,))
            if labelled:
                assert not dated.labels(opened).is_empty()
            else:
                with pytest.raises(Faults, match="no window is fully known"):
                    dated.labels(opened)
        assert replace(task, until=date(2024, 1, 1)).newest_labelled(opened) < date(2024, 1, 1) - timedelta(
            days=horizon
        )


def test_training_refuses_before_features_and_names_dates_that_would_work(monkeypatch):
    built = []
    monkeypatch.setattr("training.task.tallied_blocks", lambda *a, **k: built.append(1) or iter(()))
    opened = histories()
    with pytest.raises(Faults) as refused:
        pipeline.train(opened, Task(definition=Definition.load("commissioner"), as_of=(date(2024, 9, 9),)))
    assert not built
    assert "Add --monthly" in str(refused.value)
    monthly = monthly_task(opened, Task(definition=Definition.load("commissioner"))).as_of
    assert f"{len(monthly)} from {monthly[0]} to {monthly[-1]} (" in str(refused.value)
    (one,) = readiness_of(opened, "commissioner", as_of=monthly).definitions
    assert one.ready
    assert one.labelled == monthly
    assert max(map(len, str(refused.value).splitlines())) < LONGEST_LINE


def test_too_few_outcomes_are_reported_with_their_number():
    (one,) = readiness_of(histories(lost=2), "commissioner").definitions
    assert not one.ready
    assert any("2 children went missing" in fault.what for fault in one.reasons)


def test_gaps_and_missing_tables_name_where_they_could_come_from():
    opened = histories(destination=None)
    result = readiness_of(opened, "commissioner")
    assert any(f.where == "enrolments, destination" for f in result.gaps)
    assert "school-census" in result.missing["sen"]
    assert "termly_attendance" not in result.missing  # daily marks say more
    assert "enrolments" not in result.missing


def test_months_are_named_only_where_outcomes_are_known():
    opened = histories()
    task = Task(definition=Definition.load("commissioner"))
    dates = monthly_dates(opened, task)
    assert max(dates) <= task.newest_labelled(opened)
    assert len({(d.year, d.month) for d in dates}) == len(dates)


@pytest.mark.parametrize(("horizon", "months"), [(364, 9), (179, 0)])
def test_months_go_on_while_a_part_of_a_long_window_is_known(horizon, months):
    opened = histories()
    task = Task(definition=Definition.load("commissioner"), horizon=horizon)
    task = monthly_task(opened, task)
    later = [day for day in task.as_of if day > task.newest_labelled(opened)]
    assert len(later) == months
    parts = task.partly_known(opened)
    assert later == ([] if parts is None else parts["as_of"].unique().sort().to_list())


def test_the_verb_exits_with_1_when_no_day_can_train(small_histories):
    done = CliRunner().invoke(onroll, ["doctor", str(small_histories), "--json"])
    assert done.exit_code == 1
    assert '"ready": false' in done.output


def test_train_and_doctor_say_at_once_whose_rolls_ended(small_histories, monkeypatch):
    said = []
    monkeypatch.setattr(
        "training.rolls_end.warnings_of_ended_rolls", lambda *_, **__: ["authority 801: the rolls end."]
    )
    monkeypatch.setattr("training.workflow.train_and_register", lambda *_, **__: said.append("trains"))
    done = CliRunner().invoke(onroll, ["train", str(small_histories), "--until", "2025-12-22"])
    assert said == ["trains"]
    assert "authority 801: the rolls end." in done.stderr
    done = CliRunner().invoke(onroll, ["doctor", str(small_histories), "--json"])
    assert "authority 801: the rolls end." in json.loads(done.stdout)["warnings"]


def test_a_refusal_names_the_end_of_the_rolls_and_the_dates_that_count():
    rows = {
        "pupils": [{"pupil_id": "p", "date_of_birth": "2012-03-10", "authority": "801"}],
        "enrolments": [{"pupil_id": "p", "urn": "100001", "entry_date": "2021-09-02"}],
        "attendance": [{"pupil_id": "p", "date": str(MARKS_UNTIL), "session": "AM", "code": "/"}],
    }
    weekly = [date(2025, 1, 31) - timedelta(weeks=n) for n in range(30)]
    opened = Histories.from_rows(going_on(rows, *weekly))
    task = Task(definition=Definition.load("commissioner"), as_of=(date(2024, 9, 9),))
    with pytest.raises(
        Faults, match="newest day in the histories is 2025-07-18, but the rolls go on until 2025-01-31 only"
    ) as refused:
        task.labels(opened)
    assert "Give as-of dates up to 2024-08-04" in str(refused.value)


@pytest.mark.parametrize("verb", ["doctor", "train"])
def test_days_are_given_or_chosen_by_month_but_not_both(verb, small_histories):
    done = CliRunner().invoke(onroll, [verb, str(small_histories), "--monthly", "--as-of", "2024-09-09"])
    assert isinstance(done.exception, Usage)


def test_doctor_checks_the_months_of_the_same_option(small_histories):
    done = CliRunner().invoke(onroll, ["doctor", str(small_histories), "--monthly", "--json"])
    checked = json.loads(done.stdout)["as_of"]
    task = monthly_task(Histories.open(small_histories), Task(definition=Definition.load(Definition.shipped()[0])))
    assert checked == [str(day) for day in task.as_of]


def test_a_shorter_window_is_named_when_its_outcomes_are_known_in_time():
    """Leavers of one school year: within 120 days too few are known before the days that are judged."""
    joined = {"urn": "100001", "entry_date": "2024-09-02"}
    months = [date(2024 + (9 + n) // 12, (9 + n) % 12 + 1, 20) for n in range(8)]
    leavers = [
        {"pupil_id": f"p{n}", **joined, "leaving_date": day, "destination": "missing_education"}
        for n in range(90)
        for day in [months[n % 8].isoformat()]
    ]
    stayed = [{"pupil_id": f"p{n}", **joined} for n in range(90, 100)]
    rows = {
        "pupils": [{"pupil_id": f"p{n}", "date_of_birth": "2012-03-10"} for n in range(100)],
        "enrolments": [*leavers, *stayed],
        "attendance": [
            {"pupil_id": "p99", "date": day, "session": "AM", "code": "/"} for day in ("2024-09-03", "2025-08-29")
        ],
    }
    opened = Histories.from_rows(going_on(rows, "2025-08-29", authority=""))
    (one,) = readiness_of(opened, "commissioner").definitions
    advice = one.reasons[-1].do
    assert "--monthly" in advice
    (horizon,) = map(int, re.findall(r"--horizon (\d+)", advice))
    assert horizon < 120
    dates = monthly_task(opened, Task(definition=Definition.load("commissioner"), horizon=horizon)).as_of
    (shorter,) = readiness_of(opened, "commissioner", as_of=dates, horizon=horizon).definitions
    assert shorter.ready


ROLLS = {
    "marks": ({"recorded_on": "2021-09-02"}, [("attendance", {"date": "2023-09-04", "session": "AM", "code": "/"})]),
    "censuses": ({"recorded_on": "2023-10-05"}, []),
    "terms": (
        {},
        [
            (
                "termly_attendance",
                {"term_start": "2023-09-04", "term_end": "2023-12-20", "code": "O", "sessions": 2},
            )
        ],
    ),
}


@pytest.mark.parametrize("kind", ROLLS)
def test_no_day_lies_before_the_records(kind):
    """Spells reach back to children's first entry, but of those who had left before the records began there are none."""
    spell, others = ROLLS[kind]
    tables = {
        "pupils": [{"pupil_id": "p", "date_of_birth": "2012-03-10"}],
        "enrolments": [{"pupil_id": "p", "urn": "100001", "entry_date": "2016-09-02", **spell}],
        "suspensions": [{"pupil_id": "p", "start_date": "2025-07-01", "category": "SUSP", "sessions": 2}],
    }
    for table, row in others:
        tables.setdefault(table, []).append({"pupil_id": "p", **row})
    opened = Histories.from_rows(going_on(tables, "2025-07-01", authority=""))
    first = date(2023, 10, 5) if kind == "censuses" else date(2023, 9, 4)
    task = Task(definition=Definition.load("commissioner"))
    assert min(monthly_dates(opened, task)) >= first
    assert min(default_as_of(opened)) >= first


def test_rolls_and_cohorts_are_read_once_for_all_definitions(monkeypatch):
    reads, cohorts = [], []
    read, of_days = Leavings.read.__func__, cohort.cohort
    monkeypatch.setattr(Leavings, "read", classmethod(lambda cls, *a: reads.append(1) or read(cls, *a)))
    monkeypatch.setattr("training.labeller.cohort", lambda *a: cohorts.append(1) or of_days(*a))
    opened = histories(lost=2)
    result = readiness_of(opened)
    assert len(result.definitions) == len(Definition.shipped())
    assert not result.ready
    assert len(reads) == 1
    assert len(cohorts) == 2, "one pass over the default days, one over the months of the advice"


def test_what_there_is_is_shown_before_other_dates_are_tried(monkeypatch):
    cohorts, of_days, shown = [], cohort.cohort, []
    monkeypatch.setattr("training.labeller.cohort", lambda *a: cohorts.append(1) or of_days(*a))
    definitions = [Definition.load(name) for name in Definition.shipped()]
    found = readiness(
        histories(lost=2), Task(definition=definitions[0]), definitions, lambda r: shown.append((r, len(cohorts)))
    )
    ((early, passes),) = shown
    assert passes == 1, "the default days only"
    assert early.summary() == found.summary()
    assert all(
        len(late.reasons) > len(one.reasons)
        for one, late in zip(early.definitions, found.definitions, strict=True)
        if one.labelled
    )
