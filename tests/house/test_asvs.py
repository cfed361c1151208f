"""The self-assessment goes through every requirement of levels 1 and 2 once, and what is met has its evidence."""

import re

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
NUMBER = re.compile(r"V(\d+)\.(\d+)\.(\d+)(?: to V(\d+)\.(\d+)\.(\d+))?")


def rows():
    """Return the numbers and the state of each row of the table by requirement."""
    lines = (ROOT / "docs/asvs.md").read_text("utf-8").splitlines()
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


def test_each_state_is_one_of_four_and_what_is_met_names_where():
    for numbers, state in rows():
        assert re.match(r"met|partly|not met|not ours|does not apply|do not apply", state), numbers
        if state.startswith("met"):
            assert re.search(r"`[\w./-]+\.(py|md|html)`|`make |OpenSSL|the table below", state), numbers
