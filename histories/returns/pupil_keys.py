"""Who the rows of a return are about: UPNs, former UPNs, and the keyed pseudonym that is all that histories hold."""

from __future__ import annotations

from pathlib import Path

from histories.identity import is_valid_upn, pseudonym
from histories.linking.store import LinkageStore
from histories.returns.staging import Staging

PERSON = "person:"


class People:
    """Gives each UPN the key of its child; a changed UPN keeps the key under which the child was known first.

    Parameters
    ----------
    into : Path
        The histories that the return is read into; their pupils keep their keys.
    """

    def __init__(self, staging: Staging, key: bytes | None, into: Path) -> None:
        self.staging, self.key = staging, key
        self.known: dict[str, str] = {}
        file = into / "pupils.parquet"
        if file.is_file():
            import pyarrow.parquet as pq

            have = pq.read_table(file, columns=["upn", "pupil_id"])
            self.known = {u: p for u, p in zip(have["upn"].to_pylist(), have["pupil_id"].to_pylist(), strict=True) if u}
        # Records without a UPN are known by the other list's key, behind this mark, and by what 'onroll link' found for it.
        self.linked = {f"{PERSON}{k.person_id}": k.pupil_id for k in LinkageStore(into).links()}
        self.unlinked: set[str] = set()
        self.wrong_letters: set[str] = set()
        self.changed: set[str] = set()
        self.doubled: set[str] = set()
        staging.sql("CREATE TABLE person (upn VARCHAR PRIMARY KEY, pupil_id VARCHAR)")

    def add(self, query: str) -> None:
        """Take in pairs of UPN and former UPN (either may be null) that a query yields; fills the table ``person``."""
        parent: dict[str, str] = {}

        def root(upn: str) -> str:
            while parent.setdefault(upn, upn) != upn:
                upn = parent[upn]
            return upn

        pairs = self.staging.sql(f"SELECT DISTINCT upn, former FROM ({query}) WHERE upn IS NOT NULL")
        for upn, former in sorted(pairs, key=lambda p: (p[0], p[1] or "")):
            root(upn)
            if former and former != upn and is_valid_upn(former):
                self.changed.add(upn)
                parent[root(upn)] = root(former)
        own = {u: self.known[u] for u in parent if u == root(u) and u in self.known}
        for upn in sorted(set(parent) & set(self.known)):
            own.setdefault(root(upn), self.known[upn])
        rows = []
        for upn in sorted(parent):
            if upn.startswith(PERSON):
                rows += [(upn, self.linked[upn])] if upn in self.linked else []
                self.unlinked |= {upn} - set(self.linked)
                continue
            if not is_valid_upn(upn):
                self.wrong_letters.add(upn)
            rows.append((upn, own.setdefault(root(upn), pseudonym(root(upn), self.key))))
            if self.known.setdefault(upn, rows[-1][1]) != rows[-1][1]:
                self.doubled.add(upn)
        self.staging.give("more", {"upn": [r[0] for r in rows], "pupil_id": [r[1] for r in rows]})
        self.staging.sql("INSERT OR IGNORE INTO person SELECT * FROM more")
        self.staging.sql("DROP TABLE more")
