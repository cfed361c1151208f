"""A row of the list says of a child what the child's page says."""

import html
import re


def test_the_line_of_a_row_is_the_line_of_the_childs_page(visit):
    client = visit("worker")
    rows = re.findall(r'<li class="onroll-list__item.*?</li>\n', client.get("/work-list").text, re.DOTALL)
    assert len(rows) == 8
    for row in rows:
        page = client.get(re.search(r'href="(/pupils/[0-9a-f]{32})"', row).group(1)).text
        line = html.unescape(re.search(r'<p class="govuk-body-l">(.*?)</p>', page).group(1))
        assert line.startswith("Missed ")
        assert line in html.unescape(row)


def test_the_childs_page_says_how_near_the_top_of_the_list_the_child_is(visit, site):
    client = visit("lead")
    first = max(site.scores, key=lambda s: -s.rank)
    share = {"very high": "0.2%", "high": "1%"}[first.capacity_band]
    links = dict(re.findall(r'href="(/pupils/[0-9a-f]{32})">([^<]+)</a>', client.get("/work-list").text))
    page = client.get(next(link for link, pupil in links.items() if pupil == first.pupil_id)).text
    assert f"Band: {first.band}. Among the first {share} of the children" in page


def test_the_page_of_moves_names_the_likeliest_first_and_leads_to_the_list_of_the_year(visit, site):
    client = visit("lead")
    page = client.get("/transition").text
    risks = {s.pupil_id: s.risk for s in site.scores}
    for part in re.findall(r"<h2.*?</ul>", page, re.DOTALL):
        named = [risks[pupil] for pupil in re.findall(r'href="/pupils/[0-9a-f]{32}">([^<]+)</a>', part)]
        assert named == sorted(named, reverse=True)
    assert 'href="/work-list?year=6"' in page
    listed = re.findall(r'href="/pupils/[0-9a-f]{32}\?year=6">([^<]+)</a>', client.get("/work-list?year=6").text)
    assert listed
    assert {s.nc_year for s in site.scores if s.pupil_id in listed} == {6}
