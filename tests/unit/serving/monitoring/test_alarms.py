"""Every alarm on a case that must raise it and on one that must not; without its input it is not judged, and says so."""

from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace

import pytest

from histories.calendar import london_today
from histories.errors import Faults
from serving.monitoring.alarms import ALARMS, RATIOS, check_all, load_limits
from serving.monitoring.evidence import Evidence, Previous
from serving.monitoring.judge import Judgement, Terms, judge
from serving.monitoring.season import Delay, Season, Shift, SilentSchool
from tests.support.monitored import DAY, histories, reader, stored_list, with_marks

WEEK = timedelta(days=7)
BY_CODE = {alarm.code: alarm for alarm in ALARMS}
DELAYS = (Delay(marks=500, days=1.0), Delay(marks=500, days=0.5))
SHIFTS = {"moves": Shift(missing=0.1, missing_before=0.05, values=900, difference=0.1, usual=0.1)}
SEASON = Season(
    day=DAY,
    children={"801": (1000, 1000)},
    recorded={"attendance": (900, 1000)},
    delays=DELAYS,
    silent_schools=[],
    shifts=SHIFTS,
)


def judged(risks, gone, base_rate=0.1, capacity=10, **how):
    """Evidence of one matured list."""
    x = stored_list(risks)
    manifest = SimpleNamespace(
        base_rate=base_rate, trained_on=["2023-09-04"], newest_labelled=None, metrics={}, candidate="ridge"
    )
    judgement = judge(histories(gone=gone, **how), [x], reader({x: risks}), Terms(capacity=capacity))
    judgement.manifests["1"] = manifest
    return Evidence(judgement=judgement, lists=[x])


def lists(*some):
    return Evidence(judgement=Judgement(), lists=some)


def season(**changes):
    return Evidence(judgement=Judgement(), season=replace(SEASON, **changes))


def two_lists(kept, apart=7, capacity=20):
    before, newest = (stored_list([0.1] * 100, day=day) for day in (DAY, DAY + timedelta(days=apart)))
    previous = Previous(of=before, places=capacity, kept=kept)
    return Evidence(judgement=Judgement(), lists=[before, newest], first_children={newest: previous})


def trained(day, known, labelled=None):
    x = stored_list([0.1])
    manifest = SimpleNamespace(trained_on=["2020-01-06", day], newest_labelled=labelled)
    judgement = Judgement(manifests={"1": manifest}, newest_known={(x.definition, x.horizon_days): known})
    return Evidence(judgement=judgement, lists=[x])


def records_until(newest, today):
    return Evidence(judgement=Judgement(), last_known=newest, today=today)


NEWEST, BEFORE = DAY + 364 * timedelta(days=1), DAY
SHIFT = SHIFTS["moves"]
# By code: what raises it, what it then says and where, and what must not raise it.
CASES = {
    "A001": (
        judged([0.2] * 100, range(40)),
        "20.0 children would go missing, and 40 did",
        "version 1",
        judged([0.2] * 100, range(22)),
    ),
    "A002": (
        judged([0.9] * 30 + [0.1] * 70, range(20, 60), capacity=30),
        "10 of the first 30 children went missing",
        "version 1",
        judged([0.9] * 30 + [0.1] * 70, range(30), capacity=30),
    ),
    "A003": (judged([0.3] * 100, range(30)), "3 times", "version 1", judged([0.3] * 100, range(30), base_rate=0.25)),
    "A004": (
        judged([0.1] * 400, {*range(0, 160, 2), *range(1, 40, 2)}, children=400),
        "observed over expected",
        "sex: girls",
        judged([0.2] * 400, range(80), children=400),
    ),
    "A005": (judged([0.1] * 110, ()), "9 are not in the histories and 1 no longer", str(DAY), judged([0.1] * 102, ())),
    "A006": (
        lists(stored_list([0.1]), stored_list([0.1], day=DAY + WEEK, missing_tables=("sen",))),
        f"without sen; the list of {DAY} had it",
        str(DAY + WEEK),
        lists(*(stored_list([0.1], day=DAY + n * WEEK, missing_tables=("sen",)) for n in (0, 1))),
    ),
    "A007": (
        lists(with_marks([0.1] * 50, BEFORE), with_marks([0.2] * 50, NEWEST)),
        "2 times the 10.00%",
        str(NEWEST),
        lists(with_marks([0.1] * 50, BEFORE), with_marks([0.1] * 50, NEWEST)),
    ),
    "A008": (two_lists(0.1), "10% (3% to 30%) of its first 20", str(DAY + WEEK), two_lists(0.25)),
    "A009": (season(children={"801": (1160, 1000)}), "1,160 children", "authority 801", season()),
    "A010": (season(recorded={"attendance": (0, 1000)}), "has stopped", "attendance", season()),
    "A011": (
        season(silent_schools=[SilentSchool(urn="77", children=10, last_mark=DAY)]),
        "10 children",
        "school 77",
        season(silent_schools=[SilentSchool(urn="77", children=9, last_mark=DAY)]),
    ),
    "A012": (
        season(delays=(Delay(marks=500, days=4.0), DELAYS[1])),
        "4.0 days",
        "attendance",
        season(delays=(Delay(marks=500, days=3.4), DELAYS[1])),
    ),
    "A013": (season(shifts={"moves": replace(SHIFT, missing=0.3)}), "moves 30%, a year before 5%", "moves", season()),
    "A014": (
        season(shifts={"moves": replace(SHIFT, difference=-0.4)}),
        "moves -0.40, the year before +0.10",
        "moves",
        season(shifts={"moves": replace(SHIFT, difference=0.5, usual=-0.3)}),
    ),
    "A015": (
        trained("2022-01-10", date(2023, 9, 4)),
        "2022-01-10",
        "version 1",
        trained("2023-01-09", date(2023, 9, 4)),
    ),
    "A016": (
        Evidence(judgement=Judgement(), audit="an entry was removed"),
        "an entry was removed",
        "audit",
        Evidence(judgement=Judgement(), audit=""),
    ),
    "A017": (
        records_until(date(2024, 10, 4), today=date(2025, 1, 15)),
        "the newest record is of 2024-10-04; 56 school days",
        "every table",
        records_until(date(2024, 12, 20), today=date(2025, 1, 13)),  # Christmas lies between
    ),
}


def results(code, evidence):
    return BY_CODE[code].results(evidence, load_limits().get(code, {}))


def test_every_alarm_has_a_case():
    assert list(CASES) == list(BY_CODE)


@pytest.mark.parametrize("code", CASES)
def test_it_is_up_and_says_what_where_and_what_to_do(code):
    evidence, what, where, _ = CASES[code]
    up = results(code, evidence)
    assert {r.state for r in up} == {"up"}
    assert any(what in r.what and where in r.where for r in up), [(r.what, r.where) for r in up]
    assert all(r.do and r.title and r.since <= london_today() for r in up)
    assert "p0" not in str(up)


@pytest.mark.parametrize("code", CASES)
def test_it_is_quiet(code):
    assert [r.state for r in results(code, CASES[code][3])] == ["quiet"]


@pytest.mark.parametrize("code", CASES)
def test_without_its_input_it_is_not_judged_and_says_why(code):
    (result,) = results(code, Evidence(judgement=Judgement()))
    assert result.state == "not_judged"
    assert result.what


@pytest.mark.parametrize(
    ("code", "evidence"),
    [
        ("A001", judged([0.01] * 100, range(10))),
        ("A003", judged([0.01] * 100, range(10), base_rate=0.04)),
        ("A005", lists(stored_list([0.1]))),
        ("A007", lists(stored_list([0.1], day=BEFORE), stored_list([0.9], day=NEWEST))),  # without daily marks
        ("A008", two_lists(0.0, apart=15)),
        ("A008", two_lists(0.0, capacity=7)),
        ("A009", season(children={"801": (10, 99)})),
        ("A010", season(recorded={"suspensions": (0, 19)})),
        ("A012", season(delays=(Delay(marks=199, days=99.0), DELAYS[1]))),
        ("A013", season(children={"801": (99, 99)}, shifts={"moves": replace(SHIFT, missing=1.0)})),
        ("A014", season(shifts={"moves": replace(SHIFT, difference=9.0, values=199)})),
        ("A017", records_until(date(1970, 1, 1), today=DAY)),  # no record at all
    ],
)
def test_too_few_are_not_judged(code, evidence):
    assert [r.state for r in results(code, evidence)] == ["not_judged"]


@pytest.mark.parametrize(
    ("missing", "state", "what"),
    [
        ([("sen",)], "up", f"the list of {DAY} was made with it"),
        ([("sen",), ("sen", "cme")], "up", f"the list of {DAY} was made with it"),  # A006 is up too
        ([("cme",)], "quiet", ""),  # it never came
        ([], "quiet", ""),
    ],
)
def test_a_table_that_is_not_delivered_any_more_is_named(missing, state, what):
    """Histories without the table have none of its rows of a year before either."""
    known = [stored_list([0.1], day=DAY + n * WEEK, missing_tables=m) for n, m in enumerate(missing)]
    evidence = replace(season(absent=("cme",)), lists=known)
    (result,) = results("A010", evidence)
    assert (result.state, result.where) == (state, "cme" if state == "up" else "")
    assert what in result.what


@pytest.mark.parametrize("code", ["A006", "A010"])
@pytest.mark.parametrize(
    ("days", "changes", "state"),
    [
        (400, {}, "up"),
        (401, {}, "quiet"),  # given up for good
        (7, {"purpose": "shadow", "version": "2"}, "quiet"),  # no team was shown it
    ],
)
def test_a_table_that_was_given_up_is_missed_in_lists_that_were_shown_and_for_a_while(code, days, changes, state):
    had = stored_list([0.1], day=DAY - timedelta(days=days), missing_tables=(), **changes)
    without = [stored_list([0.1], day=day, missing_tables=("cme",)) for day in (DAY - 2 * WEEK, DAY)]
    evidence = replace(season(absent=("cme",), day=DAY), lists=[had, *without])
    assert [r.state for r in results(code, evidence)] == [state]


def test_a_feed_that_stopped_in_one_of_several_authorities_is_not_hidden_by_the_others():
    rows = {"801": {"cme": (900, 900)}, "802": {"cme": (0, 100)}}
    (up,) = results("A010", season(recorded={"cme": (900, 1000)}, recorded_in=rows))
    assert (up.state, up.where) == ("up", "cme, authority 802")


NOTHING = Evidence(
    judgement=Judgement(),
    lists=[stored_list([0.0]), stored_list([0.0], day=DAY + 52 * WEEK)],
    season=Season(
        day=DAY,
        children={"801": (0, 0)},
        recorded={"attendance": (0, 0), "cme": (3, 0)},
        open_days=(0, 0),
        delays=(Delay(marks=0, days=0.0),) * 2,
        shifts={"moves": Shift(missing=0.0, missing_before=0.0, values=0, difference=None, usual=None)},
    ),
    last_known=DAY,
    today=DAY,
)


@pytest.mark.parametrize("code", BY_CODE)
@pytest.mark.parametrize("quantities", ["nothing", "its case"])
def test_the_least_limit_that_a_file_may_set_divides_by_nothing(code, quantities, tmp_path):
    """0, and 1 for ratios, which a file may not set lower."""
    shipped = load_limits().get(code, {})
    limits = {n: (n in RATIOS) * 1 if isinstance(v, int | float) else v for n, v in shipped.items()}
    own = tmp_path / "limits.toml"
    for name in shipped.keys() & RATIOS:
        own.write_text(f"[{code}]\n{name} = 0.0\n")
        with pytest.raises(Faults, match="below 1"):
            load_limits(own)
    evidence = NOTHING if quantities == "nothing" else CASES[code][0]
    assert BY_CODE[code].results(evidence, limits)


def test_a_version_that_is_superseded_raises_nothing():
    old, new = stored_list([0.2] * 100), stored_list([0.4] * 100, day=DAY + WEEK, version="2")
    read = reader({old: [0.2] * 100, new: [0.4] * 100})
    evidence = Evidence(judgement=judge(histories(gone=range(40)), [old, new], read, Terms(capacity=10)))
    assert [c.version for c in evidence.current()] == ["2"]
    assert [r.state for r in results("A001", evidence)] == ["quiet"]


def test_a_version_that_made_another_authoritys_newest_list_is_current():
    here, there = stored_list([0.2] * 100), stored_list([0.2] * 100, day=DAY + WEEK, version="2", authority="802")
    read = reader({here: [0.2] * 100, there: [0.2] * 100})
    evidence = Evidence(judgement=judge(histories(), [here, there], read, Terms(capacity=10)))
    assert [(c.authority, c.version) for c in evidence.current()] == [("801", "1"), ("802", "2")]


def test_days_known_only_in_part_do_not_make_a_model_younger():
    """At 364 days, ``trained_on`` goes on for up to 336 days after the newest labelled day."""
    (up,) = results("A015", trained("2022-12-05", date(2023, 9, 4), labelled="2022-01-10"))
    assert (up.state, "2022-01-10" in up.what) == ("up", True)


def test_every_limit_belongs_to_an_alarm_and_a_file_overrides_only_what_it_names(tmp_path):
    assert set(load_limits()) <= set(BY_CODE)
    own = tmp_path / "limits.toml"
    own.write_text("[A001]\nratio = 3.0\n")
    assert load_limits(own)["A001"] == {**load_limits()["A001"], "ratio": 3.0}
    assert load_limits(own)["A010"] == load_limits()["A010"]
    own.write_text("[A001]\nratio = 'much'\n[A999]\noff = true\n")
    with pytest.raises(Faults) as wrong:
        load_limits(own)
    assert len(wrong.value.faults) == 2


def test_all_are_checked_in_the_order_of_their_codes():
    codes = [r.code for r in check_all(Evidence(judgement=Judgement()), load_limits())]
    assert codes == sorted(BY_CODE)


@pytest.mark.parametrize(
    ("now", "before", "state"), [(0, 20, "up"), (9, 30, "quiet"), (300, 1000, "up"), (480, 1000, "quiet")]
)
def test_a_feed_thins_beyond_chance(now, before, state):
    assert [r.state for r in results("A010", season(recorded={"suspensions": (now, before)}))] == [state]


@pytest.mark.parametrize(
    ("table", "open_days", "state"),
    [
        ("attendance", (20, 20), "up"),
        ("attendance", (19, 20), "up"),
        ("attendance", (10, 20), "quiet"),
        ("social_care", (10, 20), "up"),
    ],
)
def test_marks_of_weeks_with_fewer_school_days_have_not_thinned(table, open_days, state):
    """Easter moves; what is recorded all year round does not follow it."""
    up = results("A010", season(recorded={table: (380, 1000)}, open_days=open_days))
    assert [r.state for r in up] == [state]
    assert ("school was open on 19 days, a year before on 20" in up[0].what) is (open_days[0] == 19)


@pytest.mark.parametrize("code", ["A013", "A014"])
def test_a_feature_of_weeks_whose_holidays_moved_raises_nothing(code):
    moved = replace(SHIFT, missing=1.0, difference=9.0)
    shifts = {"moves": SHIFT, "days_since_present": moved}
    assert [r.state for r in results(code, season(shifts=shifts))] == ["up"]
    shifts["days_since_present"] = replace(moved, alike=False)
    assert [r.state for r in results(code, season(shifts=shifts))] == ["quiet"]


def test_a_group_is_judged_by_the_newest_days():
    """Girls go missing four times as often as the risks say, on the newest of three lists only; older ones do not hide it."""
    days = [DAY - n * 4 * WEEK for n in (8, 4, 0)]
    old, older, new = (stored_list([0.1] * 400, day=day) for day in days)
    gone = {*range(0, 160, 2), *range(1, 40, 2)}
    read = reader(dict.fromkeys((old, older, new), [0.1] * 400))
    judgement = judge(histories(gone=gone, children=400), [old, older, new], read, Terms(capacity=10))
    evidence = Evidence(judgement=judgement)
    alarm = BY_CODE["A004"]
    limits = load_limits()["A004"]
    assert [r.state for r in alarm.results(evidence, {**limits, "days": 3})] == ["quiet"]
    assert {r.state for r in alarm.results(evidence, {**limits, "days": 1})} == {"up"}
