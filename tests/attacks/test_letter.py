"""A letter to a parent says what the features use, names nobody, has no score, and is about no child who was erased.

Before, a parent who asked got rows, or an answer from somebody's memory of what the model reads.
"""

import dataclasses
import json
import re
from datetime import timedelta
from pathlib import Path

import narwhals as nw
import pytest
from click.testing import CliRunner

from features.catalogue import catalogue
from features.feature import Feature, Tally, plain
from features.groups.groups import GROUPS
from histories.settings import settings
from histories.tables import TABLES
from serving.cli.main import onroll
from serving.letters.letter import ACKNOWLEDGE_FROM, NOT_OF_A_CHILD, kinds, words
from serving.store import Store
from serving.store.audit import audit_log
from serving.store.records import erasure
from tests.support.scores import score
from tests.support.stores import ADMIN, do

CHILD = "P0000001"


@pytest.fixture
def store(monkeypatch):
    monkeypatch.setenv("ONROLL_AUDIT_KEY", "k" * 32)
    opened = Store.of(settings())
    opened.save([score(CHILD, 1), score("P0000002", 2)])
    yield opened
    opened.engine.dispose()


def write(*words_, pupil=CHILD, out="letter.txt"):
    answer = CliRunner().invoke(onroll, ["subject-access", pupil, "--letter", out, *words_])
    return answer, Path(out).read_text() if Path(out).exists() else ""


def with_feature(feature, tally):
    """Return the catalogue with one feature more."""
    known = catalogue()
    return dataclasses.replace(
        known, features=(*known.features, feature), tallies={**known.tallies, feature.name: tally}
    )


def part_of(text, heading):
    """Return the lines of a list of the letter."""
    lines = text.split(heading)[1].split("\n\n")[0].splitlines()
    return [line.removeprefix("- ") for line in lines if line.startswith("- ")]


def test_the_letter_and_the_features_agree(store):
    """Each table is used or not, by the features' own declarations, and each characteristic that is said not to be used is read by none."""
    _, text = write()
    used, not_used = part_of(text, "What is used\n"), part_of(text, "What is not used for the order\n")
    sources = {table for feature in catalogue().features for table in feature.sources}
    for table in TABLES:
        assert (words()["tables"][table] in used, words()["tables"][table] in not_used) == (
            table in sources,
            table not in sources,
        ), table
    assert {words()["characteristics"][g] for g in ("sex", "ethnicity", "eal", "fsm")} <= set(not_used)


@pytest.mark.parametrize(
    "group", [g for g in GROUPS if g.protected and g.table not in NOT_OF_A_CHILD], ids=lambda g: g.name
)
def test_a_feature_that_reads_a_characteristic_changes_the_letter(group):
    column = {"eal": "first_language", "fsm": "eligible"}.get(group.name, next(iter(group.counts())))
    reads = Feature(name="own_one", theme="pupil", expression=plain("own_one"), sources=(group.table,))
    tally = Tally(table=group.table, where=lambda: nw.col(column).is_null())
    found = kinds(with_feature(reads, tally))
    assert group.name not in found.characteristics
    assert group.table in found.used
    assert group.table not in found.not_used


def test_a_letter_counts_an_authoritys_own_features_too(store, monkeypatch):
    """Without them it would say that a table is not used which they read."""
    loaded = []
    monkeypatch.setenv("ONROLL_FEATURES", "own.py")
    monkeypatch.setattr("features.load_own_features", loaded.append)
    write()
    assert loaded == [Path("own.py").resolve()]


def test_every_table_and_characteristic_has_words():
    assert set(words()["tables"]) == set(TABLES)
    assert set(words()["characteristics"]) == {g.name for g in GROUPS if g.protected and g.table not in NOT_OF_A_CHILD}


def test_the_letter_names_nobody_has_no_score_and_only_its_owner_reads_it(store):
    answer, text = write("--contact", "Education welfare, 01234 567890")
    assert answer.exit_code == 0, answer.output
    assert Path("letter.txt").stat().st_mode & 0o077 == 0
    assert "01234 567890" in text
    assert CHILD not in text + answer.output
    for number in ("%", "risk", "rank", "0."):
        assert number not in text
    assert "A person decides" in text
    with store.view(ADMIN) as view:
        (entry,) = audit_log.entries(view, action="pupil.letter", pupils=[CHILD])
        view.record("audit.seen")
    assert entry["details"] == {"own_template": False}


LISTS = {
    "two versions of a day": ([("1", "2025-01-13", "shown"), ("2", "2025-01-13", "shown")], "once, on 13 January 2025"),
    "a challenger's": ([("1", "2025-01-13", "shown"), ("2", "2025-01-20", "shadow")], "once, on 13 January 2025"),
    "two days": (
        [("1", "2025-01-13", "shown"), ("1", "2025-01-20", "shown")],
        "2 times, between 13 January 2025 and 20 January 2025",
    ),
    "only a challenger's": ([("2", "2025-01-20", "shadow")], "No result about your child that our staff were shown"),
}


@pytest.mark.parametrize(("lists", "said"), LISTS.values(), ids=LISTS)
def test_only_days_on_which_staff_were_shown_the_child_are_counted(store, lists, said):
    for version, day, purpose in lists:
        store.save([score("P0000009", 1, version=version, day=day)], purpose=purpose)
    _, text = write(pupil="P0000009")
    assert said in text


def test_nothing_is_written_about_an_erased_or_unknown_child(store):
    do(store, erasure.erase, [CHILD], "asked")
    for pupil in (CHILD, "P9"):
        answer, text = write(pupil=pupil)
        assert answer.exit_code != 0
        assert "there is no such pupil" in str(answer.exception)
        assert text == ""


@pytest.mark.parametrize(("day", "said"), [(ACKNOWLEDGE_FROM, True), (ACKNOWLEDGE_FROM - timedelta(days=1), False)])
def test_a_complaint_is_acknowledged_within_thirty_days_since_the_law_says_so(store, day, said):
    _, text = write("--complained-on", str(day))
    assert ("we must acknowledge it by 19 July 2026" in text) == said
    assert "within 30 days of receiving it" in text


def test_an_authority_has_its_own_template_and_a_wrong_one_is_named(store):
    Path("own.html").write_text("<p>{{ contact }}</p>{% for kind in used %}<li>{{ kind }}</li>{% endfor %}")
    _, text = write("--template", "own.html", "--contact", "A & B")
    assert text.startswith("<p>A &amp; B</p><li>date of birth")
    for wrong in ("{{ risk }}", "{% if %}", "{{ used.__class__.__mro__ }}"):
        Path("own.txt").write_text(wrong)
        answer, text = write("--template", "own.txt", out="wrong.txt")
        assert "this template cannot be used" in str(answer.exception), wrong
        assert text == ""


def test_a_letter_is_written_by_itself_and_not_under_the_childs_number(store):
    for more in (("--out", "x.json"), ("--histories", "h")):
        answer, text = write(*more)
        assert (answer.exit_code, text) == (2, "") or "by itself" in str(answer.exception)
    answer, _ = write(out=f"{CHILD}.txt")
    assert "holds the pupil's identifier" in str(answer.exception)
    assert json.loads(write("--json")[0].stdout) == {"letter": "letter.txt"}


def test_the_letter_claims_no_duty_or_right_but_the_one_whose_source_is_known(store):
    """Other rights were general knowledge; a letter of an authority is no place for that."""
    _, text = write("--complained-on", str(ACKNOWLEDGE_FROM + timedelta(days=1)))
    claims = re.compile(
        r"\b(must|rights?|entitled|law|legal|act|regulations?|ombudsman|commissioner\S*)\b", re.IGNORECASE
    )
    claimed = [line for line in text.splitlines() if claims.search(line)]
    assert len(claimed) == 2
    assert all("must acknowledge" in line for line in claimed)
