"""The top of a child's page says who is involved and whether the lot drew the child for a check, and the page names who lives at the same address, within the caller's scope."""

import re
from datetime import date, timedelta

import sqlalchemy as sa

from histories.calendar import london_today
from serving.pages.wording import Wording
from serving.store.caller import command_line
from serving.store.cases import family
from serving.store.cases.casework_tables import StoredAtHome, StoredInvolvement
from serving.store.database import reading
from serving.store.tables import Pupil
from serving.store.trials import checks
from serving.store.trials.tables import RandomCheck


def pages_of(site, table):
    with reading(site.store.engine) as connection:
        query = sa.select(table.__table__, Pupil.pupil_ref, Pupil.urn).join(Pupil, Pupil.pupil_id == table.pupil_id)
        return connection.execute(query.order_by(table.pupil_id)).all()


def test_an_open_record_of_social_care_is_said_on_top(site, visit):
    beginnings = {"cla": "In care since ", "cin": "Has a social worker now (", "early_help": "Early help open since "}
    client, shown = visit("worker"), set()
    for kind, beginning in beginnings.items():
        for row in [r for r in pages_of(site, StoredInvolvement) if r.kind == kind][:1]:
            text = client.get(f"/pupils/{row.pupil_ref}").text
            top = re.search(r'id="services"><strong>(.*?)</strong>', text)[1]
            assert beginning in top, kind
            shown.add(kind)
    assert shown
    without = {s.pupil_id for s in site.scores} - {r.pupil_id for r in pages_of(site, StoredInvolvement)}
    with reading(site.store.engine) as connection:
        ref = connection.scalar(sa.select(Pupil.pupil_ref).where(Pupil.pupil_id == min(without)))
    assert 'id="services"' not in client.get(f"/pupils/{ref}").text


def family_on(text):
    part = re.search(r'id="family">.*?</ul>', text, re.DOTALL)
    return set(re.findall(r'href="/pupils/([0-9a-f]{32})"', part[0])) if part else set()


def test_children_at_the_same_address_are_linked_with_their_attendance(site, visit):
    rows = pages_of(site, StoredAtHome)
    child = next(r for r in rows if r.possible)
    others = {r.pupil_ref for r in rows if r.home == child.home} - {child.pupil_ref}
    text = visit("worker").get(f"/pupils/{child.pupil_ref}").text
    assert family_on(text) == others
    assert re.search(r"issed (none|all|\d+) of|No register (is known|in the four)", text)
    assert others <= {r.pupil_ref for r in rows}
    assert child.home not in text


def test_a_worker_of_some_schools_sees_no_sibling_at_another(site, visit):
    rows = pages_of(site, StoredAtHome)
    urns = {r.pupil_ref: r.urn for r in rows}
    client, split = visit("north"), 0
    for child in rows:
        others = {r.pupil_ref for r in rows if r.home == child.home} - {child.pupil_ref}
        outside = {ref for ref in others if urns[ref] not in site.north}
        if child.urn in site.north and outside:
            assert family_on(client.get(f"/pupils/{child.pupil_ref}").text) == others - outside
            split += 1
            if split == 3:
                break
    assert split


def test_a_sibling_who_left_every_roll_is_said_to_be_at_no_school(site, visit):
    rows = pages_of(site, StoredAtHome)
    with reading(site.store.engine) as connection:
        query = sa.select(Pupil.pupil_ref, Pupil.left_to).where(Pupil.left_on.is_not(None), Pupil.left_to != "deceased")
        left = dict(connection.execute(query).all())
    child, other = next(
        (r.pupil_ref, o.pupil_ref) for r in rows for o in rows if r.home == o.home and o.pupil_ref in left and r != o
    )
    client, words = visit("worker"), Wording.load("en")
    said = words(f"left.{left[other]}", since="MONTH").split("MONTH")[0]
    line = re.search(
        rf'<li><a class="govuk-link" href="/pupils/{other}">(.*?)</li>', client.get(f"/pupils/{child}").text
    )[1]
    caption = re.search(r"govuk-caption-l[^>]*>(.*?)</p>", client.get(f"/pupils/{other}").text)[1]
    assert said in line
    assert said in caption
    assert "No register" not in line


def drawn_and_another(site):
    """Return the reference of the drawn child, and of another."""
    with reading(site.store.engine) as connection:
        query = sa.select(Pupil.pupil_id, Pupil.pupil_ref)
        by_pupil = dict(connection.execute(query.where(Pupil.pupil_id.in_([s.pupil_id for s in site.scores]))).all())
        drawn = connection.scalar(sa.select(RandomCheck.pupil_id))
    return by_pupil.pop(drawn), next(iter(by_pupil.values()))


def test_the_page_of_a_drawn_child_says_that_nothing_is_suspected(site, visit):
    drawn, other = drawn_and_another(site)
    client = visit("worker")
    said = re.search(r'id="random-check">(.*?)</div>', client.get(f"/pupils/{drawn}").text)[1]
    assert "Drawn by lot on" in said
    assert "nothing is suspected" in said
    assert 'id="random-check"' not in client.get(f"/pupils/{other}").text


def test_it_says_so_until_the_weeks_are_over(site):
    with reading(site.store.engine) as connection:
        pupil, until = connection.execute(sa.select(RandomCheck.pupil_id, RandomCheck.until)).one()
    with site.store.view(command_line()) as view:
        days = [checks.of_pupil(view, pupil, day) for day in (until - timedelta(days=1), until)]
        view.record("pupil.seen", pupils=[pupil])
    assert days == [london_today(), None]


def test_every_child_whom_the_list_leaves_out_for_an_open_case_is_named(site, visit, monkeypatch):
    with reading(site.store.engine) as connection:
        refs = {r.pupil_id: r.pupil_ref for r in connection.execute(sa.select(Pupil.pupil_id, Pupil.pupil_ref))}
    place = {"nc_year": 9, "roll_year": 9, "left_on": None, "left_to": None, "since": date(2025, 1, 6)}
    children = [
        {"pupil_id": s.pupil_id, "pupil_ref": refs[s.pupil_id], "urn": s.urn, **place} for s in site.scores[:60]
    ]
    monkeypatch.setattr(family, "unlisted_with_case", lambda view, newest: children)
    page = visit("worker").get("/work-list").text
    (named,) = re.findall(r'id="with-case">(.*?)</details>', page, re.DOTALL)
    assert "60 children" in named
    assert re.findall(r"/pupils/([0-9a-f]{32})", named) == [c["pupil_ref"] for c in children]
