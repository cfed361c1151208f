"""The two Mondays of a register that stops: before, and after a child's marks and a whole school's have not come for two weeks.

The list says so on top and on the row, and nobody falls off it without a line, whatever the score says.
"""

import html
import re
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace

import polars as pl
import pytest
import sqlalchemy as sa

from histories.reading.histories import Histories
from histories.settings import settings
from serving.casework.rolls import last_spells
from serving.http.api import make_app
from serving.pages.settings import PageSettings
from serving.pages.wording import Wording
from serving.store import Store
from serving.store.caller import command_line
from serving.store.cases import cases
from serving.store.tables import Pupil
from tests.support.visitor import Visitor
from training.risk_model import RiskModel

WORDS, PAGES = Wording.load("en"), PageSettings.load(None)
BEFORE, AFTER = date(2025, 3, 17), date(2025, 3, 24)
GONE_SINCE = AFTER - timedelta(weeks=2)
LAST = WORDS.day(date(2025, 3, 7))  # the Friday before
ROW = re.compile(r'<li class="onroll-list__item.*?onroll-list__notes', re.DOTALL)


def stored(store, histories, scores):
    ranked = [replace(s, rank=n) for n, s in enumerate(scores, start=1)]
    store.save(s.to_dict() for s in ranked)
    store.keep(histories, ranked, PAGES.rules(), PAGES.calendar.closed)


def without_marks(source, target, pupils):
    """Return histories without the marks of some pupils since ``GONE_SINCE``."""
    target.mkdir()
    for file in source.iterdir():
        if file.stem != "attendance":
            (target / file.name).symlink_to(file)
    marks = pl.read_parquet(source / "attendance.parquet")
    gone = pl.col("pupil_id").is_in(sorted(pupils)) & (pl.col("date") >= GONE_SINCE)
    marks.filter(~gone).write_parquet(target / "attendance.parquet")
    return Histories.open(target)


@pytest.fixture(scope="module")
def mondays(tmp_path_factory, small_histories, bundle):
    """Two lists, of which the second lacks marks: who ``fell`` off it, who ``stays`` on top, who has a ``case``, and the silent ``school``."""
    home = tmp_path_factory.mktemp("mondays")
    model, whole = RiskModel.load(bundle), Histories.open(small_histories)
    store = Store(f"sqlite:///{home / 'onroll.db'}")
    scores = sorted(model.score(whole, BEFORE), key=lambda s: s.rank)
    school = Counter(s.urn for s in scores).most_common()[-1][0]
    others, of_school = ([s for s in scores if (s.urn == school) == same] for same in (False, True))
    fell, stays, *_, case = others
    stored(store, whole, [*others, *of_school])
    of_roll = last_spells(whole, AFTER).filter(pl.col("on_roll") & (pl.col("urn") == school))
    alone = [s.pupil_id for s in (fell, stays, case)]
    cut = without_marks(small_histories, home / "histories", [*of_roll["pupil_id"], *alone])
    with store.change(command_line()) as change:
        ref = change.connection.scalar(sa.select(Pupil.pupil_ref).where(Pupil.pupil_id == case.pupil_id))
        cases.open_case(change, ref)
    place = {p: n for n, p in enumerate([stays.pupil_id, *(s.pupil_id for s in others[2:]), fell.pupil_id])}
    last = len(place)
    stored(store, cut, sorted(model.score(cut, AFTER), key=lambda s: place.get(s.pupil_id, last)))
    user = f'{{role = "lead", authority = "{scores[0].authority}"}}'
    (home / "access.toml").write_text(f"[development]\nlead = {user}\n")
    environment = {"ONROLL_MODEL": str(bundle), "ONROLL_ACCESS": str(home / "access.toml"), "ONROLL_DEVELOPMENT": "1"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**environment, "ONROLL_DATABASE_URL": f"sqlite:///{home / 'onroll.db'}"}.items():
            patch.setenv(name, value)
        app = make_app(settings(), "127.0.0.1")
    yield SimpleNamespace(client=Visitor(app, "lead"), fell=fell, stays=stays, case=case, school=school)
    app.state.store.engine.dispose()
    store.engine.dispose()


@pytest.fixture(scope="module")
def page(mondays):
    return html.unescape(mondays.client.get("/work-list").text)


def child_page(client, page, pupil):
    ref = re.search(rf'href="(/pupils/[0-9a-f]{{32}})">{pupil}</a>', page).group(1)
    return html.unescape(client.get(ref).text)


def test_a_silent_school_is_named_on_top_though_none_of_its_children_is_among_the_first(mondays, page):
    rows = ROW.findall(page)
    assert len(rows) == 8
    name = re.search(rf'<option value="{mondays.school}">([^<]+)</option>', page).group(1)
    assert not any(f", {name}</p>" in row for row in rows)
    said = WORDS("silent.school", school=name, day=LAST)
    assert said in page.partition('<ol class="onroll-list')[0]


def test_a_child_whose_register_stopped_is_named_on_top_after_falling_off_the_list(mondays, page):
    assert mondays.fell.pupil_id not in "".join(ROW.findall(page))
    above = page.partition('id="stopped"')[2].partition("</section>")[0]
    named = re.findall(r'">([^<]+)</a>', above)
    assert sorted(named) == sorted([mondays.fell.pupil_id, mondays.case.pupil_id]), "on top before, or with a case"
    assert above.count(f"No register since {LAST}: the school was open for 10 school days. Ring the school.") == 2


def test_a_row_says_first_of_all_that_the_register_stopped(mondays, page):
    (row,) = (row for row in ROW.findall(page) if mondays.stays.pupil_id in row)
    why = row.partition("onroll-list__why")[2]
    first = re.search(r"<p class=\"([^\"]+)\">(.*?)</p>", why, re.DOTALL)
    assert first.group(1) == "onroll-stopped"
    assert f"No register since {LAST}" in first.group(2)
    assert "Warning" in first.group(2)
    assert WORDS("work_list.fallen") not in row


@pytest.mark.parametrize("who", ["fell", "stays", "case"])
def test_the_childs_page_says_nothing_is_lower_while_the_register_is_silent(mondays, page, who):
    text = child_page(
        mondays.client, page + mondays.client.get("/work-list?show=mine").text, getattr(mondays, who).pupil_id
    )
    assert WORDS("silent.child", day=LAST, days=10) in text
    assert WORDS("silent.strip", day=LAST) in text.partition(WORDS("strip.title"))[2]
    changed = text.partition(WORDS("pupil.changed"))[2].partition("<h2")[0]
    assert WORDS("silent.not_lower", day=LAST) in changed
    assert "linked with a lower score" not in changed
    assert WORDS("pupil.nothing_changed") not in changed
    assert WORDS("silent.protective") in text
    speaks = text.partition(WORDS("pupil.protective"))[2].partition("<h2")[0]
    assert 'onroll-theme">Attendance:' not in speaks


def test_the_file_for_a_spreadsheet_says_it_too(mondays):
    lines = mondays.client.get("/work-list.csv").content.decode("utf-8-sig").splitlines()
    (line,) = (line for line in lines if mondays.stays.pupil_id in line)
    assert f"No register since {LAST}" in line
