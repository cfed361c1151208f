"""Hooks of MkDocs: pages that live outside docs/, the API reference, and the policy that keeps browsers at home.

README.md, GLOSSARY.md, CHANGELOG.md, CONTRIBUTING.md, SECURITY.md and the rooms' READMEs stay where readers of the
repository look for them; here they become pages of the site and their links are rewritten. The tutorial is a notebook,
shown with its outputs. The API reference has one page for each folder of a room, and the figures of
benchmarks one picture each.
"""

from __future__ import annotations

import posixpath
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

sys.path.insert(0, str(Path(__file__).parent))  # MkDocs loads this file by its path
from history_page import history_page
from notebook_page import page_of

ROOT = Path(__file__).parents[1]
ROOMS = [room for room in ("onroll", "histories", "features", "training", "serving") if (ROOT / room).is_dir()]
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "GLOSSARY.md": "glossary.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    **{f"{room}/README.md": f"rooms/{room}.md" for room in ROOMS if (ROOT / room / "README.md").is_file()},
}
# Declarations by the dozen, which have generated pages of their own, and code that only its folder calls.
LEFT_OUT = {"rules", "specs", "themes", "migrations", "cli", "pages", "versions", "templates"}
# Browsers refuse whatever the theme's script might ask of another host.
POLICY = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'self'; img-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; worker-src 'self' blob:\">"
)
LINK = re.compile(r"\[([^\]]*)\]\((?!https?:|#|mailto:)([^)#\s]+)((?:#[^)\s]*)?)\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages from outside docs/ and the API reference, and append them to the navigation."""
    for source, page in PAGES.items():
        text = moved((ROOT / source).read_text("utf-8"), source, page)
        files.append(File.generated(config, page, content=text))
    reference = {f"api/{name}.md": text for name, text in api_pages()}
    for page, text in reference.items():
        files.append(File.generated(config, page, content=text))
    text, pictures = page_of(ROOT / "docs" / "tutorial.ipynb")
    files.append(File.generated(config, "tutorial.md", content=text))
    for name, picture in pictures.items():
        files.append(File.generated(config, name, content=picture))
    files.append(
        File.generated(config, "performance-history.md", content=history_page(ROOT / "benchmarks" / "history.jsonl"))
    )
    decisions = sorted(f.src_uri for f in files if f.src_uri.startswith("decisions/"))
    config.nav = [
        *config.nav,
        {"Rooms": [page for page in PAGES.values() if page.startswith("rooms/")]},
        {"Decisions": decisions},
        {"API": list(reference)},
    ]
    return files


def moved(text: str, source: str, page: str) -> str:
    """Rewrite a page's relative links from its place in the repository to the site; what is not on the site loses its link."""

    def link(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), match[2]))
        if target not in PAGES and not target.startswith("docs/"):
            return match[1]
        on_site = PAGES.get(target, target.removeprefix("docs/").replace(".ipynb", ".md"))
        return f"[{match[1]}]({posixpath.relpath(on_site, posixpath.dirname(page) or '.')}{match[3]})"

    return LINK.sub(link, text)


def api_pages() -> Iterator[tuple[str, str]]:
    """Yield the name and text of a page for each folder of code whose modules others import."""
    for room in ROOMS:
        for folder in [ROOT / room, *sorted(p.parent for p in (ROOT / room).rglob("*/__init__.py"))]:
            parts = folder.relative_to(ROOT).parts
            if LEFT_OUT & set(parts):
                continue
            name = ".".join(parts)
            modules = [f"{name}.{f.stem}" for f in sorted(folder.glob("*.py")) if not f.stem.startswith("_")]
            blocks = [f"::: {module}\n" for module in modules]
            yield name, "\n".join([f"# `{name}`\n", f"::: {name}\n    options: {{ members: false }}\n", *blocks])


def on_post_page(output: str, **_: Any) -> str:
    """Put the policy at the head of every page."""
    return output.replace("<head>", "<head>" + POLICY, 1)


def on_post_template(output: str, template_name: str, **_: Any) -> str:
    """Put the policy at the head of the page for what is not found."""
    return on_post_page(output) if template_name.endswith(".html") else output


def on_post_build(config: Any) -> None:
    """Cut what the theme's script could ask of other hosts (Mermaid, a polyfill, GitHub's counts) and languages other than English."""
    assets = Path(config.site_dir) / "assets" / "javascripts"
    for script in assets.glob("bundle.*.js"):
        text = script.read_text("utf-8")
        script.write_text(re.sub(r"https://(?:unpkg\.com|api\.github\.com)/", "./", text), "utf-8")
    for unused in [
        *assets.rglob("*.map"),
        *(assets.parent / "stylesheets").glob("*.map"),
        *assets.glob("lunr/**/*.js"),
    ]:
        unused.unlink()
