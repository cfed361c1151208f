"""Imported marks lie in order of the children, so that a block of children reads its own row groups only."""

from itertools import product

import pyarrow.parquet as pq
import pytest

from tests.support.small_returns import UPNS, import_text

DAYS = ("2024-09-11", "2024-09-09", "2024-09-10")
LATER = ("2024-09-17", "2024-09-16")


def by_day(days):
    """Return marks as systems export them: day by day, all children of each."""
    return "upn,date,session,code\n" + "".join(f"{u},{d},{s},/\n" for d, s, u in product(days, ("PM", "AM"), UPNS))


@pytest.mark.parametrize("extracts", [[DAYS], [DAYS, LATER], [DAYS, DAYS, LATER]])
def test_marks_lie_in_order_of_the_children_after_any_number_of_extracts(tmp_path, extracts):
    for days in extracts:
        import_text(tmp_path, "marks", {"marks.csv": by_day(days)})
    table = pq.read_table(tmp_path / "h" / "attendance.parquet")
    rows = list(zip(*(table[c].to_pylist() for c in ("pupil_id", "date", "session")), strict=True))
    assert len(rows) == len({*rows}) == 6 * len({day for days in extracts for day in days})
    assert rows == sorted(rows)
