"""Children on no roll: each with dates and who has the case, and a case can be opened from the row."""

import html
import re

ROW = r'<li class="onroll-list__item">.*?</li>\n'


def rows(client, path="/no-roll"):
    return [html.unescape(row) for row in re.findall(ROW, client.get(path).text, re.DOTALL)]


def test_each_kind_is_listed_with_its_day_and_what_to_do(visit):
    text = html.unescape(visit("worker").get("/no-roll").text)
    assert "Left a school, and nobody knows where to (" in text
    assert "A place is known, but no roll has the child (" in text
    assert "On no roll for over a year, or never on one (" in text
    assert all("Off roll since " in row or "Never on a roll" in row for row in rows(visit("worker")))


def test_a_case_is_opened_from_the_row_once(visit):
    worker, second = visit("worker"), visit("second")
    row = next(row for row in rows(worker) if "Open a case" in row)
    address = re.search(r'action="(/no-roll/[0-9a-f]{32})"', row).group(1)
    ref = address.removeprefix("/no-roll/")
    answer = worker.submit("/no-roll", address)
    assert (answer.status_code, answer.headers["location"]) == (303, "/no-roll?done=taken")
    again = second.submit("/no-roll", address)
    assert again.status_code == 409
    assert "Somebody else has opened a case for this child." in again.text
    (row,) = [row for row in rows(second) if ref in row]
    assert "Open a case" not in row
    assert "Who has the case:</strong> worker" in row
    assert "Case opened" in worker.get(f"/pupils/{ref}").text
