"""Nothing asks the clock while it is imported: a run over midnight would compare the day of the import with that of the product."""

import pytest

from tests.house.clocks import asked_at_import
from tests.house.code import Module, modules


def test_no_module_asks_the_clock_at_import():
    """Before, the suite failed over midnight, when the oldest case of 14 days was one of 13."""
    assert [place for module in modules().values() for place in asked_at_import(module)] == []


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("from histories.calendar import london_today\nTODAY = london_today()", True),
        ("from histories import calendar\nDAYS = [calendar.london_today() for n in range(3)]", True),
        ("from datetime import datetime as dt\nclass Row:\n    at = dt.now()", True),
        ("import datetime\ndef f(at=datetime.datetime.now()): pass", True),
        ("import datetime\ndef f(*, day=datetime.date.today()): pass", True),
        ("import time\nf = lambda at=time.time(): at", True),
        ("import pytest, time\n@pytest.mark.parametrize('at', [time.time() - 60])\ndef test(at): pass", True),
        ("from histories.reading.values import last_day\nEDGE = last_day()", True),  # which asks for today
        ("from datetime import date\nclass Row:\n    on: date = field(default_factory=date.today)", False),
        ("from datetime import datetime, time\nNOON = time(12)\ndef f(): return datetime.now()", False),
        ("import time\nf = lambda: time.time()", False),
        ("import time\nif __name__ == '__main__':\n    print(time.time())", False),
    ],
)
def test_what_runs_at_import_is_told_from_what_runs_later(text, asks):
    module = Module("tests/made_up.py")
    vars(module)["source"] = text
    assert bool(list(asked_at_import(module))) == asks
