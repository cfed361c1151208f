"""Lists without a published layout: headings that differ only in the marks between their words are the same."""

import re

import pytest

from histories.returns import FORMATS
from histories.returns.recognition import Recogniser
from tests.support.small_returns import UPNS, import_roll, import_text, rows

LISTS = {
    "cme-cases": ("cme", ["UPN", "Missing from", "Date reported", "Date closed"], "10/09/2024,01/10/2024,05/11/2024"),
    "home-education": (
        "enrolments",
        ["UPN", "School URN", "EHE start date", "Date notified"],
        "100,10/09/2024,11/09/2024",
    ),
    "deletions": (
        "enrolments",
        ["UPN", "School URN", "Date of leaving", "Grounds for deletion", "Destination", "Date received"],
        "100,10/09/2024,8(1)(f),Whereabouts unknown,11/09/2024",
    ),
}
WAYS = {
    "words joined": lambda heading: heading.title().replace(" ", ""),
    "hyphens": lambda heading: heading.replace(" ", "-"),
    "underscores": lambda heading: heading.upper().replace(" ", "_"),
    "a colon behind": lambda heading: f"{heading}:",
    "a star behind": lambda heading: f"{heading} *",
    "two lines": lambda heading: '"' + heading.replace(" ", "\n") + '"',
    "a no-break space": lambda heading: heading.replace(" ", "\u00a0"),
}


def stated(place, form, headings):
    place.mkdir()
    table, _, cells = LISTS[form]
    import_roll(place, [(UPNS[0], "100", "2020-09-01", "")])
    text = f"{','.join(headings)}\n{UPNS[0]},{cells}\n"
    report = import_text(place, form, {"list.csv": text})
    (place / "list.csv").write_text(text)
    recognised = Recogniser(FORMATS).recognise(place / "list.csv").formats
    return rows(place, table, "*"), report.absent, report.unused, recognised


@pytest.mark.parametrize("form", LISTS)
def test_headings_are_read_in_every_way(tmp_path, form):
    headings = LISTS[form][1]
    as_published = stated(tmp_path / "as published", form, headings)
    assert as_published[3] == (form,)
    ways = list(WAYS.values())
    for n in (0, 3, 5):  # each heading is written in another way than its neighbours
        written = [ways[(n + place) % len(ways)](heading) for place, heading in enumerate(headings)]
        assert stated(tmp_path / str(n), form, written) == as_published, written


def test_another_word_is_another_heading(tmp_path):
    _, headings, cells = LISTS["cme-cases"]
    text = f"{','.join([*headings[:3], 'Date nearly closed'])}\n{UPNS[0]},{cells}\n"
    report = import_text(tmp_path, "cme-cases", {"list.csv": text})
    assert rows(tmp_path, "cme", "resolved_on") == [(None,)]
    assert any(re.search("date_nearly_closed", unused) for unused in report.unused)


NONE = ("-", "--", "n/a", "N/A", "NULL", "None", "nil", "#N/A", "")


@pytest.mark.parametrize("none", NONE)
def test_what_stands_for_no_date_is_none(tmp_path, none):
    text = f"UPN,Missing from,Date reported,Date closed\n{UPNS[0]},10/09/2024,01/10/2024,{none}\n"
    import_text(tmp_path, "cme-cases", {"list.csv": text})
    assert rows(tmp_path, "cme", "resolved_on") == [(None,)]
