"""What a worker writes about a child reaches no analyst, unless a lead releases a text.

Before, an analyst read a worker's doubt in full: name, UPN and address.
"""

import json
import re
from dataclasses import replace

import pytest

from serving.access.permissions import RULES
from serving.store import Caller
from serving.store.audit.audit_log import entries
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


def named(doubted, name):
    """Store a child's name, and return a lead, the address to release a text at, and what it answers to a text."""
    cipher = Cipher([b"k" * 64])
    with doubted.store.change(command_line()) as change:
        details.save(change, cipher, {doubted.child: {**VALUES, "name": name}})
    doubted.app.state.page_context = replace(doubted.app.state.page_context, cipher=cipher)
    lead = doubted.visit("lead")
    path = f"{fault_on(lead.get('/model').text)}/release"
    return lambda text, version="1", **more: submit(lead, "/model", path, version=version, text=text, **more)


def test_a_person_can_say_that_an_everyday_word_is_not_the_childs_name(doubted):
    release = named(doubted, "May Hope Canary")
    text = "The register of May is wrong, and so are the marks of June."
    refused = release(text)
    assert refused.status_code == 422
    assert text in refused.text, "what was written stays"
    assert "no word of it means the child" in refused.text
    assert release(text, no_name="yes").status_code == 303
    with doubted.store.view(command_line()) as view:
        (entry,) = [e for e in entries(view) if e["action"] == "fault.released"]
        view.record("audit.seen")
    assert entry["details"]["said_no_name"] is True
    assert "may" not in json.dumps(entry).lower()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(
            ("May Hope Canary", text)
            for text in (
                "May Hope is not ill",
                "the plan of May Canary",
                "the Canary plan",
                "May's plan",
                "May\u2019s plan",
                "in May, see B801200005001",
                "in May, see SYS-987123",
                "Mays plan",
                "May\u00b4s plan",
                "M\u00e1y's plan",
            )
        ),
        ("May Li", "May Li is ill"),
        ("May Ng Ho", "the plan of May Ho"),
        ("Zoe May Hill", "The register of May is wrong."),
        ("Li May Wei", "The register of May is wrong."),
        *((name, "The register of May is wrong.") for name in ("Zoe May", "May, Zoe", "May", "Zoe Summer-May")),
        ("Zoe Canary", "Zoe is not ill"),
    ],
)
def test_nobodys_word_releases_what_means_the_child(name, text):
    person = {**VALUES, "name": name}
    assert details.identifies(text, person)
    assert not details.may_be_no_name(text, person)


def test_nobodys_word_releases_a_reference_a_surname_or_a_postcode(doubted):
    """What was refused stands in the audit, and none of its words."""
    release = named(doubted, "May Canary")
    for text in ("in May, of p-attacked", "the Canary plan of May", "The home is ab12-3ed now.", "AB1 1ST"):
        assert release(text, no_name="yes").status_code == 422
    said = "Y10 9am, Y9 1st week, Y6 2nd, KS3 2nd half, Year 6 of 2026: 12 of 20 marks."
    assert release(said).status_code == 303
    with doubted.store.view(command_line()) as view:
        refused = [e["details"] for e in entries(view) if e["action"] == "fault.not_released"]
        read = [e["pupils"] for e in entries(view, pupils=[doubted.child]) if e["action"] == "fault.not_released"]
        view.record("audit.seen")
    assert [sorted(details) for details in refused] == [["address", "fault_id", "said_no_name"]] * 4
    assert len(read) == 4, "each names the child, by reference"


def test_a_name_is_not_found_by_halving_a_list_of_names(doubted, caplog):
    """Before, eleven forms found one of 512 surnames for a lead who may see none, and the audit named no child."""
    release, statuses = named(doubted, "Zoe Canary"), []
    names = [f"Surname{a}{b}" for a in "abcdefgh" for b in "abcdefgh"] + ["Canary"]
    assert release(" ".join(names)).status_code == 422, "a list of names is no text about a record"
    while len(names) > 1 and len(statuses) < 20:
        half = names[: len(names) // 2]
        statuses.append(
            release(" ".join(half)[: doubts.MAX_RELEASED], version=str(1 + statuses.count(303))).status_code
        )
        names = half if statuses[-1] == 422 else names[len(names) // 2 :]
    with doubted.store.view(command_line()) as view:
        said = [e["action"] for e in entries(view, pupils=[doubted.child]) if e["action"].startswith("fault.")]
        view.record("audit.seen")
    assert said.count(doubts.TRIED) == doubts.MAX_TRIES
    assert "many texts about one child" in [r.getMessage() for r in caplog.records if r.name == "onroll.alarm"]
    page = release("The plan has ended.", version=str(1 + statuses.count(303)))
    assert (page.status_code, "Too many texts" in page.text) == (422, True)


def test_whom_a_lead_reads_of_is_in_the_audit(doubted):
    """Before, a lead read a worker's words with a link to the child, and the audit named nobody."""
    for user, names in (("lead", True), ("analyst", False)):
        doubted.visit(user).get("/model")
        with doubted.store.view(command_line()) as view:
            seen = [e for e in entries(view, action="faults.seen") if e["who"] == f"dev:{user}"]
            of_child = [
                e for e in entries(view, action="faults.seen", pupils=[doubted.child]) if e["who"] == f"dev:{user}"
            ]
            view.record("audit.seen")
        assert (bool(seen), bool(of_child)) == (True, names), user


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
