"""The self-assessment goes through every requirement of levels 1 and 2 once, and what is met has its evidence."""

import re

import pytest

from tests.house.code import ROOT

# The numbers of the requirements by section, of OWASP ASVS 5.0.0; "1-3" are three. V17 (WebRTC) does not apply as a whole.
SECTIONS = """
1.1 1-2, 1.2 1-9, 1.3 1-11, 1.4 1-3, 1.5 1-2, 2.1 1-3, 2.2 1-3, 2.3 1-4, 2.4 1-1, 3.2 1-2, 3.3 1-4, 3.4 1-6, 3.5 1-5, 3.7 1-2,
4.1 1-3, 4.2 1-1, 4.3 1-2, 4.4 1-4, 5.1 1-1, 5.2 1-3, 5.3 1-2, 5.4 1-3, 6.1 1-3, 6.2 1-12, 6.3 1-4, 6.4 1-4, 6.5 1-5, 6.6 1-3,
6.8 1-4, 7.1 1-3, 7.2 1-4, 7.3 1-2, 7.4 1-5, 7.5 1-2, 7.6 1-2, 8.1 1-2, 8.2 1-3, 8.3 1-1, 8.4 1-1, 9.1 1-3, 9.2 1-4, 10.1 1-2,
10.2 1-2, 10.3 1-4, 10.4 1-11, 10.5 1-5, 10.6 1-2, 10.7 1-3, 11.1 1-2, 11.2 1-3, 11.3 1-3, 11.4 1-4, 11.5 1-1, 11.6 1-1, 12.1 1-3,
12.2 1-2, 12.3 1-4, 13.1 1-1, 13.2 1-5, 13.3 1-2, 13.4 1-5, 14.1 1-2, 14.2 1-4, 14.3 1-3, 15.1 1-3, 15.2 1-3, 15.3 1-7, 16.1 1-1,
16.2 1-5, 16.3 1-4, 16.4 1-3, 16.5 1-3
"""
EVERY = [
    (int(chapter), int(section), n)
    for chapter, section, first, last in re.findall(r"(\d+)\.(\d+) (\d+)-(\d+)", SECTIONS)
    for n in range(int(first), int(last) + 1)
]
ASVS = (ROOT / "docs/asvs.md").read_text("utf-8")
NUMBER = re.compile(r"V(\d+)\.(\d+)\.(\d+)(?: to V(\d+)\.(\d+)\.(\d+))?")


def rows():
    """Return the numbers and the state of each row of the table by requirement."""
    lines = ASVS.splitlines()
    cells = [
        [c.strip() for c in line.strip("|").split(" | ")] for line in lines if re.match(r"\| V\d+\.\d+\.\d+", line)
    ]
    return [(numbers, state) for numbers, _, state in cells]


def numbered(text):
    for match in NUMBER.finditer(text):
        first = tuple(map(int, match.groups()[:3]))
        last = tuple(map(int, match.groups()[3:])) if match[4] else first
        yield from (number for number in EVERY if first <= number <= last)


def test_every_requirement_is_gone_through_once():
    listed = [number for numbers, _ in rows() for number in numbered(numbers)]
    assert sorted(listed) == EVERY


def test_each_state_is_one_of_four_and_what_is_met_names_a_test():
    for numbers, state in rows():
        assert re.match(r"(met|not met|not ours|does not apply|do not apply)\b", state), numbers
        tests = re.findall(r"`(tests/[\w/]+)(?:\.py)?`", state)
        assert tests or not state.startswith("met"), numbers
        for test in tests:
            assert (ROOT / f"{test}.py").is_file(), test


def test_what_is_not_met_is_named_by_its_chapter():
    chapters = dict(re.findall(r"^\| V(\d+) [^|]* \|[^|]*\|([^|]*)\|", ASVS, re.MULTILINE))
    for numbers, state in rows():
        if state.startswith("not met"):
            assert numbers in chapters[re.match(r"V(\d+)", numbers)[1]], numbers


# What the standard wants written down, and words that are gone with it.
DOCUMENTED = {
    "docs/api.md": ("32 MiB", "At most 8 requests of one caller", "| 413 |"),
    "docs/returns.md": ("Generated", "census"),
    "docs/rules.md": ("Generated", "H011"),
    "docs/people.md": ("CSV",),
    "docs/access.md": (
        "[tokens]",
        "[proxy]",
        "[sign_in]",
        "onroll keys create",
        "any number of sessions",
        "12 hours",
        "30 minutes",
    ),
    "docs/operations.md": ("PostgreSQL", "MLflow", "FORWARDED_ALLOW_IPS"),
    "docs/settings.md": ("ONROLL_DATABASE_URL", "ONROLL_AUDIT_SYSLOG"),
    "docs/store.md": ("## Protection levels", "| level | what | encrypted | integrity |"),
    "docs/performance.md": ("seconds",),
    "SECURITY.md": ("7 days", "30 days", "90 days"),
    "serving/pages/templates/base.html": ('action="/sign-out"',),
}


@pytest.mark.parametrize("file", DOCUMENTED)
def test_what_has_to_be_written_down_is_there(file):
    text = (ROOT / file).read_text("utf-8")
    assert [words for words in DOCUMENTED[file] if words.lower() not in text.lower()] == []


SOURCES = [
    f for room in ("histories", "features", "training", "serving", "onroll") for f in (ROOT / room).rglob("*.py")
]
CRYPTOGRAPHY = r"hashlib\.(?!file_digest|sha256)\w+|\b(?:MD5|SHA1|TripleDES|ChaCha20\w*|AESGCM|AESCCM|Fernet|HKDF|PBKDF2HMAC|Ed25519\w*|RS256|HS256)\b"
INVENTORIED = {
    "AESGCM": "AES-256-GCM",
    "HKDF": "HKDF-SHA-256",
    "RS256": "RS256",
    "Ed25519": "Ed25519",
}
PROTECTS_NOTHING = {"hashlib.blake2b": {"training/fitting/sampling.py", "training/risk_model.py"}}


def test_the_inventory_of_cryptography_is_that_of_the_code():
    used: dict[str, set[str]] = {}
    for file in SOURCES:
        for name in re.findall(CRYPTOGRAPHY, file.read_text("utf-8")):
            used.setdefault(name, set()).add(file.relative_to(ROOT).as_posix())
    assert {name: files for name, files in used.items() if name not in INVENTORIED} == PROTECTS_NOTHING
    inventory = ASVS[ASVS.index("## Inventory of cryptography") :]
    assert [name for name in INVENTORIED.values() if name not in inventory] == []
    assert set(INVENTORIED) <= set(used), "the inventory names what the code no longer uses"


def test_logs_go_to_standard_error_and_anchors_to_a_syslog():
    opened = {
        (f.relative_to(ROOT).as_posix(), name)
        for f in SOURCES
        if f.is_relative_to(ROOT / "serving")
        for name in re.findall(
            r"\b(?:\w*FileHandler|SysLogHandler|SocketHandler|HTTPHandler|StreamHandler|basicConfig)\b",
            f.read_text("utf-8"),
        )
    }
    assert opened == {
        ("serving/telemetry/logs.py", "StreamHandler"),
        ("serving/store/ledger/anchor_places.py", "SysLogHandler"),
    }
