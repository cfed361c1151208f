"""What is wrong in a built documentation site; ``python -m tests.house.site FOLDER`` lists it and fails if there is any."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

# What a browser loads without being asked; a link to follow is not among it.
LOADED = {"src", "srcset", "poster", "data"}
FOREIGN = re.compile(r"^\s*(?:[a-z]+:)?//", re.IGNORECASE)
IN_SHEETS = re.compile(r"(?:url\(|@import)\s*[\"']?\s*((?:https?:)?//[^\"')\s]+)", re.IGNORECASE)
IN_SCRIPTS = re.compile(r"[\"'`]((?:https?|wss?):)?(//[\w-]+\.[\w.-]+)")
# Names of XML's vocabularies look like addresses and are fetched by nobody.
VOCABULARIES = {"//www.w3.org"}
POLICY = "default-src 'self'"


@dataclass
class Page(HTMLParser):
    """The places on a page that can be linked to, and all that it links to or loads."""

    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    policy: bool = False
    script: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag names, links to or loads."""
        given = {name: value or "" for name, value in attrs}
        self.ids |= {given[name] for name in ("id", "name") if name in given and tag != "meta"}
        self.policy |= given.get("content", "").startswith(POLICY)
        self.loads += [given[name] for name in LOADED & set(given)]
        if "style" in given:
            self.loads += IN_SHEETS.findall(given["style"])
        if "href" in given:
            (self.links if tag == "a" or given.get("rel") in {"next", "prev", "canonical"} else self.loads).append(
                given["href"]
            )
        self.script = tag in {"script", "style"}

    def handle_data(self, data: str) -> None:
        """Note what an inline script or sheet loads."""
        if self.script:
            self.loads += [*foreign_in_script(data), *IN_SHEETS.findall(data)]
            self.script = False


def foreign_in_script(text: str) -> list[str]:
    """Return the addresses of other hosts that stand as a string in a script."""
    return [host for _, host in IN_SCRIPTS.findall(text) if host not in VOCABULARIES]


def faults(site: Path) -> Iterator[str]:
    """Yield each broken link, each fetch from another host and each page without a policy, as ``file: what``."""
    pages = {}
    for file in sorted(site.rglob("*.html")):
        pages[file.resolve()] = page = Page()
        page.feed(file.read_text("utf-8"))
    if not pages:
        yield f"{site}: no page"
    for file, page in pages.items():
        where = file.relative_to(site.resolve())
        if not page.policy:
            yield f"{where}: no content security policy"
        yield from (f"{where}: loads {address}" for address in page.loads if FOREIGN.match(address))
        for link in [*page.links, *page.loads]:
            if re.match(r"^\s*(?:[a-z]+:|//)", link, re.IGNORECASE):
                continue
            path, _, anchor = link.partition("#")
            start = site.resolve() if path.startswith("/") else file.parent
            target = (start / unquote(path.partition("?")[0]).lstrip("/")).resolve() if path else file
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file():
                yield f"{where}: {link} leads nowhere"
            elif anchor and target in pages and unquote(anchor) not in pages[target].ids:
                yield f"{where}: {link} names no place on that page"
    for pattern, search in (("*.css", IN_SHEETS.findall), ("*.js", foreign_in_script)):
        for file in sorted(site.rglob(pattern)):
            yield from (f"{file.relative_to(site)}: loads {host}" for host in search(file.read_text("utf-8")))


if __name__ == "__main__":
    rows = list(faults(Path(sys.argv[1])))
    sys.stdout.write("\n".join([*rows, f"{len(rows)} faults in the site"]) + "\n")
    sys.exit(bool(rows))
