"""A withdrawn model: no page shows a score, every page says so, and deadlines go on."""

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest


@pytest.fixture
def withdrawn(visit, monkeypatch):
    live = visit().app.app.state.live_model
    live.model()
    monkeypatch.setattr(live, "withdrawn", True)
    monkeypatch.setattr(live, "current", None)
    return live


@pytest.fixture
def serves_no_longer(visit, monkeypatch):
    """Let another version serve than the one that made the lists, and return that one."""
    live = visit().app.app.state.live_model
    version = live.model().manifest.version
    monkeypatch.setattr(live, "current", SimpleNamespace(manifest=replace(live.current.manifest, version="99")))
    return version


def test_an_empty_list_gives_the_reason(visit, withdrawn, site):
    client = visit("worker")
    page = client.get("/work-list").text
    assert "The model was withdrawn" in page
    assert "Work from the deadlines and your cases" in page
    exported = client.get("/work-list.csv").text
    assert pupils_in(f"{page}\n{exported}", site.pupil_ids) == set()


def pupils_in(text, pupil_ids):
    """Return the identifiers that occur in a text, inside words too; searching for each one would take minutes for many pupils."""
    lengths = {len(i) for i in pupil_ids}
    pieces = (text[at : at + length] for length in lengths for at in range(len(text)))
    return {piece for piece in pieces if piece in pupil_ids}


def test_a_childs_page_shows_no_score_and_keeps_the_case(visit, withdrawn, site):
    client = visit("worker")
    ref = next(iter(_references(client)))
    page = client.get(ref)
    assert page.status_code == 200
    assert "No score is shown while the model is withdrawn" in page.text
    assert "when tested" not in page.text
    assert "<form" in page.text


def test_deadlines_go_on(visit, withdrawn):
    page = visit("worker").get("/clocks").text
    assert "The model was withdrawn" in page
    assert "/pupils/" in page


def test_my_cases_go_on(visit, withdrawn, site):
    client = visit("second")
    ref = next(iter(_references(client)))
    version = re.search(r'name="version" value="(\d+)"', client.get(ref).text).group(1)
    assert client.submit(ref, f"{ref}/assign", version=version, to="dev:second").status_code == 303
    assert f'href="{ref}?show=mine"' in client.get("/work-list?show=mine").text
    assert "Your cases of children" not in client.get("/work-list").text


def test_a_list_whose_model_serves_no_longer_says_so_on_every_page_and_in_the_file(visit, serves_no_longer):
    client = visit("worker")
    page = client.get("/work-list").text
    ref = re.search(r'href="(/pupils/[0-9a-f]{32})', page).group(1)
    for text in (page, client.get("/work-list.csv").text, client.get(ref).text):
        assert "serves no longer" in text


def test_a_list_that_was_taken_back_is_hidden_and_its_day_is_told(visit, serves_no_longer, site, monkeypatch):
    client = visit("worker")
    monkeypatch.setattr(client.app.app.state.store, "taken_back", lambda: frozenset({serves_no_longer}))
    page, exported = (client.get(path).text for path in ("/work-list", "/work-list.csv"))
    for text in (page, exported):
        assert "is not shown: the model that made it was withdrawn or rolled back" in text
    assert pupils_in(f"{page}\n{exported}", site.pupil_ids) == set()


def _references(client):
    page = client.get("/clocks").text
    return set(re.findall(r'href="(/pupils/[0-9a-f]{32})"', page))
