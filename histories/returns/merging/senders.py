"""Decide which submissions are one return sent again, and which are returns of different senders beside each other.

A submission corrects another one only if both come from one sender. The sender is a school where a return is made school by school,
else the authority that the file or the user names. Without a name, the children decide (``docs/decisions/0012-senders.md``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from histories.identity import UNLINKED
from histories.io.sql import literal
from histories.returns.submissions import LISTED, Submission, Submissions
from histories.tables import TABLES

ALIKE = 0.5  # share of the longer list of children from which two unnamed submissions are one return
APART = 0.1  # share of the shorter list up to which they are returns of different senders


@dataclass(frozen=True, kw_only=True)
class Scopes:
    """Whose part of a return each submission states.

    Attributes
    ----------
    schools : dict
        By submission: each school as written in the return, and its scope; one empty name for a return that is not made by school.
    children : dict
        By submission: the children that it lists, where several returns of its form and period were submitted.
    doubtful : list of (Submission, Submission)
        Pairs of which neither names nor children tell whether one corrects the other; both are kept.
    clashing : list of (Submission, Submission)
        Pairs of two senders that give one number to children without a UPN.
    """

    schools: dict[int, dict[str, str]]
    children: dict[int, frozenset[str]]
    doubtful: list[tuple[Submission, Submission]]
    clashing: list[tuple[Submission, Submission]]

    def of(self, submission: Submission) -> frozenset[str]:
        """Return the scopes of a submission; it corrects others of the same form and period in these scopes only."""
        return frozenset(self.schools[submission.number].values())

    def corrected_by(self, submission: Submission, others: list[Submission]) -> list[Submission]:
        """Return the earlier submissions that one corrects."""
        earlier = [o for o in others if o.number < submission.number and _period(o) == _period(submission)]
        return [o for o in earlier if self.of(o) & self.of(submission)]


def _period(submission: Submission) -> tuple[str, str]:
    return submission.form, submission.period


def scopes_of(connection: Any, store: Submissions, same_schools: Mapping[str, str]) -> Scopes:
    """Return the scopes of all submissions; the order of import does not matter.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        With the table ``alias`` of the keys of one child.
    same_schools : mapping
        The newest number of each school.
    """
    schools: dict[int, dict[str, str]] = {}
    groups: dict[tuple[str, str], list[Submission]] = {}
    for s in store.all:
        listed = _schools(connection, store, s)
        schools[s.number] = {school: same_schools.get(school, school) for school in listed}
        if not listed:
            groups.setdefault(_period(s), []).append(s)
    children: dict[int, frozenset[str]] = {}
    doubtful: list[tuple[Submission, Submission]] = []
    clashing: list[tuple[Submission, Submission]] = []
    for group in groups.values():
        sender_of = {s.number: f"sender {s.sender or s.number}" for s in group}
        if len(group) > 1:
            keys_of = {s.number: _children(connection, store, s) for s in group}
            children |= {number: _named(keys) for number, keys in keys_of.items()}
            doubtful += _unite(group, children, sender_of)
            clashing += [
                (a, b)
                for a, b in combinations(group, 2)
                if sender_of[a.number] != sender_of[b.number]
                and any(k.startswith(UNLINKED) for k in keys_of[a.number] & keys_of[b.number])
            ]
        schools |= {number: {"": sender} for number, sender in sender_of.items()}
    return Scopes(schools=schools, children=children, doubtful=doubtful, clashing=clashing)


def _unite(
    group: list[Submission], children: Mapping[int, frozenset[str]], sender_of: dict[int, str]
) -> list[tuple[Submission, Submission]]:
    """Give one sender to submissions with children in common, the most alike first; return the pairs left in doubt."""
    names = {s.number: {s.sender} - {""} for s in group}
    pairs = [(_likeness(children[a.number], children[b.number]), a, b) for a, b in combinations(group, 2)]
    for (longer, _), a, b in sorted(pairs, key=lambda p: (-p[0][0], sorted((p[1].digest, p[2].digest)))):
        one, other = sender_of[a.number], sender_of[b.number]
        joined = names[a.number] | names[b.number]
        if longer >= ALIKE and one != other and len(joined) < 2:
            for number in [n for n, sender in sender_of.items() if sender in (one, other)]:
                sender_of[number], names[number] = min(one, other), joined
    return [
        (a, b)
        for (longer, shorter), a, b in pairs
        if longer < ALIKE
        and shorter > APART
        and not (a.sender and b.sender)
        and sender_of[a.number] != sender_of[b.number]
    ]


def _likeness(one: frozenset[str], other: frozenset[str]) -> tuple[float, float]:
    """Return the share of the longer and of the shorter list that both have."""
    lengths = sorted((len(one), len(other)))
    common = len(one & other)
    return common / (lengths[1] or 1), common / (lengths[0] or 1)


def _schools(connection: Any, store: Submissions, submission: Submission) -> list[str]:
    """Return the schools by which a return is made, or none."""
    if "enrolments" not in submission.tables:
        return []
    listed: set[str] = set()
    for table in submission.tables:
        source = f"read_parquet({literal(store.file(submission.number, table))})"
        if "school" in names_of(connection, source):
            listed |= {s or "" for (s,) in connection.execute(f"SELECT DISTINCT school FROM {source}").fetchall()}
    return sorted(listed)


def _children(connection: Any, store: Submissions, submission: Submission) -> frozenset[str]:
    """Return the children that a submission lists."""
    files = [store.file(submission.number, t) for t in submission.tables if "pupil_id" in _columns(t)]
    if (listed := store.file(submission.number, LISTED)).is_file():
        files.append(listed)
    keys: set[str] = set()
    for file in files:
        query = f"""SELECT DISTINCT coalesce(a.pupil_id, u.pupil_id) FROM read_parquet({literal(file)}) u
            LEFT JOIN alias a ON a.key = u.pupil_id WHERE u.pupil_id IS NOT NULL"""
        keys |= {key for (key,) in connection.execute(query).fetchall()}
    return frozenset(keys)


def _named(keys: frozenset[str]) -> frozenset[str]:
    """Return the children with a UPN; the others if there are none, for another sender may give their numbers to others."""
    return frozenset(k for k in keys if not k.startswith(UNLINKED)) or keys


def _columns(table: str) -> Mapping[str, Any]:
    return TABLES[table].columns if table in TABLES else {}


def names_of(connection: Any, source: str) -> list[str]:
    """Return the names of the columns of a query's source."""
    return [r[0] for r in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()]
