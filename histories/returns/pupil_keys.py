"""Identify the children in a return: UPNs, former UPNs, and the keyed pseudonyms that histories hold instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from histories.identity import UNLINKED, clean_upn, clean_upn_sql, generations, is_valid_upn, pseudonym
from histories.returns.files.staging import Staging
from histories.returns.report import counted

if TYPE_CHECKING:
    from histories.linking.store import LinkageStore
    from histories.returns.report import Report

PERSON = "person:"


def unlinked_key(person: str, key: bytes | None) -> str:
    """Return the key of rows that wait until 'onroll link' finds the person's pupil."""
    return UNLINKED + pseudonym(f"{PERSON}{person}", key)


def links_by_key(store: LinkageStore, key: bytes | None) -> dict[str, str]:
    """Return the pupil of each key of rows that waited for a link."""
    return {unlinked_key(k.person_id, key): k.pupil_id for k in store.links()} if key else {}


class PupilKeys:
    """The key of each UPN in a return, and the UPNs that belong to one child.

    Parameters
    ----------
    sender : str
        Whose own numbers of children the return has, where the user names it; ``person_id`` is then ``SENDER/NUMBER``.

    Attributes
    ----------
    upns : dict
        The UPN of each key.
    changes : set of (str, str)
        A key and the key of the former UPN.
    to_link : dict
        Persons without a UPN by ``person_id``, as rows for ``onroll link``.
    """

    def __init__(self, staging: Staging, key: bytes | None, sender: str = "") -> None:
        self.staging, self.key, self.sender = staging, key, sender.casefold()
        self.upns: dict[str, str] = {}
        self.cleaned: dict[str | None, str | None] = {}
        self.changes: set[tuple[str, str]] = set()
        self.changed: set[str] = set()
        self.unlinked: set[str] = set()
        self.wrong_letters: set[str] = set()
        self.to_link: dict[str, dict[str, str]] = {}
        staging.sql("CREATE TABLE person (upn VARCHAR, pupil_id VARCHAR)")

    def _clean(self, written: str | None) -> str | None:
        """Return ``clean_upn``, computed once for each text."""
        if written not in self.cleaned:
            self.cleaned[written] = clean_upn(written)
        return self.cleaned[written]

    def add(self, query: str) -> None:
        """Add the pairs of UPN and former UPN (either may be null) of a query to the table ``person``.

        The table holds UPNs as written in the return, without placeholders. An identifier with the prefix ``PERSON`` comes from
        another list, for a child without a UPN.
        """
        rows: dict[str, str] = {}
        pairs = self.staging.sql(f"SELECT DISTINCT upn, former FROM ({query}) WHERE upn IS NOT NULL")
        for raw, raw_former in pairs:
            if raw.startswith(PERSON):
                person = raw.removeprefix(PERSON)
                own_number = self.sender and person not in self.to_link
                rows[raw] = unlinked_key(f"{self.sender}/{person}" if own_number else person, self.key)
                self.unlinked.add(rows[raw])
                continue
            upn, former = self._clean(raw), self._clean(raw_former)
            if upn is None:
                continue
            rows[raw] = pseudonym(upn, self.key)
            self.upns[rows[raw]] = upn
            if not is_valid_upn(upn):
                self.wrong_letters.add(upn)
            if former and former != upn and is_valid_upn(former):
                self.changed.add(upn)
                self.changes.add((rows[raw], pseudonym(former, self.key)))
        self.staging.give("more", {"upn": list(rows), "pupil_id": list(rows.values())})
        self.staging.sql("INSERT INTO person FROM more WHERE upn NOT IN (SELECT upn FROM person)")
        self.staging.sql("DROP TABLE more")

    def add_nameless(self, forename: str | None, surname: str | None, born: str, sex: str | None) -> str | None:
        """List a child without a UPN for ``onroll link``; return its identifier for ``add``, or None without names."""
        if not forename or not surname:
            return None
        # Under the first key only: it stays beside the names in the linkage store, where no rotation changes it.
        first = generations(self.key)[0] if self.key else None
        person = pseudonym("|".join((forename.upper(), surname.upper(), born)), first)
        self.to_link[person] = {
            "person_id": person,
            "forename": forename,
            "surname": surname,
            "dob": born,
            "sex": sex or "",
        }
        return f"{PERSON}{person}"

    def report_missing(self, table: str, column: str, report: Report, outcome: str) -> None:
        """Report the number and lines of rows without a UPN, with a placeholder or a wrong check letter, never the text itself."""
        cell = f'"{column}"'
        # Files of marks repeat each UPN thousands of times, so test distinct values first.
        distinct = [v for (v,) in self.staging.sql(f'SELECT DISTINCT {cell} FROM "{table}"')]
        values = [v for v in distinct if self._clean(v) is None]
        empty = any(not (v or "").strip() for v in values)
        placeholders = [v for v in values if (v or "").strip()]
        wrong = [v for v in distinct if (upn := self._clean(v)) and not is_valid_upn(upn)]
        for what, test, then in (
            ("have no UPN", f"nullif(trim({cell}), '') IS NULL" if empty else "", outcome),
            (
                "have a placeholder or a damaged number instead of a UPN",
                self.staging.one_of(cell, placeholders) if placeholders else "",
                outcome,
            ),
            (
                "have a UPN with a wrong check letter",
                self.staging.one_of(cell, wrong) if wrong else "",
                "correct them in the source system: a mistyped UPN makes a child of its own",
            ),
        ):
            count, lines = self.staging.lines(table, test) if test else (0, "")
            if count:
                name = self.staging.files[table].name
                report.notes.append(f"{name}: {counted(count, f'{what} (lines {lines}); {then}')}")

    def report_shared(self, table: str, upn: str, own: str, report: Report) -> None:
        """Report the lines of rows whose UPN stands for several children by the list's own key: one of them has another's UPN."""
        clean = clean_upn_sql(f'"{upn}"')
        shared = f"""SELECT {clean} FROM "{table}" GROUP BY 1 HAVING count(DISTINCT "{own}") > 1"""
        test = f"({clean}) IN ({shared})"
        self.staging.note(
            report, table, test, f"have a UPN that stands for several values of {own}: correct the wrong one"
        )

    def describe(self, report: Report) -> None:
        """Add wrong check letters and changed UPNs to the report."""
        if self.wrong_letters:
            wrong = counted(len(self.wrong_letters), "have a wrong check letter", "UPN")
            report.notes.append(f"{wrong}; a UPN is kept as it is")
        if self.changed:
            report.notes.append(counted(len(self.changed), "were matched to their children", "changed UPN"))
