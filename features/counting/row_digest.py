"""A digest of a table as of a day; neither the order of rows nor later recordings change it."""

from __future__ import annotations

from datetime import date

from features.counting.block_cache import BlockStore
from histories.calendar import day_number
from histories.reading.histories import Histories
from histories.tables import HAPPENED, TABLES, Table


class RowDigests:
    """Digests of the rows of a block of children, by table and as-of date.

    A row counts from the day it was recorded; its end and its stages count from the days they were recorded. Hashes of rows are
    added up, so one pass serves all as-of dates. The store keeps the sums under the digest of the files.
    """

    def __init__(self, histories: Histories, days: list[int], known_on: date | None, store: BlockStore) -> None:
        self.histories, self.days, self.store = histories, days, store
        self.cuts = [day_number(known_on)] * len(days) if known_on else days

    def of(self, tables: tuple[str, ...], looks_back: int | None) -> dict[int, str]:
        """Return one digest of some tables for each as-of date, over rows that happened at most ``looks_back`` days before it."""
        digests = [self._table(table, looks_back) for table in tables]
        return {day: " ".join(f[day] for f in digests) for day in self.days}

    def _table(self, table: str, looks_back: int | None) -> dict[int, str]:
        if table not in self.histories.present:
            return dict.fromkeys(self.days, "absent")
        key = self.store.key("rows", table, self.histories.digest(table), self.histories.limits, looks_back)
        noted = self.store.noted(key)
        names = {day: f"{day} {cut}" for day, cut in zip(self.days, self.cuts, strict=True)}
        if not all(n in noted for n in names.values()):
            digests = self._hashed(TABLES[table], looks_back)
            noted |= {names[day]: digests[day] for day in self.days}
            self.store.note(key, noted)
        return {day: noted[names[day]] for day in self.days}

    def _hashed(self, table: type[Table], looks_back: int | None) -> dict[int, str]:
        rows = self.histories.frame(table.table).to_native()
        cuts = sorted(set(self.cuts))
        begins = [day - looks_back for day in self.days] if looks_back else []
        sums = {day: [0, 0] for day in self.days}
        for recorded, columns in _pieces(table):
            number = " + ".join(f"CAST({recorded} >= {c} AS INTEGER)" for c in cuts)
            place = " + ".join(f"CAST({HAPPENED[table.table]} >= {b} AS INTEGER)" for b in begins) or "0"
            counted = f"{number} AS n, {place} AS p, sum(hash({', '.join(columns)})) AS h, count(*) AS m"
            inside = [f"{recorded} < {cuts[-1]}", *(f"{HAPPENED[table.table]} >= {b}" for b in begins[:1])]
            chosen = f"SELECT {counted} FROM rows WHERE {' AND '.join(inside)} GROUP BY ALL"
            for n, p, h, m in rows.query("rows", chosen).fetchall():
                for at, day in enumerate(self.days):
                    if n <= cuts.index(self.cuts[at]) and (not begins or p > at):
                        sums[day][0] += int(h)
                        sums[day][1] += m
        return {day: f"{h:x}.{m}" for day, (h, m) in sums.items()}


def _pieces(table: type[Table]) -> list[tuple[str, list[str]]]:
    """Return the parts of a row that become known together: the recording date and the columns."""
    late = {*table.end_columns, *table.end_known_from, *(c for s in table.stages for c in s.columns)}
    base = ["known", *(c for c in table.columns if c not in late)]
    pieces = [("known", base)]
    if table.end:
        pieces.append(("end_known", [*base, "end_known", *table.end_columns]))
    return pieces + [(f"greatest(known, {s.date})", [*base, *s.columns]) for s in table.stages]
