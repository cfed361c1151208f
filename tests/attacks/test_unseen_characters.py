"""Characters that are not seen turn no page into something else than it holds: in names, schools, notes, and what is typed."""

import re

import sqlalchemy as sa

from histories.io.html import UNSEEN, render
from serving.store.cases.casework_tables import School
from serving.store.database import writing
from tests.support.forms import submit

TURNED = "\u202egnissim\u202c \u2066a\u2069\u200f\u061c \x1b[2Jb\x85\x7f"
# Written from right to left by itself, with a joiner that is part of how words are written; and a family of one picture.
KEPT = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \U0001f468\u200d\U0001f469\u200d\U0001f467"


def shown(text):
    assert not UNSEEN.search(text), [hex(ord(c)) for c in UNSEEN.findall(text)]
    return text


def test_no_page_shows_characters_that_are_not_seen(staffed):
    """Before, a note or the name of a school could say on a page the reverse of what is stored."""
    with writing(staffed.store.engine) as connection:
        connection.execute(sa.insert(School), {"urn": "100", "name": f"St {TURNED}{KEPT}", "phase": "secondary"})
    worker = staffed.visit("worker")
    note = f"the aunt {TURNED}{KEPT}"
    assert submit(worker, staffed.path, f"{staffed.path}/note", version="0", text=note).status_code == 303
    page = shown(worker.get(staffed.path).text)
    assert "the aunt gnissim a" in page
    assert KEPT in page
    assert "St gnissim a" in shown(worker.get("/work-list").text)
    assert submit(worker, "/work-list", "/work-list/filters?year=7", name=f"mine {TURNED}").status_code == 303
    shown(worker.get("/work-list").text)
    again = submit(worker, "/work-list", "/work-list/find", reference=f"who {TURNED}")
    shown(again.text)
    for path in ("/clocks", "/no-roll", "/transition", "/about"):
        shown(worker.get(path).text)


def test_every_template_is_rendered_so(tmp_path):
    template = tmp_path / "page.html"
    template.write_text("<p>{{ what }}</p>{% for c in what %}{{ c }}{% endfor %}")
    text = render(template, what=f"a<b {TURNED}{KEPT}")
    assert shown(text).startswith("<p>a&lt;b gnissim a")
    assert KEPT in re.sub(r"<[^>]*>", "", text)
