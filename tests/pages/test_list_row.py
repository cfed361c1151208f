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
