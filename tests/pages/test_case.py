"""Cases on the pages: entries are visible to the next person, never overwritten, and free text stays text."""

import csv
import io
import re
from datetime import timedelta

import openpyxl
import pytest

from histories.calendar import london_today
from serving.pages import parts
from serving.pages.wording import Wording
from serving.store.audit.audit_log import entries
from serving.store.caller import command_line
from serving.store.cases.actions import export
from serving.store.sign_in import staff
from tests.support.days import from_today

WORDS = Wording.load("en")
DATED = ("contact", "act", "enquire")  # forms that ask on which day it was: yesterday, unless a test says another
NASTY = """=HYPERLINK("http://x")<script>alert(1)</script>'"><img src=x onerror=alert(1)> {{7*7}} {% raw %} é☃"""


def first(client, n=0):
    return re.findall(r'href="(/pupils/[0-9a-f]{32})"', client.get("/work-list").text)[n]


def version(client, path):
    return re.search(r'name="version" value="(\d+)"', client.get(path).text).group(1)


def do(client, path, what, **fields):
    fields = ({"on": str(from_today(-1))} if what in DATED else {}) | fields
    return client.submit(path, f"{path}/{what}", version=fields.pop("version", None) or version(client, path), **fields)


def test_a_saved_record_is_shown_and_written_to_the_histories(site, visit, tmp_path):
    one, two = visit("worker"), visit("second")
    path = first(one)
    done = [
        do(one, path, "assign", to="dev:second"),
        do(one, path, "contact", outcome="spoke_help", text="rang at nine"),
        do(one, path, "act", action="home_visit"),
        do(two, path, "note", text="ask for the aunt"),
    ]
    assert [(d.status_code, d.headers["location"]) for d in done] == [
        (303, f"{path}?done={w}") for w in ("assign", "contact", "act", "note")
    ]
    page, yesterday = two.get(path).text, WORDS.day(from_today(-1))
    for text in ("rang at nine", "ask for the aunt", "Home visit", "they want help", yesterday, "second"):
        assert text in page
    assert "second" in one.get("/work-list").text
    with site.store.view(command_line()) as view:
        assert export(view, tmp_path / "interventions.parquet", no_conversation=()) >= 2
        actions = {e["action"] for e in entries(view)}
    assert {
        "case.opened",
        "case.assigned",
        "case.contact",
        "case.action",
        "case.note",
        "pupil.seen",
        "worklist.seen",
    } <= actions


def test_enquiries_show_who_was_asked_who_was_not_and_whose_turn_it_is(visit, monkeypatch):
    monkeypatch.setattr(parts, "FIRST", 10_000)  # all duties on one page
    client = visit("worker")
    rows = re.findall(r'<li class="onroll-list__item.*?</li>', client.get("/clocks").text, re.DOTALL)
    row = next(row for row in rows if "Find out where the child has gone" in row)
    lost = re.search(r'href="(/pupils/[0-9a-f]{32})#enquiries"', row).group(1)
    assert "Nobody has asked yet" in client.get(lost).text
    school = {"source": "parents", "by": "school", "result": "no_answer", "turn": "authority"}
    assert do(client, lost, "enquire", **school).headers["location"] == f"{lost}?done=enquire"
    page = client.get(lost).text
    assert "Only the school has asked so far" in page
    assert "Next: the authority" in page
    assert "the school 1 time, the authority 0 times" in client.get("/clocks").text
    council = {"source": "housing", "by": "authority", "result": "new_address"}
    assert do(client, lost, "enquire", **council).status_code == 303
    page = client.get(lost).text
    assert "School and authority have both asked" in page
    assert "Next: " not in re.search(r'id="enquiries".*?</table>', page, re.DOTALL).group()
    assert "Not asked yet: 14" in page
    assert do(client, lost, "close", reason="nothing_more").status_code == 303
    page = client.get(lost).text
    assert "School and authority have both asked" in page, "asking is not forgotten with the case"
    assert do(client, lost, "note", text="once more").status_code == 303
    assert "School and authority have both asked" in client.get(lost).text
    assert "the school 1 time, the authority 1 time" in client.get("/clocks").text


@pytest.mark.parametrize("field", ["source", "by", "result", "turn"])
def test_an_enquiry_off_the_lists_is_refused_and_kept_in_the_form(visit, field):
    client = visit("worker")
    path = first(client, 4)
    fields = {"source": "parents", "by": "school", "result": "no_answer", "turn": "", "text": "rang twice"}
    answer = do(client, path, "enquire", **{**fields, field: "x"})
    assert answer.status_code == 422
    assert f'id="enquire-{field}-error"' in answer.text
    assert ">rang twice</textarea>" in answer.text


def test_who_wrote_is_named_after_the_account_was_closed(site, visit):
    one, two = visit("worker"), visit("second")
    path = first(one, 7)
    assert do(two, path, "note", text="before I left").status_code == 303
    assert do(one, path, "assign", to="dev:second").status_code == 303

    def set_active(active):
        with site.store.change(command_line()) as change:
            staff.set_active(change, "dev:second", active=active)

    set_active(False)
    try:
        pages = one.get(path).text, visit("lead").get("/team").text
    finally:
        set_active(True)
    assert "before I left" in pages[0]
    for page in pages:
        assert "dev:second" not in page.replace('value="dev:second"', "")
        assert "second" in page


def test_two_people_do_not_overwrite_each_other(visit):
    one, two = visit("worker"), visit("second")
    path = first(one, 1)
    seen = version(one, path)
    assert do(one, path, "note", text="the first", version=seen).status_code == 303
    late = do(two, path, "note", text="the second", version=seen)
    assert late.status_code == 409
    assert "Somebody else changed this case" in late.text
    assert "the first" in late.text
    assert ">the second</textarea>" in late.text, "what was written is not lost"
    again = re.search(r'name="version" value="(\d+)"', late.text).group(1)
    assert do(two, path, "note", text="the second", version=again).status_code == 303


def test_a_child_set_aside_leaves_the_list_and_returns(visit):
    client = visit("worker")
    path = first(client, 2)
    assert do(client, path, "dismiss", reason="moved").status_code == 303
    assert path not in client.get("/work-list").text
    assert "not for this child: 1." in client.get("/work-list").text
    assert do(client, path, "wake").status_code == 303
    assert do(client, path, "snooze", until=str(london_today() + timedelta(days=40))).status_code == 303
    assert path not in client.get("/work-list").text
    assert do(client, path, "wake").status_code == 303
    assert path in client.get("/work-list").text
    assert do(client, path, "close", reason="in_education").status_code == 303
    assert version(client, path) == "0"


def test_a_doubt_goes_to_the_analyst_without_the_child_and_comes_back_answered(visit):
    worker, analyst = visit("worker"), visit("analyst")
    path = first(worker, 3)
    assert (
        do(
            worker, path, "doubt", table="attendance", on="2025-03-03", reason="other_value", text="she was at school"
        ).status_code
        == 303
    )
    page = analyst.get("/model").text
    assert "Something else happened" in page
    assert "she was at school" not in page
    # Other tests report faults too: this one's form comes after its text.
    fault = re.search(r'Something else happened.*?action="(/faults/[0-9a-f]{32})"', page, re.DOTALL).group(1)
    assert analyst.submit("/model", fault, version="1", text="").status_code == 422
    assert analyst.submit("/model", fault, version="1", text="mended in the next return").status_code == 303
    assert analyst.submit("/model", fault, version="1", text="again").status_code == 409
    assert "mended in the next return" in worker.get(path).text


def test_a_duty_is_stopped_once_and_with_words(visit):
    client = visit("worker")
    clock = re.findall(r'action="(/clocks/[0-9a-f]{32})"', client.get("/clocks").text)[-1]
    assert client.submit("/clocks", clock, version="1", text=" ").status_code == 422
    assert client.submit("/clocks", clock, version="1", text=NASTY).status_code == 303
    assert clock not in client.get("/clocks").text
    assert client.submit("/clocks", clock, version="1", text="again").status_code == 409


def test_a_child_without_enquiries_is_on_the_first_page(visit):
    """Off roll, not found and without a case: the list cannot contain such children, so its page counts them."""
    warning = r"Children off roll whom nobody can find, with no case open: [1-9]"
    assert re.search(warning, visit("worker").get("/work-list").text)
    assert re.search(warning, visit("lead").get("/clocks").text)
    assert "with no case open" not in visit("stranger").get("/work-list").text


@pytest.mark.parametrize(
    ("what", "fields", "wrong"),
    [
        ("contact", {"on": "2999-01-01", "outcome": "spoke_well"}, "contact-on"),
        ("contact", {"on": "x", "outcome": "spoke_well"}, "contact-on"),
        ("contact", {"outcome": "invented"}, "contact-outcome"),
        ("act", {"action": ""}, "act-action"),
        ("note", {"text": "  "}, "note-text"),
        ("note", {"text": "x" * 5001}, "note-text"),
        ("snooze", {"until": "2020-01-01"}, "snooze-until"),
        ("dismiss", {"reason": NASTY}, "dismiss-reason"),
        ("assign", {"to": "dev:stranger"}, "assign-to"),
        ("doubt", {"table": "audit", "reason": "other"}, "doubt-table"),
        ("doubt", {"table": "sen", "reason": "invented"}, "doubt-reason"),
    ],
)
def test_errors_are_shown_beside_the_field(visit, what, fields, wrong):
    client = visit("worker")
    path = first(client, 4)
    before = version(client, path)
    answer = do(client, path, what, **fields)
    assert answer.status_code == 422
    assert "There is a problem" in answer.text
    assert f'href="#{wrong}"' in answer.text
    assert f'id="{wrong}-error"' in answer.text
    assert version(client, path) == before


def test_text_stays_text_wherever_it_is_shown(visit):
    worker, lead, analyst = visit("worker"), visit("lead"), visit("analyst")
    path = first(worker, 5)
    for what, fields in (
        ("note", {"text": NASTY}),
        ("contact", {"outcome": "no_answer", "text": NASTY}),
        ("act", {"action": "other", "text": NASTY}),
        ("doubt", {"table": "sen", "reason": "other", "text": NASTY}),
        ("dismiss", {"reason": "not_right", "text": NASTY}),
    ):
        assert do(worker, path, what, **fields).status_code == 303
    pages = [worker.get(path).text, analyst.get("/model").text, lead.get("/team").text]
    pages.append(do(worker, path, "snooze", until=NASTY).text)
    pages.append(
        worker.get(
            "/work-list", params={"school": NASTY, "theme": NASTY, "sort": NASTY, "year": NASTY, "locality": NASTY}
        ).text
    )
    pages.append(worker.get(path, params={"record": NASTY, "done": NASTY}).text)
    for page in pages:
        assert "<script" not in page
        assert "<img" not in page
        assert " 49 " not in page
    assert sum("&lt;script&gt;" in page for page in pages) >= 2
    assert do(worker, path, "wake").status_code == 303
    assert do(worker, path, "note", text="a\x00b").status_code == 400


def test_a_character_that_no_workbook_can_hold_breaks_no_export(site, visit):
    """Before, a vertical tab in a school's name made the export a 500."""
    urn = site.scores[0].urn
    named = "UPDATE schools SET name = ? WHERE urn = ?"
    with site.store.engine.begin() as connection:
        (before,) = connection.exec_driver_sql("SELECT name FROM schools WHERE urn = ?", (urn,)).one()
        connection.exec_driver_sql(named, ("Hill\x0bSide \x01\x1f", urn))
    answer = visit("worker").get("/work-list.xlsx")
    with site.store.engine.begin() as connection:
        connection.exec_driver_sql(named, (before, urn))
    assert answer.status_code == 200
    cells = {str(cell.value) for row in openpyxl.load_workbook(io.BytesIO(answer.content)).active for cell in row}
    assert "HillSide " in cells


def test_exports_are_safe_for_spreadsheets_and_match_the_page(site, visit):
    client = visit("worker")
    name = site.scores[0].urn
    with site.store.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE schools SET name = '=cmd|'' /C calc''!A0' WHERE urn = '{name}'")
    rows = list(csv.reader(io.StringIO(client.get("/work-list.csv").content.decode("utf-8-sig"))))
    book = openpyxl.load_workbook(io.BytesIO(client.get("/work-list.xlsx").content)).active
    assert [c.value for c in book[1]] == rows[0]
    shown = re.findall(r'href="/pupils/[0-9a-f]{32}">(\w+)</a>', client.get("/work-list").text)
    assert [r[1] for r in rows[1:-1]] == shown
    assert any(r[2].startswith("'=cmd") for r in rows[1:-1])
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    assert all(cell.data_type != "f" for row in book for cell in row)
    with site.store.view(command_line()) as view:
        assert sum(1 for _ in entries(view, action="worklist.exported")) >= 2
        view.record("audit.seen")
