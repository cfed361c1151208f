"""Which list children are on after a break: what is happening now is not diluted by what was before, nor the other way round."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from features.matrix import tallied
from features.outcome.stopping import HELP_EARLY, StoppingRule, list_of, load_rules, stopping_rules
from histories.calendar import school_days
from histories.errors import Faults
from histories.reading.histories import Histories
from tests.support.engines import open_on
from training.risk_model import RiskModel

# The first school day after each break.
BREAKS = {
    "summer": date(2024, 9, 3),
    "half-term": date(2024, 11, 5),
    "Christmas": date(2025, 1, 6),
    "half-term of spring": date(2025, 2, 25),
    "Easter": date(2025, 4, 22),
}
DAYS = school_days(date(2024, 5, 1), date(2025, 7, 20))
FORMER, PRESENT = stopping_rules()


def days_around(back, since, before=15):
    """Return the school days before the first one back and the given number since."""
    at = DAYS.index(back)
    return DAYS[at - before : at], DAYS[at : at + since]


def marks(pupil, days, codes):
    """Return marks of two sessions a day for codes by session, oldest first; a blank is no mark."""
    sessions = [(day, session) for day in days for session in ("AM", "PM")]
    return [
        {"pupil_id": pupil, "date": str(day), "session": session, "code": code, "recorded_on": str(day)}
        for (day, session), code in zip(sessions, codes, strict=True)
        if code != " "
    ]


def world(back, since, children, others=3):
    """Return rows of children by ``{name: (codes before, codes since, joined)}``, and of others who are always present."""
    before, after = days_around(back, since)
    children = children | {f"other {n}": ("/" * 30, "/" * 2 * since, None) for n in range(others)}
    return {
        "pupils": [{"pupil_id": p, "date_of_birth": "2014-05-01", "authority": "801"} for p in children],
        "enrolments": [
            {"pupil_id": p, "urn": "801001", "entry_date": str(joined or "2022-09-05")}
            for p, (_, _, joined) in children.items()
        ],
        "attendance": [m for p, (b, a, _) in children.items() for m in marks(p, [*before, *after], b + a)],
    }


def lists(histories, day, rules=None):
    frame = tallied(histories, [day])
    return dict(zip(frame["pupil_id"], frame.select(list_of(rules))["list"], strict=True))


def day_after(back, since):
    return days_around(back, since)[1][-1] + timedelta(days=1)


def cases(back):
    """Return children four school days after a break, and whether each has stopped coming."""
    last = days_around(back, 4)[0][-1]
    return {
        "stopped at the break": ("/" * 30, "O" * 8, None, True),
        "half missed since": ("/" * 30, "OON//NO/", None, True),
        "less than half missed since": ("/" * 30, "OO/////O", None, False),
        "ill since": ("/" * 30, "I" * 8, None, False),
        "stopped before, not come since": ("/" * 18 + "O" * 12, "O" * 8, None, True),
        "never missed": ("/" * 30, "/" * 8, None, False),
        "away for the last week before, come since": ("/" * 20 + "G" * 10, "/" * 8, None, back != BREAKS["summer"]),
        "silent since": ("/" * 30, " " * 8, None, False),
        "silent for two weeks before, and since": ("/" * 10 + " " * 20, " " * 8, None, back != BREAKS["summer"]),
        "joined on the last day before, not come": (" " * 28 + "II", "I" * 8, last, True),
    }


@pytest.mark.parametrize("name", BREAKS)
def test_each_child_after_a_break_is_on_its_list(name, feature_engine, tmp_path):
    table = cases(BREAKS[name])
    rows = world(BREAKS[name], 4, {p: case[:3] for p, case in table.items()}, others=20)
    stopped = {
        p
        for p, on in lists(open_on(feature_engine, rows, tmp_path), day_after(BREAKS[name], 4)).items()
        if on != HELP_EARLY
    }
    assert stopped == {p for p, case in table.items() if case[3]}


@pytest.mark.parametrize("name", BREAKS)
def test_a_day_after_a_break_is_neither_silence_nor_not_coming(name):
    last = days_around(BREAKS[name], 1)[0][-1]
    children = {"silent": ("/" * 30, "  ", None), "joined": (" " * 30, "II", last), "unmarked": (" " * 30, "  ", last)}
    opened = Histories.from_rows(world(BREAKS[name], 1, children))
    assert set(lists(opened, day_after(BREAKS[name], 1)).values()) == {HELP_EARLY}


@pytest.mark.parametrize("name", BREAKS)
def test_silence_and_not_coming_count_once_the_school_was_open(name):
    back = BREAKS[name]
    last = days_around(back, 1)[0][-1]
    children = {"silent": ("/" * 30, " " * 20, None), "joined": (" " * 30, " " * 20, last)}
    on = lists(Histories.from_rows(world(back, 10, children)), day_after(back, 10) + timedelta(days=2))
    assert {p for p, given in on.items() if given != HELP_EARLY} == set(children)


def test_sessions_since_a_change_of_school_are_counted_by_themselves(feature_engine, tmp_path):
    back, (before, _) = date(2024, 12, 2), days_around(date(2024, 12, 2), 4)
    children = {
        "stopped": ("/" * 30, "O" * 7 + "/", back),
        "comes": ("/" * 30, "OO/////O", back),
        "same school": ("/" * 30, "O" * 7 + "/", None),
    }
    rows = world(back, 4, children)
    rows["enrolments"] += [
        {"pupil_id": p, "urn": "801002", "entry_date": "2022-09-05", "leaving_date": str(before[-1])}
        for p in ("stopped", "comes")
    ]
    on = lists(open_on(feature_engine, rows, tmp_path), day_after(back, 4))
    assert {p for p, given in on.items() if given != HELP_EARLY} == {"stopped"}


def test_sessions_before_the_joining_are_none_in_which_a_child_has_not_come(feature_engine, tmp_path):
    """The school is closed from 3 to 6 April: six sessions since the joining on 8 April, twelve on 11 April."""
    joined = date(2026, 4, 1)
    days = [d for n in range(41) if (d := date(2026, 3, 2) + timedelta(days=n)).weekday() < 5]
    days = [d for d in days if not date(2026, 4, 3) <= d <= date(2026, 4, 6)]
    pupils = {"not come": (joined, " "), **{f"other {n}": (date(2022, 9, 5), "/") for n in range(3)}}
    rows = {
        "pupils": [{"pupil_id": p, "date_of_birth": "2016-05-01", "authority": "801"} for p in pupils],
        "enrolments": [{"pupil_id": p, "urn": "801001", "entry_date": str(on)} for p, (on, _) in pupils.items()],
        "attendance": [m for p, (_, code) in pupils.items() for m in marks(p, days, code * 2 * len(days))],
    }
    opened = open_on(feature_engine, rows, tmp_path)
    on = {day: lists(opened, date(2026, 4, day), [PRESENT])["not come"] for day in (8, 11)}
    assert on == {8: "help_early", 11: "act_today"}


def contradictions(frame, rules):
    """Count children of ``help_early`` of whom a sentence about the present says that half was missed without permission."""
    current = {"14d": pl.col("possible_14") >= 8}
    for window, tally in (("28d", "possible_28"), ("year", "possible_year")):
        current[window] = pl.col(tally).is_between(8, pl.col("since_break_sessions"))
    measures = {("unauthorised", w) for w in current} | {("no_reason", "28d")}
    said = [
        (pl.col(f"{m}_rate_{w}" if w != "year" else f"{m}_rate_year") >= 0.5) & current[w] for m, w in sorted(measures)
    ]
    on = frame.with_columns(list_of(rules))
    return on.filter((pl.col("list") == HELP_EARLY) & pl.any_horizontal(said).fill_null(False)).height


@pytest.mark.parametrize("name", BREAKS)
def test_nobody_on_help_early_missed_half_of_the_present_without_permission(name):
    rng, back = np.random.default_rng(BREAKS[name].toordinal()), BREAKS[name]
    codes = np.array(list("/ONGI "))
    children = {}
    for n in range(150):
        shares = [rng.dirichlet(np.full(len(codes), 0.4)) for _ in range(2)]
        before, since = ("".join(rng.choice(codes, size, p=p)) for size, p in zip((30, 32), shares, strict=True))
        joined = days_around(back, 10)[1][int(rng.integers(10))] if n % 5 == 0 else None
        children[f"p{n:03}"] = (before, since, joined)
    opened = Histories.from_rows(world(back, 16, children))
    frame = tallied(opened, [back + timedelta(days=n) for n in range(1, 23)])
    assert contradictions(frame, [PRESENT]) == 0
    assert contradictions(frame, [FORMER]) > 0  # otherwise nothing was tested


def test_a_posted_child_who_stopped_at_the_summer_is_on_the_list_of_today(bundle):
    rows = world(BREAKS["summer"], 4, {"child": ("/" * 30, "O" * 8, None)}, others=0)
    (score,) = RiskModel.load(bundle).score(Histories.from_rows(rows), day_after(BREAKS["summer"], 4))
    assert score.list == "act_today"


def test_the_rule_that_held_on_the_day_decides(tmp_path):
    def frame(day):
        back = date(2026, 11, 24)
        at = [back - timedelta(days=n) for n in range(30, 9, -1) if (back - timedelta(days=n)).weekday() < 5]
        recent = [back, back + timedelta(days=1), back + timedelta(days=2), back + timedelta(days=3)]
        rows = {
            "pupils": [{"pupil_id": "p", "date_of_birth": "2016-05-01", "authority": "801"}],
            "enrolments": [{"pupil_id": "p", "urn": "801001", "entry_date": "2022-09-05"}],
            "attendance": marks("p", [*at, *recent], "/" * 2 * len(at) + "O" * 8),
        }
        return lists(Histories.from_rows(rows), day)["p"]

    assert FORMER.since == date(2026, 11, 28)
    assert PRESENT.since == date(2026, 11, 29)
    assert [frame(date(2026, 11, d)) for d in (28, 29)] == ["help_early", "act_today"]
    assert (
        lists(
            Histories.from_rows(world(BREAKS["summer"], 4, {"p": ("/" * 30, "O" * 8, None)})),
            day_after(BREAKS["summer"], 4),
        )["p"]
        == "act_today"
    )


def test_two_rules_from_one_day_are_refused(tmp_path):
    for name in ("one", "other"):
        text = (
            'title = "x"\ntext = "x"\nsource = "x"\nsince = 2026-01-01\nunexplained_share = 0.5\nenough_sessions = 8\n'
        )
        (tmp_path / f"{name}.toml").write_text(text + "absent_in_a_row = 20\nsilent_days = 14\nnot_come_days = 7\n")
    with pytest.raises(Faults, match="same day"):
        load_rules(tmp_path)
    (tmp_path / "other.toml").unlink()
    assert [type(rule) for rule in load_rules(tmp_path)] == [StoppingRule]
