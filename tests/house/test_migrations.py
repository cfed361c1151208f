"""Migrations are one line: each has the number of its file, follows the one before, and is named in the list of them."""

import re

from tests.house.code import ROOT

VERSIONS = ROOT / "serving" / "migrations" / "versions"


def numbers(text):
    """Return the revision of a migration and the one that it follows."""
    return tuple(
        re.search(rf"^{name} = (.+)$", text, re.MULTILINE)[1].strip('"') for name in ("revision", "down_revision")
    )


def test_no_two_migrations_follow_the_same_one():
    files = sorted(VERSIONS.glob("0*.py"))
    found = {f: numbers(f.read_text("utf-8")) for f in files}
    assert [f.name for f, (revision, _) in found.items() if not f.name.startswith(f"{revision}_")] == []
    followed = [before for _, before in found.values()]
    assert len(followed) == len(set(followed))
    assert followed[0] == "None"


def test_the_list_of_migrations_names_each_once():
    told = re.findall(r"^\| `(\d{4}_\w+)` \|", (VERSIONS / "README.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(told) == sorted(f.stem for f in VERSIONS.glob("0*.py"))
