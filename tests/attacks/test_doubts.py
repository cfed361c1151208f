"""What a worker writes about a child reaches no analyst, unless a lead releases a text.

Before, an analyst read a worker's doubt in full: name, UPN and address.
"""

import re
from dataclasses import replace

import pytest

from serving.access.permissions import RULES
from serving.store import Caller
from serving.store.caller import command_line
from serving.store.cases import doubts
from serving.store.people import details
from serving.store.people.cipher import Cipher
from tests.support.forms import submit
from tests.support.named_children import VALUES

WORDS = "Ann Archer, H801200001001, lives at 7 Mill Lane now"
ANALYST = Caller("dev:analyst", "analyst", "801")


@pytest.fixture
def doubted(staffed):
    worker = staffed.visit("worker")
    sent = submit(worker, staffed.path, f"{staffed.path}/doubt", version="0", table="sen", reason="not_so", text=WORDS)
    assert sent.status_code == 303
    return staffed


def fault_on(page):
    return re.search(r'action="(/faults/[0-9a-f]{32})', page).group(1)


def test_no_page_shows_an_analyst_what_a_worker_wrote(doubted):
    analyst = doubted.visit("analyst")
    page = analyst.get("/model").text
    assert "It did not happen" in page
    for rule in RULES:
        if rule.page and rule.method == "GET" and "analyst" in rule.roles:
            text = analyst.get(rule.route).text
            assert not any(word in text for word in (*WORDS.split(", "), doubted.child)), rule.route
    with doubted.store.view(ANALYST) as view:
        assert WORDS not in str(doubts.faults(view))


OF_CHILDREN = ("/work-list", "/clocks", "/no-roll", "/transition", "/team")


def test_an_analyst_meets_no_child_on_any_page(staffed):
    """Pages of children are refused, and no other names one; ``tests/pages/test_matrix.py`` does so with a population."""
    analyst, worker = staffed.visit("analyst"), staffed.visit("worker")
    assert staffed.child in worker.get(staffed.path).text
    pages = {rule.route for rule in RULES if rule.page and rule.method == "GET" and "{" not in rule.route}
    assert set(OF_CHILDREN) <= pages
    for route in (*sorted(pages), staffed.path):
        answer = analyst.get(route)
        assert staffed.child not in answer.text, route
        assert staffed.path not in answer.text, route
        if route in (*OF_CHILDREN, staffed.path):
            assert answer.status_code == 403, route


@pytest.mark.parametrize(
    "text",
    [
        "Zoe has moved.",
        "Zoe's plan",
        "Zoë’s plan",
        "O'Canary's plan",
        "zoes plan",
        "O`Canary's plan",
        "the o'canary plan",
        "see B801 2000-05001",
        "SYS-987123 is twice there",
    ],
)
def test_no_text_is_released_that_names_the_child(doubted, text):
    cipher = Cipher([b"k" * 64])
    with doubted.store.change(command_line()) as change:
        details.save(change, cipher, {doubted.child: VALUES})
    doubted.app.state.page_context = replace(doubted.app.state.page_context, cipher=cipher)
    lead = doubted.visit("lead")
    path = f"{fault_on(lead.get('/model').text)}/release"
    assert submit(lead, "/model", path, version="1", text=text).status_code == 422
    assert submit(lead, "/model", path, version="1", text="The canal plan has ended.").status_code == 303


@pytest.mark.parametrize(
    ("text", "named"), [("Jo Li has moved", True), ("jo li's plan", True), ("Jo has moved", False)]
)
def test_of_a_name_of_short_words_the_whole_name_is_looked_for(text, named):
    assert details.identifies(text, {**VALUES, "name": "Jo Li"}) == named


def test_an_analyst_reads_what_a_lead_released_and_no_more(doubted):
    analyst, lead = doubted.visit("analyst"), doubted.visit("lead")
    page = lead.get("/model").text
    assert WORDS in page
    path = fault_on(page)
    assert submit(analyst, "/model", f"{path}/release", version="1", text="mine").status_code == 403
    assert submit(doubted.visit("worker"), "/about", f"{path}/release", version="1", text="x").status_code == 403
    assert submit(doubted.visit("lead-2"), "/model", f"{path}/release", version="1", text="x").status_code == 404
    named = submit(lead, "/model", f"{path}/release", version="1", text=f"about {doubted.child.lower()}")
    assert named.status_code == 422
    assert submit(lead, "/model", f"{path}/release", version="1", text="The plan has ended.").status_code == 303
    assert submit(lead, "/model", f"{path}/release", version="1", text="late").status_code == 409
    page = analyst.get("/model").text
    assert "The plan has ended." in page
    assert WORDS not in page
    assert submit(analyst, "/model", path, version="2", text="Mended.").status_code == 303
    assert "Mended." in doubted.visit("worker").get(doubted.path).text
