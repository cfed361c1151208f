"""What the pages for people name exists: files of the repository, and verbs and options of the command."""

import re
import shlex
import tomllib

import click
import pytest

from serving.cli.main import onroll
from tests.house.code import ROOT

# Generated pages are checked by `make docs-check`; the changelog names what was.
PAGES = sorted(
    str(page.relative_to(ROOT))
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *(ROOT / "mlruns").glob("*.md")]
    + [page for room in ("histories", "features", "training", "serving") for page in (ROOT / room).rglob("README.md")]
    if page.name != "CHANGELOG.md"
)
FILES = re.compile(r"`((?:[\w.-]+/)*[\w.-]+\.(?:py|md|toml|yaml|yml|css|json)|(?:[\w.-]+/)+)(?:::\w+)?`")
LINES = re.compile(r"^(?:```|~~~).*?^(?:```|~~~)", re.MULTILINE | re.DOTALL)
# Made by a run, or by the reader: on no checkout.
MADE = re.compile(
    r"^(?:(?:\.venv|\.onroll|\.bentoml|artifacts|releases|mlruns/artifacts|mlruns/releases|site|demo)/"
    r"|mlruns/histories\.json"
    r"|(?:onroll|ours|own_features|marks|aliases|access|pages|gates|mapping|manifest|recipe|report)\.)"
)


def exists(name, page):
    """Tell whether a file that a page names is in the repository, or anywhere in the room whose README the page is."""
    folder = (ROOT / page).parent
    return (ROOT / name).exists() or (folder / name).exists() or (folder != ROOT and any(folder.rglob(name)))


@pytest.mark.parametrize("path", PAGES)
def test_every_file_that_a_page_names_exists(path):
    named = {
        name
        for name in FILES.findall((ROOT / path).read_text("utf-8"))
        if not MADE.match(name) and "NNN_" not in name and "NAME" not in name
    }
    assert sorted(name for name in named if not exists(name, path)) == []


def commands():
    """Yield each command line of onroll in a page's code blocks, and those in running text."""
    for page in PAGES:
        text = (ROOT / page).read_text("utf-8")
        blocks = [line.strip() for block in LINES.findall(text) for line in block.splitlines()]
        inline = re.findall(r"`(onroll [^`]+)`", LINES.sub("", text))
        for line in [*blocks, *inline]:
            if re.match(r"(?:\$ )?onroll [a-z-]", line):
                yield pytest.param(line.removeprefix("$ "), id=f"{page}: {line[:60]}")


@pytest.mark.parametrize("line", list(commands()))
def test_every_command_that_a_page_shows_has_its_verbs_and_options(line):
    command, names = onroll, []
    words = shlex.split(line.replace("…", "").replace("'", ""), comments=True)[1:]
    while words and isinstance(command, click.Group) and not words[0].startswith("--"):
        name = words.pop(0).split("|")[0]
        assert name in command.list_commands(click.Context(command)), f"{' '.join(names)} has no verb {name}"
        names.append(name)
        command = command.get_command(click.Context(command), name)
    options = {option for param in command.params for option in (*param.opts, *param.secondary_opts)}
    given = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert given <= options | {"--help"}


def test_the_version_is_the_same_everywhere():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text("utf-8")
