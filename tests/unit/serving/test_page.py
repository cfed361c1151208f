"""Page declarations: an incomplete or conflicting one stops the service at its start, and every fault is named."""

import sys
from dataclasses import replace
from types import ModuleType

import pytest

from serving.access.permissions import RULES
from serving.pages import views
from serving.pages.page import Endpoint, Page, WronglyDeclared, check
from serving.pages.views import PAGES
from serving.pages.wording import HERE, Wording
from serving.roles import ROLES

LANGUAGES = sorted(f.stem for f in HERE.glob("*.toml"))
WORDS = ["board.title", "board.menu"]


def show():
    """A placeholder handler."""


@pytest.fixture
def board(tmp_path):
    (tmp_path / "board.html").write_text("")
    return Page(name="board", route="/board", roles=("lead",), sees="a board", handler=show, menu=1)


def wrong(pages, templates, words=WORDS):
    with pytest.raises(WronglyDeclared) as raised:
        check(pages, words, templates)
    return str(raised.value)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_declared_rightly_in_every_language(language):
    check(PAGES, list(Wording.load(language).messages))
    assert len(PAGES) >= 9


def test_a_whole_page_passes(board, tmp_path):
    check([board], WORDS, tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "other"}, "templates/other.html"),
        ({"roles": ()}, "name roles from"),
        ({"roles": ("boss",)}, "name roles from"),
        ({"sees": ""}, "say what the answer holds"),
        ({"route": "board"}, "begin the route with /"),
        ({"home_of": ("worker",)}, "may not open it"),
        ({"endpoints": (Endpoint(method="GET", route="/board", handler=show, sees="x"),)}, "declared twice"),
        ({"endpoints": (Endpoint(method="POST", route="/x", handler=show, sees="x", roles=("boss",)),)}, "POST /x"),
    ],
)
def test_the_missing_parts_of_a_page_are_named(board, tmp_path, change, message):
    assert message in wrong([replace(board, **change)], tmp_path)


@pytest.mark.parametrize("key", WORDS)
def test_missing_words_are_named(board, tmp_path, key):
    assert key in wrong([board], tmp_path, [w for w in WORDS if w != key])


def test_every_fault_is_in_one_message(board, tmp_path):
    message = wrong([replace(board, name="other", sees="", roles=())], tmp_path)
    assert all(part in message for part in ("other.html", "other.title", "name roles", "say what"))


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({"name": "board2", "menu": 2}, "GET /board is declared twice"),
        ({"route": "/2", "menu": 2}, "two pages are named board"),
        ({"name": "board2", "route": "/2"}, "place 1 in the menu"),
    ],
)
def test_pages_that_collide_are_named(board, tmp_path, second, message):
    (tmp_path / "board2.html").write_text("")
    assert message in wrong([board, replace(board, **second)], tmp_path, [*WORDS, "board2.title", "board2.menu"])


def test_a_module_among_the_pages_without_a_declaration_stops_the_import(monkeypatch):
    monkeypatch.setitem(sys.modules, "serving.pages.views.empty", ModuleType("empty"))
    with pytest.raises(WronglyDeclared, match=r"empty\.py declares no PAGE"):
        views._declared("empty")


def test_the_permission_table_has_every_endpoint_of_every_page():
    declared = {(e.method, e.route, e.roles or p.roles) for p in PAGES for e in p.all_endpoints()}
    assert declared == {(r.method, r.route, r.roles) for r in RULES if r.page}


def test_every_role_has_a_page_to_start_on():
    assert sorted(role for page in PAGES for role in page.home_of) == sorted(ROLES)
