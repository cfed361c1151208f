"""The administrator's pages: accounts with their last use, and the audit by name; of the authority alone, and without children."""

import re

import pytest

from serving.pages.wording import Wording


def cells(page):
    rows = re.findall(r'<tr class="govuk-table__row"><th scope="row".*?</tr>', page, re.DOTALL)
    return [
        [re.sub(r"<.*?>|\s+", " ", cell).strip() for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)]
        for row in rows
    ]


def test_accounts_are_shown_with_their_role_scope_and_last_use(site, visit):
    visit("north").get("/work-list")
    visit("stranger").get("/work-list")
    page = visit("administrator").get("/staff").text
    rows = {row[0]: row for row in cells(page)}
    assert rows["north"][1] == "early-help worker"
    assert rows["north"][2] == f"{len(site.north)} schools of authority {site.authority}"
    assert rows["north"][4] == "Open"
    assert "Never" not in rows["north"][5]
    assert rows["administrator"][2] == f"The whole of authority {site.authority}"
    assert "stranger" not in rows, "another authority's account"


def test_the_audit_says_who_did_what_by_name_and_about_how_many_children(site, visit):
    visit("worker").get("/work-list")
    page = visit("administrator").get("/audit").text
    rows = cells(page)
    assert ["worker", "early-help worker", "Looked at the list"] in [row[1:4] for row in rows]
    assert any(int(row[4]) > 1 for row in rows)
    assert not [row[3] for row in rows if re.fullmatch(r"[a-z_.]+", row[3])], "no entry is named by its code"
    assert "dev:" not in page
    assert not re.search(r"\bP\d{7}\b", page), "no child is named"
    visit("stranger").get("/work-list")
    assert "stranger" not in {row[1] for row in cells(visit("administrator").get("/audit").text)}


def test_a_key_is_known_by_its_holder_and_never_by_its_id(site, visit):
    named, key = site.store.create_key("administrator", site.authority, holder="Robin Hill")
    nameless, other = site.store.create_key("worker", site.authority)
    signed_in, by_token = visit(), visit()
    signed_in.submit("/sign-in", "/sign-in", key=key)
    by_token.post("/api/v1/worklist", json={}, headers={"Authorization": f"Bearer {other}"})
    try:
        pages = [signed_in.get(page).text for page in ("/staff", "/audit", "/sessions")]
        assert all("Signed in as Robin Hill" in page for page in pages)
        for page in pages[:2]:
            assert not {named, nameless} & set(re.findall(r"\w+", page))
            names = {name.removesuffix(" (key)") for row in cells(page) for name in row[:2]}
            assert "Robin Hill" in names
            assert any(re.fullmatch(r"worker key of \d\d? [A-Z][a-z]+ \d{4}.*", name) for name in names)
        assert "Robin Hill" in visit("lead").get("/work-list").text, "a case can be given to the holder"
    finally:
        site.store.revoke(named)
        site.store.revoke(nameless)


@pytest.mark.parametrize(
    ("role", "page"), [("lead", "/team"), ("lead", "/monitor"), ("lead", "/transition"), ("worker", "/about")]
)
def test_missing_is_explained_where_a_page_speaks_of_it(visit, role, page):
    text = visit(role).get(page).text
    assert "went missing" in text.lower()
    assert "What “missing” means here" in text
    assert Wording.load("en").meaning("commissioner_or_unknown") in text


@pytest.mark.parametrize("role", ["worker", "lead", "analyst"])
@pytest.mark.parametrize("page", ["/staff", "/audit"])
def test_nobody_else_opens_them(visit, role, page):
    assert visit(role).get(page).status_code == 403
    assert f'href="{page}"' not in visit(role).get("/about").text
