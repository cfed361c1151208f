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
    assert first.capacity_band == "high"
    links = dict(re.findall(r'href="(/pupils/[0-9a-f]{32})">([^<]+)</a>', client.get("/work-list").text))
    page = client.get(next(link for link, pupil in links.items() if pupil == first.pupil_id)).text
    assert f"Band: {first.band}. Among the first 1% of the children" in page
