"""The check of the documentation site finds what it is there for (`make docs-site` builds the site and runs it)."""

import pytest

from tests.house.site import POLICY, faults

HEAD = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
GOOD = f'{HEAD}<h1 id="top">A</h1><a href="b.html#here">b</a><a href="#top">up</a><a href="https://example.org">out</a>'


@pytest.fixture
def site(tmp_path):
    (tmp_path / "index.html").write_text(GOOD)
    (tmp_path / "b.html").write_text(HEAD + '<p id="here">b</p><img src="a.png"><link rel="stylesheet" href="a.css">')
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "a.css").write_text("@font-face { src: url(a.png) }")
    (tmp_path / "a.js").write_text('// see https://example.org\nconst svg = "http://www.w3.org/2000/svg"')
    return tmp_path


def test_a_whole_site_has_no_faults(site):
    assert list(faults(site)) == []


@pytest.mark.parametrize(
    ("file", "text", "what"),
    [
        ("b.html", '<a href="nowhere.html">', "leads nowhere"),
        ("b.html", '<img src="nowhere.png">', "leads nowhere"),
        ("b.html", '<a href="index.html#nothing">', "names no place"),
        ("b.html", '<a href="#nothing">', "names no place"),
        ("b.html", '<script src="https://cdn.example.org/x.js">', "loads https://cdn.example.org/x.js"),
        ("b.html", '<img src="//cdn.example.org/x.png">', "loads //cdn"),
        ("b.html", '<link rel="stylesheet" href="https://fonts.example.org/x.css">', "loads https://fonts"),
        ("b.html", '<link rel="preconnect" href="https://fonts.example.org">', "loads https://fonts"),
        ("b.html", "<script>fetch('https://count.example.org')</script>", "loads //count.example.org"),
        ("b.html", "<p style=\"background: url('https://example.org/a.png')\">", "loads https://example.org"),
        ("a.css", '@import "https://fonts.example.org/x.css"', "loads https://fonts"),
        ("a.css", "a { src: url(//fonts.example.org/x) }", "loads //fonts"),
        ("a.js", "fetch(`https://count.example.org/`)", "loads //count.example.org"),
    ],
)
def test_each_fault_is_found(site, file, text, what):
    (site / file).write_text((site / file).read_text().replace("see https", "see") + text)
    assert [fault for fault in faults(site) if what in fault], list(faults(site))


def test_a_page_without_a_policy_is_found(site):
    (site / "b.html").write_text('<p id="here">b</p>')
    assert list(faults(site)) == ["b.html: no content security policy"]


def test_an_empty_folder_is_no_site(tmp_path):
    assert [fault for fault in faults(tmp_path) if "no page" in fault]
