"""Which children have already stopped coming as of a day by the declared rule: examples on every engine."""

from datetime import date, timedelta
from itertools import pairwise

import pytest

from features.matrix import tallied
from features.outcome.stopping import StoppingRule, list_of, list_on, stopping_rules
from histories.errors import Faults
from tests.support.engines import open_on

D = date(2024, 3, 11)
SCHOOL_DAYS = [day for n in range(1, 43) if (day := D - timedelta(days=n)).weekday() < 5]  # newest first: 30 days
TOGETHER = "801001"  # where other children have marks up to the day


def twice_a_week(codes):
    """Return the codes of a child whose only sessions are on Mondays and Thursdays, newest first; blanks between them."""
    weeks = [codes[n : n + 4] for n in range(0, len(codes), 4)]
    return "".join("  " + week[:2] + "    " + week[2:] for week in weeks)


# Nine of the sixteen sessions of the last 30 days are missed, but three of the last eight, and nine of the last twenty.
HALF_OF_30_DAYS = twice_a_week("OOO/" + "////" + "OOOO" + "OO//" + "/" * 8)
# Each child: the last codes of its sessions, newest first (blank: no mark), and the day of joining.
CHILDREN = {
    "present": ("/" * 60, None, "help_early"),
    "half of the last twenty without permission": ("O" * 10 + "/" * 50, None, "act_today"),
    "nine of the last twenty without permission": ("O" * 9 + "/" * 51, None, "help_early"),
    "half unexplained, here and there": ("N/" * 10 + "/" * 40, None, "act_today"),
    "ten without permission, the eleventh newest ones": ("/" * 20 + "O" * 40, None, "help_early"),
    "nineteen in a row, ill": ("I" * 19 + "/" * 41, None, "help_early"),
    "twenty in a row, ill": ("I" * 20 + "/" * 40, None, "act_today"),
    "seven sessions only, all without permission": ("O" * 7, None, "help_early"),
    "eight sessions only, half without permission": ("OOOO////", None, "act_today"),
    "no mark for two weeks": (" " * 20 + "/" * 40, None, "act_today"),
    "no mark for nine school days": (" " * 18 + "/" * 42, None, "help_early"),
    "joined six days ago and not come": (" " * 60, D - timedelta(days=6), "help_early"),
    "joined seven days ago and not come": (" " * 60, D - timedelta(days=7), "act_today"),
    "joined seven days ago and marked absent": ("M" * 6, D - timedelta(days=7), "act_today"),
    "joined seven days ago and came once": (" " * 8 + "/", D - timedelta(days=7), "help_early"),
    "joined yesterday": ("", D - timedelta(days=1), "help_early"),
    "taught elsewhere (D) for two weeks": ("D" * 20 + "/" * 40, None, "help_early"),
    "not of compulsory age (X) on one day in two weeks": (" " * 18 + "XX" + "/" * 40, None, "help_early"),
    "no transport (Y1) for two weeks": (["Y1"] * 20 + ["/"] * 40, None, "help_early"),
    "no access (Q) for two weeks": ("Q" * 20 + "/" * 40, None, "help_early"),
    "taught elsewhere until two weeks ago": (" " * 20 + "D" * 40, None, "act_today"),
    "only the planned closure (#) is marked": ("##" + " " * 18 + "/" * 40, None, "act_today"),
    "joined seven days ago and taught elsewhere": ("D" * 10, D - timedelta(days=7), "help_early"),
    "half of 30 days, joined years ago": (HALF_OF_30_DAYS, None, "help_early"),
    "half of 30 days, joined 31 days ago": (HALF_OF_30_DAYS, D - timedelta(days=31), "help_early"),
    "half of 30 days, joined 30 days ago": (HALF_OF_30_DAYS, D - timedelta(days=30), "act_today"),
}
# Enough of them that the mean of the school is what it held.
CHILDREN |= {f"other {n}": ("/" * 60, None, "help_early") for n in range(50)}


def marks(pupil, codes, recorded=None):
    for n, code in enumerate(codes):
        day = SCHOOL_DAYS[n // 2]
        if code != " ":
            mark = {"pupil_id": pupil, "date": str(day), "session": "PM" if n % 2 == 0 else "AM", "code": code}
            yield mark | ({"recorded_on": str(recorded)} if recorded else {"recorded_on": str(day)})


def rows(children, urn=TOGETHER, **more):
    return {
        "pupils": [{"pupil_id": p, "date_of_birth": "2014-05-01", "authority": "801"} for p in children],
        "enrolments": [
            {"pupil_id": p, "urn": urn, "entry_date": str(joined or "2022-09-05")}
            for p, (_, joined, _) in children.items()
        ],
        "attendance": [m for p, (codes, _, _) in children.items() for m in marks(p, codes)],
    } | more


def lists(histories):
    frame = tallied(histories, [D])
    return dict(zip(frame["pupil_id"], frame.select(list_of())["list"], strict=True))


def test_each_child_is_on_the_list_that_the_rule_gives(feature_engine, tmp_path):
    assert lists(open_on(feature_engine, rows(CHILDREN), tmp_path)) == {p: c[2] for p, c in CHILDREN.items()}


def test_missing_marks_count_only_if_the_school_sent_marks_for_others(feature_engine, tmp_path):
    alone = {"alone": (" " * 20 + "/" * 40, None, None), "beside": (" " * 20 + "/" * 40, None, None)}
    assert set(lists(open_on(feature_engine, rows(alone), tmp_path)).values()) == {"help_early"}


def test_records_of_the_day_or_later_do_not_count(feature_engine, tmp_path):
    child = {"child": ("/" * 60, None, None)}
    table = rows(child)
    late = [*marks("child", "O" * 20, recorded=D)]
    assert lists(open_on(feature_engine, table | {"attendance": [*table["attendance"], *late]}, tmp_path)) == {
        "child": "help_early"
    }
    early = [*marks("child", "O" * 20, recorded=D - timedelta(days=1))]
    (tmp_path / "early").mkdir()
    histories = open_on(feature_engine, table | {"attendance": [*table["attendance"], *early]}, tmp_path / "early")
    assert lists(histories) == {"child": "act_today"}


def test_without_marks_nobody_has_stopped(feature_engine, tmp_path):
    table = rows({p: CHILDREN[p] for p in ("present", "twenty in a row, ill", "joined seven days ago and not come")})
    del table["attendance"]
    assert set(lists(open_on(feature_engine, table, tmp_path)).values()) == {"help_early"}


def test_an_invalid_rule_is_refused_with_all_faults(tmp_path):
    file = tmp_path / "rule.toml"
    file.write_text(
        'title = "x"\ntext = "x"\nsource = "x"\nsince = 2026-01-01\nunexplained_share = 2.0\nsilent_days = 3\n'
    )
    with pytest.raises(Faults) as refused:
        StoppingRule.load(file)
    where = " ".join(str(fault) for fault in refused.value.faults)
    for key in ("unexplained_share", "silent_days", "enough_sessions", "absent_in_a_row", "not_come_days"):
        assert key in where


def test_on_one_day_only_the_rule_in_force_decides():
    rules = stopping_rules()
    newest = rules[-1]
    days = {rule.since: rule for rule in rules} | {
        later.since - timedelta(days=1): rule for rule, later in pairwise(rules)
    }
    # Days before the first rule are seen by the newest, in hindsight.
    days |= {rules[0].since - timedelta(days=1): newest, newest.since + timedelta(days=9): newest}
    for day, rule in days.items():
        assert list_on(day).meta.eq(list_of([rule])), day
