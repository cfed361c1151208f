"""Judge whether the rows of an import can be used, and name the files of which no row can."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from histories.errors import Fault
from histories.io.sql import literal
from histories.linking.store import LinkageStore
from histories.returns.files.staging import Staging
from histories.returns.pupil_keys import PupilKeys
from histories.returns.report import LeftOut, Report, Unusable, counted
from histories.returns.submissions import Submission, Submissions


class Usable:
    """Finds rows that can be used among the statements of an import.

    Parameters
    ----------
    links : mapping
        The pupils of children without a UPN who are linked.
    linkage : LinkageStore
        Where the others are listed.
    """

    def __init__(
        self,
        staging: Staging,
        store: Submissions,
        people: PupilKeys,
        *,
        links: Mapping[str, str],
        linkage: LinkageStore,
        report: Report,
    ) -> None:
        self.staging, self.store, self.people, self.linkage, self.report = staging, store, people, linkage, report
        self.waiting = people.unlinked - set(links)

    def require(self, new: list[Submission], again: list[Submission], files: Mapping[int, tuple[Path, ...]]) -> None:
        """Report the files of which no row can be used yet.

        Parameters
        ----------
        new, again : list of Submission
            Those of this import, and those that were imported before.

        Raises
        ------
        Unusable
            If no row of the import can be used, with the notes that explain why.
        """
        if self.waiting:
            self.report.notes.append(
                f"{counted(len(self.waiting), 'wait for a link', 'child')}, without a UPN: run 'onroll link' and import the return again"
            )
        do = self._how_to_link() if self.waiting else "Follow the notes; 'onroll import --list' describes each format."
        if not again and not any(self._has_usable(s) for s in new):
            what = "; ".join(["no row of the return can be used", *self.report.notes])
            listed = dict.fromkeys(str(f) for s in self.staging.returns for f in s.files)
            raise Unusable(Fault(what, ", ".join(list(listed)[:3]), do))
        for s in (*new, *again):
            if why := self._why_useless(s):
                where = ", ".join(f.name for f in files[s.number][:3])
                self.report.left_out.append(LeftOut(files=files[s.number][:1], fault=Fault(why, where, do)))

    def _has_usable(self, submission: Submission) -> bool:
        return any(self._usable(submission.number, t) for t in submission.tables)

    def _why_useless(self, submission: Submission) -> str:
        """Return why no row of a submission can be used, or nothing. Without rows, it may withdraw those of its period."""
        if self._has_usable(submission):
            return ""
        if self._rows(submission):
            return "no row of the file can be used until its children are linked"
        return "no row of the file can be used" if submission.period.startswith("file ") else ""

    def _rows(self, submission: Submission) -> bool:
        sources = (f"read_parquet({literal(self.store.file(submission.number, t))})" for t in submission.tables)
        return any(self.staging.sql(f"SELECT 1 FROM {source} LIMIT 1") for source in sources)

    def _usable(self, number: int, table: str) -> bool:
        """Return whether a table of statements has a row that does not wait for a link."""
        source = f"read_parquet({literal(self.store.file(number, table))})"
        if self.waiting and "pupil_id" in {r[0] for r in self.staging.sql(f"DESCRIBE SELECT * FROM {source}")}:
            source += f" WHERE NOT {self.staging.one_of('pupil_id', sorted(self.waiting))}"
        return bool(self.staging.sql(f"SELECT 1 FROM {source} LIMIT 1"))

    def _how_to_link(self) -> str:
        if self.people.to_link:
            listed = self.linkage.to_link
            return f"Run 'onroll link HISTORIES --people' with {listed.parent.name}/{listed.name}, which lies beside HISTORIES, and import again."
        return (
            "Write a CSV with person_id (the key that the return has of a child), forename, surname and dob; run "
            "'onroll link HISTORIES --people FILE' and import again, or import the return with --link FILE."
        )
