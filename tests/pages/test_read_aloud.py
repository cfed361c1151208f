"""What stood out when the pages were read aloud from pictures: the same words twice, dates for machines, counts of nothing, loose dots."""

import re
from datetime import timedelta

from histories.calendar import london_today
from serving.pages import pupil_page


def test_a_duty_that_a_child_has_twice_is_named_once(visit, monkeypatch):
    days = [london_today() - timedelta(days=n) for n in (40, 10)]
    duties = [
        {"kind": kind, "started_on": day, "due_on": day} for kind in ("unauthorised_10", "destination") for day in days
    ]
    monkeypatch.setattr(pupil_page.casework, "deadlines", lambda *_, **__: duties)
    client = visit("worker")
    page = client.get(re.search(r'href="(/pupils/[0-9a-f]{32})"', client.get("/work-list").text).group(1)).text
    due = page.partition("What is due</h3>")[2].partition("</ul>")[0]
    assert due.count("Overdue since") == 4
    assert due.count("10 school days missed") == due.count("Find out where the child has gone") == 1


def test_days_are_written_for_people(visit):
    trained_on = visit("analyst").get("/model").text.partition("Trained on")[2].partition("</div>")[0]
    assert re.search(r"\d+ [A-Z][a-z]+ 20\d\d", trained_on)
    assert not re.search(r"\d{4}-\d\d", trained_on)


def test_that_nobody_asked_is_not_counted(visit):
    page = visit("worker").get("/clocks").text
    assert "Nobody has asked yet where the child is." in page
    assert "0 times, the authority 0 times" not in re.sub(r"\s+", " ", page)


def test_no_dot_stands_at_the_end_of_a_printed_row(signed_in):
    page = signed_in("worker")
    page.emulate_media(media="print")
    after = """row => [...row.querySelectorAll('.onroll-list__what p')].filter(p => p.offsetParent).map(
        p => getComputedStyle(p, '::after').content).slice(-1)[0]"""
    rows = page.locator(".onroll-list__item")
    assert [row.evaluate(after) for row in rows.all()] == ["none"] * rows.count()
