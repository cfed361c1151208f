"""The list as a tool: true places, counts, views with addresses, contacts from the row, search, cases given at once, and files."""

import csv
import html
import io
import re
from datetime import date, datetime
from html import unescape
from urllib.parse import parse_qs

import openpyxl

from histories.calendar import london_today
from serving.pages.wording import Wording
from serving.store import Caller
from serving.store.audit.audit_log import entries
from serving.store.caller import command_line
from serving.store.cases import cases, done
from serving.store.scores import week_list
from serving.store.scores.stored_scores import newest_list
from serving.store.tables import Pupil

WORDS = Wording.load("en")
ROW = re.compile(
    r'<li class="onroll-list__item[^"]*" id="child-([0-9a-f]{32})" value="(\d+)">(.*?)onroll-list__notes', re.DOTALL
)


def rows(client, address="/work-list"):
    """Return each row's reference, place and text."""
    return [(ref, int(place), html.unescape(text)) for ref, place, text in ROW.findall(client.get(address).text)]


def refs(site):
    with site.store.engine.connect() as connection:
        return {r.pupil_id: r.pupil_ref for r in connection.execute(Pupil.__table__.select())}


def version_in(text):
    return re.search(r'name="version" value="(\d+)"', text).group(1)


def ring(client, row, outcome, address="/work-list", **fields):
    ref, _, text = row
    to = re.search(r'action="(/work-list/[0-9a-f]{32}/contact[^"]*)"', text).group(1)
    sent = {"version": version_in(text), "on": str(london_today()), "outcome": outcome, "text": "", **fields}
    assert ref in to
    return client.submit(address, to, **sent)


def finished(client):
    """Return for how many of the week's first children something was done, and of how many."""
    counts = re.search(r"Done since 28 April 2025: (\d+) of (\d+)\.", client.get("/work-list").text).groups()
    return tuple(map(int, counts))


def row_of(client, ref, address="/work-list"):
    return next(row for row in rows(client, address) if row[0] == ref)


def test_places_stay_true_after_filtering_and_the_matches_are_counted(site, visit):
    client, by_ref = visit("worker"), {ref: pupil for pupil, ref in refs(site).items()}
    place = {s.pupil_id: s.rank for s in site.scores}
    year = max(s.nc_year for s in site.scores)
    listed = rows(client, f"/work-list?year={year}")
    assert len(listed) > 1
    assert [n for _, n, _ in listed] == [place[by_ref[ref]] for ref, _, _ in listed]
    assert [n for _, n, _ in listed] != list(range(1, len(listed) + 1))
    assert all(f'aria-hidden="true">{n}</span>' in text for _, n, text in listed), "the place is to be seen"
    text = client.get(f"/work-list?year={year}").text
    assert f"The first {len(listed)} who match" in text
    assert "children of the list of" not in text
    counts = re.search(r"([\d,]+) of ([\d,]+) match what you chose", text).groups()
    matched, total = (int(count.replace(",", "")) for count in counts)
    aside = [int(n) for n in re.findall(r"not for this child: (\d+)\.", client.get("/work-list").text)]
    assert total == len(site.scores) - sum(aside)
    assert len(listed) <= matched <= sum(s.nc_year == year for s in site.scores)
    assert 'href="/work-list">Clear what you chose' in text
    assert "match what you chose" not in client.get("/work-list?sort=school").text


def test_a_contact_is_recorded_from_the_row_and_the_list_says_so(site, visit):
    client, before = visit("worker"), finished(visit("worker"))
    row = next(r for r in rows(client, "/work-list?sort=school") if "govuk-tag--green" not in r[2])
    answer = ring(client, row, "no_answer", "/work-list?sort=school")
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"/work-list?sort=school&done=contact#child-{row[0]}",
    )
    text = row_of(client, row[0])[2]
    assert re.search(r"Contact today at \d+:\d\d[ap]m: No answer \(worker\)", text)
    assert finished(client) == before, "nobody was spoken to, so the child is not done"
    assert ring(client, row_of(client, row[0]), "spoke_help").status_code == 303
    assert "They want help".lower() in row_of(client, row[0])[2].lower()
    assert "govuk-tag--green" in row_of(client, row[0])[2]
    assert finished(client) == (before[0] + 1, before[1])
    with site.store.view(command_line()) as view:
        assert "case.contact" in {e["action"] for e in entries(view)}
        view.record("audit.seen")


def test_a_faulty_contact_keeps_what_was_typed_and_a_stale_one_is_refused(visit):
    client = visit("worker")
    row = rows(client)[-1]
    wrong = ring(client, row, "invented", text="rang twice", on="2999-01-01")
    assert wrong.status_code == 422
    assert f'href="#contact-{row[0]}-outcome"' in wrong.text
    assert f'id="contact-{row[0]}-outcome-error"' in wrong.text
    assert 'value="rang twice"' in wrong.text
    assert version_in(row_of(client, row[0])[2]) == version_in(row[2]), "nothing was saved"
    assert ring(client, row, "no_answer").status_code == 303
    late = ring(client, row, "spoke_well", text="the second")
    assert late.status_code == 409
    assert "Somebody else changed this case" in late.text
    assert 'value="the second"' in late.text


def test_each_view_has_an_address_and_shows_what_it_says(site, visit):
    client, me = visit("worker"), Caller("dev:worker", "worker", site.authority)
    mine, aside = rows(client)[-2:]
    last = site.scores[-1].pupil_id
    client.submit("/work-list", f"/pupils/{mine[0]}/assign", version=version_in(mine[2]), to="dev:worker")
    client.submit("/work-list", f"/pupils/{aside[0]}/dismiss", version=version_in(aside[2]), reason="moved", text="")
    with site.store.change(me) as change:
        case = cases.open_case(change, refs(site)[last])
        cases.assign(change, case, 1, me.key_id)
    shown = {
        show: {ref for ref, _, _ in rows(client, f"/work-list?show={show}")}
        for show in ("all", "mine", "new", "silent", "aside")
    }
    assert mine[0] in shown["mine"]
    assert refs(site)[last] in shown["mine"], "the capacity does not cut one's own cases"
    assert aside[0] in shown["aside"]
    assert aside[0] not in shown["all"]
    assert shown["new"] <= shown["all"]
    assert all("New" in text for _, _, text in rows(client, "/work-list?show=new"))
    back = row_of(client, aside[0], "/work-list?show=aside")
    assert "Not for this child: The child has moved" in back[2]
    to = re.search(r'action="(/work-list/[0-9a-f]{32}/wake[^"]*)"', back[2]).group(1)
    wake = client.submit("/work-list?show=aside", to, version=version_in(back[2]))
    assert (wake.status_code, wake.headers["location"]) == (303, "/work-list?show=aside&done=wake")
    assert WORDS("case.done_wake") in client.get(wake.headers["location"]).text
    assert client.submit("/work-list?show=aside", to, version=version_in(back[2])).status_code == 409
    assert aside[0] in {ref for ref, _, _ in rows(client)}
    for show in shown:
        page = client.get(f"/work-list?show={show}").text
        assert re.search(
            r'aria-current="page">' + re.escape(WORDS(f"work_list.show_{show}", n=7)).replace("7", r"\d+"), page
        )


def test_from_the_list_to_a_child_and_back_the_choice_is_kept(site, visit):
    client, chosen = visit("worker"), "/work-list?year=9&amp;sort=school"
    page = client.get(html.unescape(chosen)).text
    link = re.search(r'href="(/pupils/[0-9a-f]{32}\?year=9&amp;sort=school)"', page).group(1)
    child = client.get(html.unescape(link)).text
    assert f'href="{chosen}" class="govuk-back-link' in child
    to = html.unescape(re.search(r'action="(/pupils/[0-9a-f]{32}/note[^"]*)"', child).group(1))
    saved = client.submit(html.unescape(link), to, version=version_in(child), text="seen")
    assert saved.status_code == 303
    assert f'href="{chosen}" class="govuk-back-link' in client.get(saved.headers["location"]).text
    outside = client.get(f"{html.unescape(link)}&show=//evil.example&next=//evil.example").text
    assert "evil" not in outside, "the address of the list is made of what it can say"


def test_a_file_of_a_long_view_has_every_page(site, visit, monkeypatch):
    monkeypatch.setattr(week_list, "PAGE", 2)
    client, by_ref, me = visit("lead"), refs(site), Caller("dev:lead", "lead", site.authority)
    for score in site.scores[30:35]:
        with site.store.change(me) as change:
            cases.assign(change, cases.open_case(change, by_ref[score.pupil_id]), 1, me.key_id)
    first = rows(client, "/work-list?show=mine")
    assert len(first) == 2
    text = client.get("/work-list?show=mine").text
    assert "1 to 2 of 5, by place on the list." in text
    assert 'href="/work-list?show=mine&amp;page=2" rel="next"' in text
    last = client.get("/work-list?show=mine&page=3").text
    assert "5 to 5 of 5" in last
    assert 'rel="next"' not in last
    assert len(list(csv.reader(io.StringIO(client.get("/work-list.csv?show=mine").text)))) == 1 + 5 + 1


def test_a_choice_of_what_is_no_more_shows_nobody_and_says_so(visit):
    client = visit("worker")
    gone = (
        ("locality=gone", "The area that you chose is no more."),
        ("theme=Renamed", "The reason that you chose is no more."),
        ("school=99999999", "No child that you may see is at the school that you chose."),
        ("year=six", "There is no year group like the one that you chose."),
    )
    for query, message in gone:
        page = client.get(f"/work-list?{query}").text
        assert message in page
        assert not ROW.search(page)
        assert "0 of " in page
        assert client.submit(f"/work-list?{query}", f"/work-list/filters?{query}", name="x").status_code == 303
    for filter_id in re.findall(r'action="/work-list/filters/([0-9a-f]{32})/remove', client.get("/work-list").text):
        client.submit("/work-list", f"/work-list/filters/{filter_id}/remove")


def test_a_child_is_found_by_reference_and_only_within_scope(site, visit):
    client = visit("worker")
    child = site.scores[-3].pupil_id
    found = client.submit("/work-list", "/work-list/find", reference=f" {child.lower()} ")
    assert (found.status_code, found.headers["location"]) == (303, f"/pupils/{refs(site)[child]}")
    other = next(s.pupil_id for s in site.scores if s.urn not in site.north)
    for user, reference in (("worker", "nobody"), ("worker", ""), ("north", other), ("stranger", child)):
        answer = visit(user).submit("/work-list", "/work-list/find", reference=reference)
        assert answer.status_code == 422
        assert "No child that you may see has this reference." in answer.text
    with site.store.view(command_line()) as view:
        assert sum(1 for _ in entries(view, action="pupil.searched")) >= 5
        view.record("audit.seen")


def test_a_lead_gives_several_cases_at_once_or_none(visit):
    lead, worker = visit("lead"), visit("worker")
    visit("second")
    assert 'form="assign"' not in worker.get("/work-list").text
    first, second, third = rows(lead)[:3]
    ticked = {
        f"child-{ref}": re.search(r'form="assign" name="child-\w+" value="(\d+)"', text).group(1)
        for ref, _, text in (first, second)
    }
    given = lead.submit("/work-list", "/work-list/assign", to="dev:second", **ticked)
    assert (given.status_code, given.headers["location"]) == (303, "/work-list?done=assigned")
    assert all("Case: second" in row_of(lead, ref)[2] for ref in (first[0], second[0]))
    stale = {
        **ticked,
        f"child-{third[0]}": re.search(r'form="assign" name="child-\w+" value="(\d+)"', third[2]).group(1),
    }
    answer = lead.submit("/work-list", "/work-list/assign", to="dev:worker", **stale)
    assert answer.status_code == 409
    assert "No case was given" in answer.text
    assert row_of(lead, third[0])[2].split("Case: ")[1][:9] == third[2].split("Case: ")[1][:9]
    assert lead.submit("/work-list", "/work-list/assign", to="dev:second").status_code == 422
    wrong = lead.submit(
        "/work-list", "/work-list/assign", to="dev:stranger", **{f"child-{third[0]}": version_in(third[2])}
    )
    assert wrong.status_code == 422
    unchosen = lead.submit("/work-list", "/work-list/assign", to="", **{f"child-{first[0]}": "2"})
    assert unchosen.status_code == 422
    assert "Choose a person from the list." in unchosen.text
    taken = {f"child-{first[0]}": version_in(row_of(lead, first[0])[2])}
    away = lead.submit("/work-list", "/work-list/assign", to="-", **taken)
    assert "nobody&#39;s now" in lead.get(away.headers["location"]).text
    assert "Case: Nobody yet" in row_of(lead, first[0])[2]
    assert "Case: second" in row_of(lead, second[0])[2]


def test_more_children_than_a_form_usually_has_fields_can_be_ticked(site, visit):
    many = {f"child-{refs(site)[s.pupil_id]}": "0" for s in site.scores[10:90]}
    answer = visit("lead").submit("/work-list", "/work-list/assign", to="dev:nobody", **many)
    assert answer.status_code == 422, "refused for the person, not for the number of fields"


def test_the_workbook_opens_right(visit):
    client = visit("worker")
    sheet = openpyxl.load_workbook(io.BytesIO(client.get("/work-list.xlsx").content)).active
    heading = [cell.value for cell in sheet[1]]
    as_of = sheet[2][heading.index(WORDS("export.as_of"))]
    assert isinstance(as_of.value, datetime)
    assert as_of.number_format == "DD/MM/YYYY"
    assert isinstance(sheet[2][0].value, int)
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == f"A1:{sheet.cell(1, len(heading)).column_letter}{sheet.max_row - 1}"
    widths = [sheet.column_dimensions[cell.column_letter].width for cell in sheet[1]]
    assert all(width >= min(len(str(cell.value)), 60) for width, cell in zip(widths, sheet[1], strict=True))
    filtered = csv.reader(io.StringIO(client.get("/work-list.csv?show=mine&sort=year").content.decode("utf-8-sig")))
    assert len(list(filtered)) - 2 == len(rows(client, "/work-list?show=mine&sort=year"))


def test_the_addresses_of_the_list_hold_only_known_parameters(visit):
    text = visit("worker").get("/work-list?show=mine&school=%22%3E&theme=%3Cx&next=//evil.example&year=9").text
    assert "evil" not in text
    assert "<x" not in text
    (address,) = re.findall(r'href="/work-list\.csv\?([^"]*)"', text)
    assert parse_qs(unescape(address)) == {"show": ["mine"], "year": ["9"], "school": ["??"], "theme": ["??"]}


def test_what_counts_as_done_is_an_outcome_with_a_conversation(site, visit):
    client, caller = visit("worker"), Caller("dev:worker", "worker", site.authority)
    row = next(r for r in rows(client) if "govuk-tag--green" not in r[2])
    before = finished(client)
    assert ring(client, row, "not_there").status_code == 303
    with site.store.view(caller) as view:
        newest = newest_list(view)
        # The same children and the same day as the page: other tests set children aside, and write down what was done before the list.
        first = week_list.first_of_week(view, newest, week_list.per_week(view, "", 8), london_today())
        after = done.done_since(view, newest[0], ["no_answer", "not_there"], first)
        every = done.done_since(view, newest[0], [], first)
        none = done.done_since(view, date(2999, 1, 1), [], first)
        view.record("cases.counted", count=len(after))
    assert none == set()
    assert after < every
    assert finished(client) == before == (len(after), len(first)), "nobody was spoken to"


def test_only_the_weeks_first_children_count_as_done_and_who_is_set_aside_is_one_of_them(site, visit):
    client, lead, by_ref = visit("worker"), visit("lead"), refs(site)
    before = finished(client)
    others = [s.pupil_id for s in sorted(site.scores, key=lambda s: s.rank)[150:161]]
    for pupil in others:
        with site.store.change(Caller("dev:worker", "worker", site.authority)) as change:
            case = cases.open_case(change, by_ref[pupil])
            cases.act(change, case, 1, london_today(), "home_visit")
    assert finished(client) == before, "eleven children of nobody's list were visited"
    row = next(r for r in rows(client) if "govuk-tag--green" not in r[2])
    client.submit("/work-list", f"/pupils/{row[0]}/dismiss", version=version_in(row[2]), reason="moved", text="")
    took_the_place = rows(client)[-1]
    is_done = "govuk-tag--green" in took_the_place[2]
    assert finished(client) == (before[0] + 1 + is_done, before[1] + 1)
    if not is_done:
        assert ring(client, took_the_place, "spoke_help").status_code == 303
    assert finished(client) == (before[0] + 2, before[1] + 1), "who took the place is one of them too"
    assert f"Done since 28 April 2025: {before[0] + 2} of {before[1] + 1}." in lead.get("/team").text
    back = row_of(client, row[0], "/work-list?show=aside")
    client.submit("/work-list", f"/pupils/{row[0]}/wake", version=version_in(back[2]))


def test_a_filter_is_saved_shown_to_its_owner_only_and_removed(visit):
    client, address = visit("worker"), "/work-list?year=9&sort=clock"
    save = {"name": " Year nine <b> "}
    saved = client.submit(address, "/work-list/filters?year=9&sort=clock&next=//evil.example", **save)
    assert (saved.status_code, saved.headers["location"]) == (303, "/work-list?year=9&sort=clock&done=filter")
    link = 'href="/work-list?year=9&amp;sort=clock"'
    page = client.get("/work-list").text
    assert f"{link}>Year nine &lt;b&gt;</a>" in page
    assert f'{link} aria-current="page">Year nine' in client.get(address).text
    assert "Year nine" not in visit("second").get(address).text
    assert client.submit(address, "/work-list/filters?year=9&sort=clock", **save).status_code == 303
    remove = re.findall(r'action="(/work-list/filters/[0-9a-f]{32}/remove)', client.get("/work-list").text)
    assert len(remove) == 1, "one of the same name is replaced"
    assert visit("second").submit("/work-list", remove[0]).status_code == 404
    for sent_to, fields, href in (
        ("/work-list/filters", {"name": "all"}, "Choose something first"),
        ("/work-list/filters?year=9", {"name": " "}, "Give it a name"),
        ("/work-list/filters?year=9", {"name": "x" * 61}, "Give it a name"),
    ):
        answer = client.submit(address, sent_to, **fields)
        assert (answer.status_code, href in answer.text) == (422, True)
    assert client.submit("/work-list", remove[0]).status_code == 303
    assert "Year nine" not in client.get("/work-list").text


def test_a_person_saves_at_most_twenty_filters(visit):
    client = visit("administrator")
    answers = [client.submit("/work-list", "/work-list/filters?year=9", name=f"f{n}").status_code for n in range(21)]
    assert answers == [303] * 20 + [422]
