"""A report of monitoring on made-up lists: three terms, an alarm that was acknowledged, and one that nobody has seen."""

from dataclasses import replace
from datetime import date

from serving.monitoring.alarms.alarm import Acknowledgement, AlarmResult
from serving.monitoring.judge import Terms, judge
from serving.monitoring.monitor import MonitorReport
from serving.monitoring.paired import Paired
from serving.monitoring.season import Season
from serving.monitoring.simple_way import SimpleWay, SimpleWays
from tests.support.monitored import DAY, histories, reader, stored_list

RISKS = [0.5] * 60 + [0.01] * 240
AUTUMN, LAST_YEAR, OPEN = date(2023, 11, 13), date(2023, 1, 16), date(2024, 9, 9)
BASE = AlarmResult(code="A010", title="a table's feed has stopped or thinned", state="up", since=date(2026, 11, 29))
SEEN = Acknowledgement(by="command:ann", at="2026-11-29T10:00:00+00:00", reason="The school changed its system.")
ALARMS = [
    replace(
        BASE,
        code="A001",
        title="more or fewer children go missing than the risks say",
        what="the risks said that 32.4 children would go missing, and 3 did (observed over expected 0.0926 (0.0188 to 0.27))",
        where="version 1",
        do="Find out what changed.",
    ),
    replace(BASE, what="20 rows came in place of 410", where="attendance, authority 801", do="Ask.", acknowledged=SEEN),
    replace(BASE, what="2 rows came", where="attendance, authority 802", do="Ask."),
    replace(BASE, code="A011", title="a school's register is silent", state="not_judged", what="no marks in 3 weeks"),
    replace(BASE, code="A015", title="the model is older than its data", state="quiet"),
]
PAIR = Paired(
    days=[DAY],
    listed=60,
    listed_simply=60,
    found=31,
    found_simply=18,
    children=31,
    children_simply=18,
    only_list=20,
    only_simple=7,
)
IN_TERMS = {"2023/24 autumn": replace(PAIR, children=7), "2023/24 spring": PAIR}
SIMPLE = SimpleWay(way="checklist", model_version="1", terms=IN_TERMS, **vars(PAIR))
TRIAL = {
    "name": "autumn-2026",
    "authority": "801",
    "as_of": "2024-09-09",
    "children": 400,
    "power": 0.87,
    "planned_at": "2026-11-29T09:00:00+00:00",
    "started_on": None,
    "analysed": 0,
}


def report(*, authorities=("801",), gone=range(0, 100, 4), **changes):
    """Return the report; a quarter of the children with high risks, and some of the others, go missing on 1 February 2024."""
    lists = [stored_list(RISKS, day=day, authority=a) for day in (LAST_YEAR, AUTUMN, DAY, OPEN) for a in authorities]
    risks = dict.fromkeys(lists, RISKS)
    judgement = judge(histories(children=300, gone=gone), lists, reader(risks), Terms(capacity=60))
    given = {
        "day": OPEN,
        "judgement": judgement,
        "season": Season(day=OPEN, children=dict.fromkeys(authorities, (300, 300))),
        "default_look": True,
        "alarms": [a for a in ALARMS if "802" in authorities or "802" not in a.where],
        "simple": SimpleWays(
            compared=[SIMPLE, replace(SIMPLE, way="stopped", found_simply=30, children_simply=30, only_simple=19)],
            left_out={"logistic": "itself"},
        ),
    }
    return MonitorReport(**{**given, **changes})
