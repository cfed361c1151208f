"""A stored moment becomes a day in England: half past midnight in summer is not the day before."""

from datetime import UTC, date, datetime, timedelta

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

import histories.calendar
from histories.settings import settings
from serving.cli.account import AccountWords
from serving.cli.main import onroll
from serving.cli.timeline import _text
from serving.monitoring.alarms.alarm import Acknowledgement, AlarmResult
from serving.store import Caller, Store
from serving.store.caller import command_line
from serving.store.cases import actions, cases, enquiries, not_in_school, team_work
from serving.store.cases.casework_tables import StoredDeadline
from serving.store.cases.done import done_since
from serving.store.database import reading
from serving.store.records import holds
from serving.store.records.timeline import timeline
from serving.store.sign_in import api_keys, review, sessions
from serving.store.trials.trials import Registered
from tests.support.scores import score

LEAD = Caller("token:lea", "lead", "801")
MOMENTS = {  # in UTC, and their day in England
    datetime(2025, 6, 30, 22, 59, tzinfo=UTC): date(2025, 6, 30),
    datetime(2025, 6, 30, 23, 30, tzinfo=UTC): date(2025, 7, 1),
    datetime(2025, 12, 31, 23, 30, tzinfo=UTC): date(2025, 12, 31),
}


@pytest.fixture(params=MOMENTS, ids=str)
def written(store, request):
    """A store in which an entry of each kind was written, a duty begun and stopped and the case closed at one moment; and its day."""
    on, day = date(2025, 6, 2), MOMENTS[request.param]
    store.save([score("p1", 1, day=str(day))])
    with reading(store.engine) as connection:
        ref = connection.scalar(sa.text("SELECT pupil_ref FROM pupils"))
    record = {"kind": "home_education", "on": on, "due_on": on}
    asked = {"source": "police", "asked_by": "school", "result": "nothing"}
    with store.change(LEAD) as change:
        change.now = request.param
        case_id = cases.open_case(change, ref)
        not_in_school.record(change, case_id, 1, code="parent", **record)
        not_in_school.record(change, case_id, 2, code="ended", **{**record, "on": on + timedelta(days=1)})
        enquiries.enquire(change, case_id, 3, on=on, **asked)
        cases.act(change, case_id, 4, day, "home visit")
        cases.close(change, case_id, 5, "done")
    return store, day


def test_exports_write_the_day_in_england(written, tmp_path):
    store, day = written
    with store.view(LEAD) as view:
        asked, recorded = enquiries.rows(view), not_in_school.rows(view)
        actions.export(view, tmp_path / "actions.parquet", no_conversation=())
        as_of = view.connection.scalar(sa.select(StoredDeadline.as_of))
    acted = pq.read_table(tmp_path / "actions.parquet").to_pylist()
    assert [row["recorded_on"] for row in [*asked, *recorded, *acted]] == [day] * 4
    assert [row["case_closed"] for row in [*asked, *recorded]] == [day] * 3
    assert [row["duty_done_on"] for row in recorded] == [day, None]
    assert as_of == day


def test_what_was_done_is_counted_from_midnight_in_england(written):
    store, day = written
    with store.view(LEAD) as view:
        view.record("looked")
        assert done_since(view, day, []) == {"p1"}
        assert done_since(view, day + timedelta(days=1), []) == set()
        assert [week["acted"] for week in team_work.weeks(view, 1)] == [1]


def test_an_account_and_a_list_of_holds_name_the_day_in_england(written):
    store, day = written
    with store.view(LEAD) as view:
        done = [event for event in timeline(view, "p1") if event["what"] == "done"]
    lines = _text({"events": done}, AccountWords.of(settings(), {})).splitlines()
    assert len(lines) == 5
    assert {line[:10] for line in lines} == {str(day)}
    stored = Store.of(settings())
    with stored.change(command_line()) as change:
        change.now = done[0]["at"]
        holds.place(change, ["p1"], "kept")
    assert f"since {day} by" in CliRunner().invoke(onroll, ["hold", "list"]).output


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_a_trial_that_recorded_no_day_started_on_the_day_in_england(moment):
    names = ("name", "digest", "salt", "at", "by", "definition", "members")
    numbers = {"horizon_days": 120, "units": 1, "analysed": 0}
    known = Registered(**dict.fromkeys(names, ""), **numbers, started={"at": moment.isoformat()})
    assert known.day == MOMENTS[moment]


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_an_alarm_was_acknowledged_on_the_day_in_england(moment):
    seen = Acknowledgement(by="ann", at=moment.isoformat(timespec="milliseconds"), reason="known")
    of = AlarmResult(code="A001", title="t", state="up", since=date(2025, 1, 1), acknowledged=seen)
    assert f"at {MOMENTS[moment]} " in str(of)


def test_a_key_works_until_its_last_day_ends_in_england(store, monkeypatch):
    key_id, key = store.create_key("lead", "801", expires=date(2025, 6, 30))
    with store.change(Caller(key_id, "lead", "801")) as change:
        secret = sessions.open_session(change, "lea")
    for moment, day in MOMENTS.items():
        clock = type("Clock", (datetime,), {"now": classmethod(lambda _, zone, moment=moment: moment)})
        monkeypatch.setattr(histories.calendar, "datetime", clock)
        monkeypatch.setattr(sessions, "datetime", clock)
        works = day == date(2025, 6, 30)
        with store.change(LEAD) as change:
            times = {"opened_at": moment - timedelta(hours=1), "ends_at": moment + timedelta(hours=1)}
            change.connection.execute(sa.update(sessions.Session).values(times))
            change.record("session.timed")
        with reading(store.engine) as connection:
            assert (api_keys.caller(connection, key) is not None) == works, moment
        assert (sessions.signed_in(store.engine, secret, timedelta(days=9999)) is not None) == works, moment
        with store.view(LEAD) as view:
            view.now = moment
            assert [row["status"] for row in review.review(view) if row["who"] == key_id] == [
                "active" if works else "expired"
            ]
