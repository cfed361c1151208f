"""Made-up odd children with each counted anew beside the histories that hold all of them; made once for the tests of a worker."""

from functools import lru_cache

from histories.reading.histories import Histories
from tests.support.neighbours_counted_anew import Everyone
from tests.support.odd_children import odd_children, with_plans
from tests.support.rows_counted_anew import Child


@lru_cache(maxsize=1)
def odd_world(n, seed):
    """Return the children by pupil, and their histories, which hold plans too."""
    tables = odd_children(n, seed)
    by_pupil = {}
    for table, rows in tables.items():
        for row in rows:
            if "pupil_id" in row:
                by_pupil.setdefault(row["pupil_id"], {}).setdefault(table, []).append(row)
    empty = {table: [] for table in tables}
    everyone = {pupil: Child({**empty, **rows}) for pupil, rows in by_pupil.items()}
    Everyone(list(everyone.values()))
    return everyone, Histories.from_rows(with_plans(tables, seed))
