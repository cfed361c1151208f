"""The groups of descriptions and audits by example, on every engine."""

from datetime import date

import pytest

from features.catalogue import catalogue
from features.groups.grouping import grouped
from features.groups.groups import GROUPS
from tests.support.engines import open_on
from tests.support.tables import rows

D = date(2025, 1, 13)
ENROLMENTS = [{"pupil_id": "A", "urn": "1", "entry_date": "2019-09-04"}]


@pytest.fixture
def groups(engine, tmp_path):
    """Return the groups of pupil A as of 13 January 2025, on one engine."""

    def build(pupil=None, **tables):
        child = {"pupil_id": "A", "date_of_birth": "2014-05-01", "authority": "801", **(pupil or {})}
        given = {"pupils": [child], "enrolments": ENROLMENTS, **tables}
        return grouped(open_on(engine, given, tmp_path), [D]).to_pylist()[0]

    return build


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("WROM", "gypsy_roma"),
        ("WIRT", "irish_traveller"),
        ("WBRI", "white_british"),
        ("CHNE", "asian"),
        ("NOBT", "not_recorded"),
        (None, "not_recorded"),
    ],
)
def test_gypsy_roma_and_irish_traveller_children_are_separate_groups(groups, code, value):
    assert groups({"ethnicity": code, "sex": "F"})["ethnicity"] == value


@pytest.mark.parametrize(
    ("value", "languages"),
    [
        ("no", ["en", "eng", "ENG", "en-GB", "English", "ENB"]),
        ("yes", ["pl", "POL", "pt-BR", "OTB", "OTH"]),
        ("not_recorded", [None, "REF", "NOT", "ZZZ", "und"]),
    ],
)
def test_another_first_language_than_english(groups, value, languages):
    for language in languages:
        assert groups({"first_language": language, "sex": "M"})["eal"] == value


def test_a_child_aged_ten_at_the_start_of_the_year_is_in_year_six(groups):
    child = groups({"date_of_birth": "2014-08-31"}, schools=[{"urn": "1", "phase": "primary", "authority": "802"}])
    assert (child["age"], child["year_group"], child["phase"], child["authority"]) == ("10", "6", "primary", "802")


def test_need_is_as_known_before_the_day(groups):
    spells = rows(
        "sen",
        """
        pupil_id | start_date | end_date   | provision | primary_need | recorded_on
        A        | 2023-01-09 |            | K         | SEMH         | 2023-01-09
        A        | 2022-01-09 | 2022-07-09 | E         | MLD          | 2022-01-09
        A        | 2025-01-06 |            | E         | ASD          | 2025-01-13
    """,
    )
    child = groups(sen=spells)
    assert (child["sen"], child["primary_need"]) == ("support", "semh")


def test_the_highest_open_level_of_help_counts(groups):
    episodes = rows(
        "social_care",
        """
        pupil_id | kind       | start_date | end_date   | recorded_on
        A        | early_help | 2024-01-09 |            | 2024-01-09
        A        | cin        | 2024-03-01 |            | 2024-03-01
        A        | cpp        | 2023-03-01 | 2024-02-01 | 2023-03-01
        A        | missing    | 2025-01-03 |            | 2025-01-03
    """,
    )
    assert groups(social_care=episodes)["social_care"] == "cin"


def test_free_school_meals_that_ended_or_are_recorded_later_do_not_count(groups):
    later = [{"pupil_id": "A", "start_date": "2024-09-01", "recorded_on": "2025-01-13"}]
    assert groups(fsm=later)["fsm"] == "no"
    now = [{"pupil_id": "A", "start_date": "2024-09-01", "recorded_on": "2025-01-12"}]
    assert groups(fsm=now)["fsm"] == "yes"


def test_the_deprivation_fifth_is_that_of_the_current_home(groups):
    homes = rows(
        "addresses",
        """
        pupil_id | start_date | end_date   | lsoa
        A        | 2020-01-01 | 2024-06-01 | E1
        A        | 2024-06-02 |            | E2
    """,
    )
    areas = [{"lsoa": "E1", "idaci_decile": 1}, {"lsoa": "E2", "idaci_decile": 4}]
    assert groups(addresses=homes, areas=areas)["idaci_fifth"] == "2"


@pytest.mark.parametrize(
    ("entry", "value"), [("2024-09-04", "no"), ("2024-11-04", "yes"), ("2023-11-04", "no"), ("2025-01-12", "yes")]
)
def test_a_child_who_joined_in_the_middle_of_the_last_year(groups, entry, value):
    spell = {"pupil_id": "A", "urn": "2", "entry_date": entry}
    assert groups(enrolments=[*ENROLMENTS, spell])["in_year_mover"] == value


@pytest.mark.parametrize(("missed", "value"), [(1, "yes"), (0, "no")])
def test_missing_one_session_in_ten_is_persistent_absence(groups, missed, value):
    codes = ["I"] * missed + ["/"] * (10 - missed)
    days = [date(2025, 1, 6 + n // 2).isoformat() for n in range(10)]
    marks = [
        {"pupil_id": "A", "date": d, "session": "AM" if n % 2 == 0 else "PM", "code": c}
        for n, (d, c) in enumerate(zip(days, codes, strict=True))
    ]
    assert groups(attendance=marks)["persistent_absence"] == value


def test_a_group_without_its_table_is_left_out_and_never_no(groups):
    assert set(groups()) == {
        "pupil_id",
        "as_of",
        *(g.name for g in GROUPS if g.table in ("pupils", "cohort", "enrolments")),
    }


def test_no_feature_uses_columns_that_are_for_auditing_only():
    assert not [f.name for f in catalogue().features if "fsm" in f.sources]
    assert not {f.name for f in catalogue().features} & {"sex", "ethnicity", "fsm", "eal", "first_language"}
