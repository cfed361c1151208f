"""Import a return: stage its files, add its statements, derive the tables, check them by opening, then rename the folder."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path

from histories.calendar import london_today
from histories.errors import Fault, Faults
from histories.identity import key_id, pseudonym
from histories.io.atomic_write import finish_replacing, new_folder
from histories.io.digest import file_digest
from histories.io.sql import literal
from histories.linking.store import LinkageStore
from histories.reading.values import last_day
from histories.returns.contradictions import note_contradictions
from histories.returns.files.sources import files_of
from histories.returns.files.staging import Staging, Statements, listed
from histories.returns.linkage_names import keep_names, list_nameless
from histories.returns.merging.merge import IN_ORDER, Merge, affected, keep
from histories.returns.merging.statements import BASE
from histories.returns.pupil_keys import PupilKeys, links_by_key
from histories.returns.replacing import only_import, require_imported, require_same_key
from histories.returns.report import Report, Return, Unusable, counted
from histories.returns.same_day import tell_undecided
from histories.returns.sent_again import tell_senders, title
from histories.returns.submissions import FOLDER, LISTED, Submission, Submissions, fingerprint, stamp_of
from histories.returns.usable import Usable
from histories.tables import TABLES


def import_return(
    form: Return,
    sources: list[Path],
    into: Path,
    key: bytes | None,
    *,
    mapping: Path | None = None,
    persons: Path | None = None,
    submitted_on: date | None = None,
    sender: str = "",
    memory: str | None = None,
) -> Report:
    """Merge a return into a new or existing histories folder.

    The folder keeps the statements of each return, and its tables are derived from all of them. So the order of imports does not
    matter, nor whether returns are imported together or repeatedly. A later submission of the same return corrects it.

    Parameters
    ----------
    sources : list of Path
        Files, or folders of files.
    into : Path
        The histories folder.
    key : bytes or None
        Key of the pseudonyms.
    mapping : Path, optional
        Names of columns, for formats that vary by supplier.
    persons : Path, optional
        A list of persons in the return with names; those without a UPN are linked first.
    submitted_on : date, optional
        The day on which the return was submitted or extracted; by default the date in the return.
    sender : str
        The authority whose return it is. By default the one that the file names; without any, the children decide whether the
        return corrects an earlier one or stands beside it.

    Raises
    ------
    Faults
        With every fault; the histories are then unchanged.
    Unusable
        If no value is at fault, but no row can be used yet. Persons with names are then listed for ``onroll link``.
    """
    report = Report()
    files = files_of(form, sources, report)
    with tempfile.TemporaryDirectory(prefix="onroll-") as scratch, only_import(into):
        finish_replacing(into)
        require_imported(into)
        require_same_key(Submissions(into), into, key)
        if persons is not None:
            link_persons(into, persons, report)
        staging = Staging(Path(scratch), memory)
        people = PupilKeys(staging, key, sender)
        form.convert(staging, people, files, report, *([mapping] if form.mapping_keys else []))
        staging.raise_faults(report)
        people.describe(report)
        store = LinkageStore(into)
        try:
            _Import(form, staging, people, into, report).write(mapping, submitted_on, sender)
        except Unusable:
            list_nameless(people, store, report)
            raise
        list_nameless(people, store, report)
        keep_names(staging, store, report)
        staging.connection.close()
    return report


def link_persons(into: Path, persons: Path, report: Report) -> None:
    """Link the persons of a list to the pupils of histories, and report how many."""
    from histories.linking.link import link  # imports this package

    linked = link(into, persons)
    report.notes.append("linking: " + ", ".join(f"{n:,} {what.replace('_', ' ')}" for what, n in linked.items()))


def _sender_of(statements: Statements, sender: str) -> str:
    """Return the sender of a return: the one that the file names, else the user's.

    Raises
    ------
    Faults
        If both name one and differ.
    """
    if sender and statements.sender and sender.casefold() != statements.sender.casefold():
        where = ", ".join(map(str, statements.files[:3]))
        do = "Leave --sender out: the file says whose return it is."
        raise Faults(Fault(f"the return names another authority ({statements.sender}) as its sender", where, do))
    return (statements.sender or sender).casefold()


class _Import:
    """One import into one folder, after its files have been staged."""

    def __init__(self, form: Return, staging: Staging, people: PupilKeys, into: Path, report: Report) -> None:
        self.form, self.staging, self.people, self.into, self.report = form, staging, people, into, report
        self.store = Submissions(into)
        self.new: list[str] = []
        self.leavings: dict[int, Path] = {}  # the file of each new submission about rolls

    def write(self, mapping: Path | None, submitted_on: date | None, sender: str) -> None:
        """Write the folder again, with the new statements and the tables derived from them."""
        links = links_by_key(LinkageStore(self.into), self.people.key)
        stamp = stamp_of(links)
        with new_folder(self.into, keep=True) as beside:
            self.store.share_with(beside / FOLDER)
            self.store.folder = beside / FOLDER
            before = max((s.number for s in self.store.all), default=BASE)
            self._add(mapping, submitted_on, sender, links)
            tables = affected(self.new, all_keys=stamp != self.store.links)
            held = self._keep_base(tables)
            merge = Merge(
                self.staging.connection, self.store, held=held, links=links, upns=self._upns() | self.people.upns
            )
            tell_senders(self.store.all, before, merge.scopes, self.report)
            tell_undecided(self.staging.connection, self.store, before, self.report)
            for name in TABLES:
                file = beside / f"{name}.parquet"
                if name not in tables or not merge.has(name):
                    keep(name, self.into, beside)
                elif rows := merge.write(name, file):
                    self.report.rows[name] = rows
                    self.store.written[name] = fingerprint(file)
                else:
                    # A table without rows stays absent, so that its features are missing and not zero.
                    self.report.notes.append(f"{name}: the return has no rows for this table")
            self._report_unmatched(merge)
            self.store.links = stamp
            self.store.key_id = key_id(self.people.key) if self.people.key else self.store.key_id
            self.store.write_index(beside / FOLDER)
            self._open(beside)

    def _add(self, mapping: Path | None, submitted_on: date | None, sender: str, links: dict[str, str]) -> None:
        """Write the statements of each return that has not been imported before."""
        new: list[Submission] = []
        files: dict[int, tuple[Path, ...]] = {}
        again: list[Submission] = []
        for statements in self.staging.returns:
            content = hashlib.sha256("\n".join(sorted(file_digest(f) for f in statements.files)).encode()).hexdigest()
            period = statements.period or f"file {content[:16]}"
            digest = hashlib.sha256(f"{content} {file_digest(mapping) if mapping else ''}".encode()).hexdigest()
            sent_by = _sender_of(statements, sender)
            if statements.return_date and statements.return_date > last_day():
                where = ", ".join(map(str, statements.files[:3]))
                do = "Correct its date, or the name of the file: nothing in it would count before that day."
                raise Faults(Fault("the date of the return lies in the future", where, do))
            if earlier := self.store.find(self.form.name, period, digest):
                self.report.notes.append(f"{title(earlier)}was imported before; it is not counted twice")
                again.append(earlier)
                files[earlier.number] = statements.files
                self._told_again(earlier, sent_by if sender else earlier.sender, submitted_on or earlier.submitted_on)
                continue
            number = max((s.number for s in [*self.store.all, *new]), default=BASE) + 1
            tables, files[number] = self._write_statements(statements, number), statements.files
            if "enrolments" in tables:
                self.leavings[number] = statements.files[0]
            return_date = statements.return_date
            if statements.clock == "row":
                return_date = submitted_on or self._extract_day(number, tables)
            new.append(
                Submission(
                    number=number,
                    form=self.form.name,
                    period=period,
                    return_date=return_date,
                    submitted_on=submitted_on,
                    after=None,
                    clock=statements.clock,
                    digest=digest,
                    tables=tables,
                    part=statements.part,
                    sender=sent_by,
                )
            )
        linkage = LinkageStore(self.into)
        usable = Usable(self.staging, self.store, self.people, links=links, linkage=linkage, report=self.report)
        usable.require(new, again, files)
        after = max(filter(None, (self.store.latest(), *(s.return_date for s in new))), default=None)
        self.store.all += [replace(s, after=after) for s in new]
        self.new += [t for s in new for t in s.tables]

    def _told_again(self, earlier: Submission, sender: str, submitted_on: date | None) -> None:
        """Take over what the user says now of a return that was imported before: its sender, or its day."""
        told = replace(earlier, sender=sender, submitted_on=submitted_on)
        if earlier.clock == "row" and submitted_on:
            told = replace(told, return_date=submitted_on)
        if told == earlier:
            return
        self.store.all[self.store.all.index(earlier)] = told
        self.new += earlier.tables
        if sender != earlier.sender:
            self.report.notes.append(f"{title(earlier)}counts as sent by {sender} from now on")
        if submitted_on != earlier.submitted_on:
            self.report.notes.append(f"{title(earlier)}counts as submitted on {submitted_on} from now on")

    def _write_statements(self, statements: Statements, number: int) -> tuple[str, ...]:
        """Write the statements of one return and return their tables; an empty table withdraws what the same period stated before."""
        tables = []
        for table, query in statements.tables.items():
            file = self.store.file(number, table)
            # The file of marks can become the table itself; see ``Merge.write``.
            rows = f"FROM ({query}) ORDER BY {IN_ORDER}" if table == "attendance" else query
            self.staging.sql(f"COPY ({rows}) TO {literal(file)} (FORMAT parquet, COMPRESSION zstd)")
            note_contradictions(self.staging, file, table, statements.files[0].name, self.report)
            if statements.period or self.staging.sql(f"SELECT 1 FROM read_parquet({literal(file)}) LIMIT 1"):
                tables.append(table)
            else:
                file.unlink()
                self.report.notes.append(f"{table}: the return has no rows for this table")
        if statements.children:
            file = self.store.file(number, LISTED)
            self.staging.sql(f"COPY ({statements.children}) TO {literal(file)} (FORMAT parquet)")
        if self.people.changes:
            tables.append("upn_changes")
            columns = dict(zip(("key", "former_key"), zip(*sorted(self.people.changes), strict=True), strict=True))
            self.staging.give(f"changes_{number}", columns)
            file = self.store.file(number, "upn_changes")
            self.staging.sql(f"COPY changes_{number} TO {literal(file)} (FORMAT parquet)")
        return tuple(tables)

    def _extract_day(self, number: int, tables: tuple[str, ...]) -> date | None:
        """Return the newest date in an extract up to today, except dates of birth: the extract cannot be older."""
        newest: list[date | None] = []
        until = f"DATE '{london_today()}'"
        for table in set(tables) & set(TABLES):
            source = f"read_parquet({literal(self.store.file(number, table))})"
            have = {r[0] for r in self.staging.sql(f"DESCRIBE SELECT * FROM {source}")} - {"date_of_birth"}
            for c in TABLES[table].columns.values():
                if c.kind == "date" and c.name in have:
                    day = f'"{c.name}"::DATE'
                    newest += self.staging.sql(f"SELECT max({day}) FROM {source} WHERE {day} <= {until}")[0]
        return max(filter(None, newest), default=None)

    def _report_unmatched(self, merge: Merge) -> None:
        """Report the lines of leavings that match no spell."""
        for number, file in self.leavings.items():
            if lines := merge.unmatched(number):
                self.report.notes.append(
                    f"{file.name}: {counted(len(lines), 'end no spell on a roll known so far')} (lines {listed(lines)}); "
                    "they will count once a return states the spell"
                )

    def _upns(self) -> dict[str, str]:
        """Return the UPNs in the histories by key."""
        file = self.into / "pupils.parquet"
        if not file.is_file() or not self.people.key:
            return {}
        listed = self.staging.sql(f"SELECT DISTINCT upn FROM read_parquet({literal(file)}) WHERE upn IS NOT NULL")
        return {pseudonym(upn, self.people.key): upn for (upn,) in listed}

    def _keep_base(self, tables: list[str]) -> dict[str, str]:
        """Keep rows that no import wrote as the base of the tables; return their pupils by key of the UPN."""
        for name in tables:
            file, base = self.into / f"{name}.parquet", self.store.file(BASE, name)
            if not file.is_file() or self.store.written.get(name) == fingerprint(file):
                continue
            base.unlink(missing_ok=True)
            if name == "pupils":
                self._keep_pupils(file, base)
            else:
                self.staging.sql(
                    f"COPY (FROM read_parquet({literal(file)})) TO {literal(base)} (FORMAT parquet, COMPRESSION zstd)"
                )
        pupils = self.into / "pupils.parquet"
        base = self.store.file(BASE, "pupils")
        if base.is_file():
            rows = self.staging.sql(
                f"SELECT upn_key, pupil_id FROM read_parquet({literal(base)}) WHERE upn_key IS NOT NULL"
            )
        elif pupils.is_file() and self.people.key and "pupils" not in self.store.written:
            rows = [
                (pseudonym(u, self.people.key), p)
                for u, p in self.staging.sql(
                    f"SELECT upn, pupil_id FROM read_parquet({literal(pupils)}) WHERE upn IS NOT NULL"
                )
            ]
        else:
            rows = []
        return dict(rows)

    def _keep_pupils(self, file: Path, base: Path) -> None:
        source = f"read_parquet({literal(file)})"
        upns = [u for (u,) in self.staging.sql(f"SELECT DISTINCT upn FROM {source} WHERE upn IS NOT NULL")]
        self.staging.give("held", {"upn": upns, "upn_key": [pseudonym(u, self.people.key) for u in upns]})
        self.staging.sql(
            f"COPY (SELECT p.* EXCLUDE (upn), h.upn_key FROM {source} p LEFT JOIN held h USING (upn)) TO {literal(base)} (FORMAT parquet)"
        )

    def _open(self, beside: Path) -> None:
        lacking = [t for t, declared in TABLES.items() if declared.required and not (beside / f"{t}.parquet").is_file()]
        if lacking:
            self.report.notes.append(f"the folder still lacks {' and '.join(lacking)}: import a return that fills them")
            return
        from histories.reading.histories import Histories

        warnings = Histories.open(beside).warnings
        self.report.notes += [w.replace(str(beside), str(self.into)) for w in warnings]
