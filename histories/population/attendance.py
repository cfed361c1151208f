"""Write the marks of the simulated children in chunks: daily, or counted by term."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from histories.calendar import day_number, term_dates
from histories.population import life, marks, roll
from histories.population.state import PopulationState

CHUNK = 3000  # children per chunk
SCHEMA = pa.schema(
    [
        ("pupil_id", pa.dictionary(pa.int32(), pa.string())),
        ("date", pa.date32()),
        ("session", pa.dictionary(pa.int8(), pa.string())),
        ("code", pa.dictionary(pa.int8(), pa.string())),
        ("recorded_on", pa.date32()),
    ]
)


def _chunks(state: PopulationState, rolls: roll.Rolls) -> Iterator[tuple[np.ndarray, ...]]:
    """Draw the marks of the children in order of their ids; yield child, day, session, code and recording day."""
    far = np.int32(day_number(state.clock.end))
    spells: list[list[tuple[int, int]]] = [[] for _ in state.ids]
    for s in rolls.spells:
        spells[s.child].append((day_number(s.entry), int(far) if s.leaving is None else day_number(s.leaving)))
    order = np.argsort(state.ids, kind="stable")
    keys = np.array([life.stream(state.seed, np.uint64(i)) for i in range(len(state.ids))], np.uint64)
    late = float(state.scenario["recording"]["late_mark_share"])
    for at in range(0, len(order), CHUNK):
        children = order[at : at + CHUNK]
        child_spells = [sorted(spells[c]) for c in children]
        edges = np.r_[0, np.cumsum([len(s) for s in child_spells])]
        flat = np.array([x for s in child_spells for x in s], np.int32).reshape(-1, 2)
        first, last = np.ascontiguousarray(flat[:, 0]), np.ascontiguousarray(flat[:, 1])
        inside = np.searchsorted(state.open_days, last, "right") - np.searchsorted(state.open_days, first)
        each = np.array([inside[a:b].clip(0).sum() for a, b in itertools.pairwise(edges)], np.int64)
        offsets = np.r_[0, np.cumsum(4 * each)]
        n = int(offsets[-1])
        day, recorded = np.empty(n, np.int32), np.empty(n, np.int32)
        session, code = np.empty(n, np.int8), np.empty(n, np.int8)
        used = np.zeros(len(children), np.int64)
        w = state.world
        marks.draw_marks(
            spells=edges,
            first=first,
            last=last,
            days=state.open_days,
            week_of_day=state.week_of_day,
            xs=state.xs[children],
            cs=state.cs[children],
            paths=state.paths,
            household=w.household[children],
            years=state.years[children],
            sen=w.sen[children],
            excluded=state.excluded[children],
            keys=keys[children],
            late_share=late,
            offsets=offsets[:-1],
            day=day,
            session=session,
            code=code,
            recorded=recorded,
            used=used,
        )
        keep = np.repeat(offsets[:-1] - np.r_[0, np.cumsum(used)[:-1]], used) + np.arange(int(used.sum()))
        keep = keep[recorded[keep] <= far]
        child = np.searchsorted(offsets, keep, "right") - 1
        yield children, child.astype(np.int32), day[keep], session[keep], code[keep], recorded[keep]


def _table(state: PopulationState, chunk: tuple[np.ndarray, ...]) -> pa.Table:
    children, child, day, session, code, recorded = chunk
    columns = [
        pa.DictionaryArray.from_arrays(pa.array(child), pa.array(state.ids[children])),
        pa.array(day).cast(pa.date32()),
        pa.DictionaryArray.from_arrays(pa.array(session), pa.array(["AM", "PM"])),
        pa.DictionaryArray.from_arrays(pa.array(code), pa.array(list(marks.CODES))),
        pa.array(recorded).cast(pa.date32()),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def write_daily(state: PopulationState, rolls: roll.Rolls, advance: Callable[..., None]) -> None:
    """Write one row for each child, day and session, sorted by child."""
    total = 0
    if state.csv:
        plain = pa.schema([(f.name, pa.date32() if pa.types.is_date(f.type) else pa.string()) for f in SCHEMA])
        with pa.csv.CSVWriter(state.out / "attendance.csv", plain) as csv:
            for chunk in _chunks(state, rolls):
                table = _table(state, chunk).cast(plain)
                csv.write_table(table)
                total += table.num_rows
    else:
        options = {
            "compression": "zstd",
            "use_dictionary": ["pupil_id", "session", "code"],
            "column_encoding": {"date": "DELTA_BINARY_PACKED", "recorded_on": "DELTA_BINARY_PACKED"},
        }
        with pq.ParquetWriter(state.out / "attendance.parquet", SCHEMA, store_schema=False, **options) as parquet:
            for chunk in _chunks(state, rolls):
                table = _table(state, chunk)
                parquet.write_table(table, row_group_size=1_000_000)
                total += table.num_rows
                advance(0, description=f"attendance marks: {total:,}")
    state.row_counts["attendance"] = total


def write_termly(state: PopulationState, rolls: roll.Rolls, advance: Callable[..., None]) -> None:
    """Write sessions by child, term and code, the grain of the School Census; recorded a term later."""
    terms = [t for y in range(state.clock.first.year - 1, state.clock.end.year + 1) for t in term_dates(y)]
    starts = np.array([day_number(t.start) for t in terms])
    rows: list[tuple] = []
    for children, child, day, session, code, recorded in _chunks(state, rolls):
        # A return counts the register as of the day it is sent, so the last recording of a session wins.
        slot = (child.astype(np.int64) * 100_000 + day) * 2 + session
        last = np.lexsort((recorded, slot))
        last = last[np.r_[slot[last][1:] != slot[last][:-1], True]]
        term = np.searchsorted(starts, day[last], "right") - 1
        group = (child[last].astype(np.int64) * 1000 + term) * 100 + code[last]
        groups, sessions = np.unique(group, return_counts=True)
        for g, n in zip(groups.tolist(), sessions.tolist(), strict=True):
            t = terms[g // 100 % 1000]
            returned = t.end + (date(2000, 5, 1) - date(2000, 1, 1))
            if returned <= state.clock.end:
                rows.append((int(children[g // 100_000]), t.start, t.end, marks.CODES[g % 100], n, returned))
    state.write_table("termly_attendance", rows)
