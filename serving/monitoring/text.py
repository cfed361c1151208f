"""The monitor's report as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from histories.io.quantities import quantity
from serving.monitoring.monitor import NOTES, MonitorReport
from serving.monitoring.paired import Paired, Verdict
from serving.monitoring.promises import AtCapacity, Comparison
from serving.monitoring.results import ListResult, VersionResult
from serving.monitoring.simple_way import WHY, SimpleWay, SimpleWays
from training.measures.intervals import Interval

WAYS = {
    "checklist": "a checklist",
    "stopped": "taking those first who have already stopped coming",
    "surroundings": "taking the averages of school and area",
    "logistic": "the logistic regression within the version",
    "challenger": "the challenger",
}
VERDICTS: dict[Verdict, str] = {
    "better": "the list found more than {way}",
    "as_good": "{way} is as good, as far as these outcomes show",
    "worse": "{way} found more than the list",
}
MAX_LISTS = 20  # newest matured lists that are printed; the JSON has all


def text_of(report: MonitorReport) -> str:
    """Return the report as text: alarms first, then versions, terms and lists."""
    return "\n".join(_lines(report))


def _lines(report: MonitorReport) -> Iterator[str]:
    up, rest = report.up, [a for a in report.alarms if a.state != "up"]
    yield f"{len(up)} alarms are up" if len(up) != 1 else "1 alarm is up"
    yield from (str(alarm) for alarm in up)
    yield f"quiet: {', '.join(a.code for a in rest if a.state == 'quiet') or 'none'}"
    for alarm in rest:
        if alarm.state == "not_judged":
            at = f" ({alarm.where})" if alarm.where else ""
            yield f"not judged: {alarm.code} {alarm.title}{at}: {alarm.what}"
    lists = report.judgement.lists
    matured, overdue = [r for r in lists if r.figures], sum(r.overdue for r in lists)
    yield ""
    yield f"{_lists(len(lists))} {'is' if len(lists) == 1 else 'are'} stored; the outcomes of {len(matured):,} are known"
    if overdue:
        yield f"the outcomes of {overdue:,} are overdue: the records have reached their day, and those of who left, or of cases, have not"
    next_known = min((r.known_from for r in lists if r.known_from and not (r.figures or r.overdue)), default=None)
    if next_known:
        yield f"the next outcomes are known once the histories reach {next_known}"
    for version in report.judgement.versions:
        yield ""
        yield from _version(version)
    if report.judgement.terms:
        yield ""
    for term in report.judgement.terms:
        before = f"; a year before {_ratio(term.year_before.ratio)}" if term.year_before else ""
        yield f"{term.term}, {_lists(term.lists)}: {_compared(term.whole)}{before}"
    yield from _simple(report.simple)
    if matured:
        yield ""
    for result in matured[-MAX_LISTS:]:
        yield _list(result)
    if len(matured) > MAX_LISTS:
        yield f"and {len(matured) - MAX_LISTS} earlier lists: see --json"
    yield ""
    yield from NOTES


def _version(version: VersionResult) -> Iterator[str]:
    shown = "" if version.shown else ", which no team was shown"
    first, last = version.first_day, version.last_day
    days = f"of {last}" if first == last else f"from {first} to {last}"
    yield f"version {version.model_version} ({version.definition}, {version.horizon_days} days), {_lists(version.lists)} {days}{shown}"
    yield f"  all children: {_compared(version.figures.whole)}"
    for kind, parts in (("band", version.figures.bands), ("list", version.figures.lists)):
        for name, comparison in parts.items():
            yield f"  {kind} {name.replace('_', ' ')}: {_compared(comparison)}"
    yield from _places(version)
    yield f"  {_first(version.figures.first)}"
    if version.tested:
        limits = version.tested["precision_limits"]
        shown = f" ({limits[0]:.1%} to {limits[1]:.1%})" if limits else ""
        yield f"  when it was tested, {version.tested['precision']:.1%}{shown} of the first {version.tested['listed']} went missing"
    counts = ", ".join(f"{n:,} {fate.replace('_', ' ')}" for fate, n in version.fates.items() if n)
    yield f"  children by outcome, once for each list: {counts}"
    if version.unscored:
        yield f"  {version.unscored:,} children of the cohorts had no score; those of them who went missing count as not captured"
    measured = [s for s in version.groups.slices if s.figures["calibration"]] if version.groups else []
    yield f"  by group, with small numbers hidden, observed over expected of {len(measured)} groups can be measured{':' if measured else ''}"
    for group in measured:
        yield f"    {group.groups[0]}: {group.title}: {_ratio(group.figures['calibration'])}"


def _places(version: VersionResult) -> Iterator[str]:
    """Yield each authority if there are several, and the schools outside their usual range; the JSON has all."""
    authorities, schools = version.places["authority"], version.places["school"]
    if len(authorities) > 1:
        yield from (f"  authority {name}: {_compared(c)}" for name, c in authorities.items())
    outside = {name: c for name, c in schools.items() if not c.kept}
    yield f"  {len(outside)} of {quantity(len(schools), 'school')} outside the usual range{':' if outside else ''}"
    yield from (f"    school {name}: {_compared(c)}" for name, c in outside.items())


def _simple(simple: SimpleWays) -> Iterator[str]:
    if simple.compared:
        yield ""
        yield f"is version {simple.compared[0].model_version} still better than simple ways?"
    for way in simple.compared:
        yield from _beside(way)
    yield from (f"  not compared: {WAYS[way]}: {WHY[why]}" for way, why in simple.left_out.items())


def way_name(simple: SimpleWay) -> str:
    """Return what a way is called in a sentence."""
    return f"version {simple.other}" if simple.other else WAYS[simple.way]


def _beside(simple: SimpleWay) -> Iterator[str]:
    yield (
        f"  {VERDICTS[simple.verdict].format(way=way_name(simple))}: of {simple.listed:,} first children as of {quantity(len(simple.days), 'day')} "
        f"{simple.found} went missing, by the other way {simple.found_simply} of {simple.listed_simply:,}; {_more(simple)}"
    )
    for term, part in simple.terms.items():
        yield f"    {term}: {VERDICTS[part.verdict].format(way=way_name(simple))}; {_more(part)}"


def _more(pair: Paired) -> str:
    """Say how many more children the list found, in pairs."""
    lead = pair.lead
    return (
        f"{pair.only_list} homes only by the list, {pair.only_simple} only by the other way: {lead.value:+.0f} "
        f"(95% interval {lead.low:+.1f} to {lead.high:+.1f})"
    )


def _compared(c: Comparison) -> str:
    state = "as promised" if c.kept else "not as promised"
    return (
        f"{c.expected:.1f} expected of {c.children:,} (usual {c.usual[0]:,} to {c.usual[1]:,}), {c.observed:,} went missing: {state}; "
        f"observed over expected {_ratio(c.ratio)}"
    )


def _first(first: AtCapacity) -> str:
    if not first.precision or first.promised is None:
        return "no child among the first has a known outcome"
    capture = (
        f"; {_share(first.capture)} of all {first.missing:,} who went missing were among them" if first.capture else ""
    )
    return f"first {first.capacity} of each list: {first.promised:.1%} promised, {_share(first.precision)} went missing{capture}"


def _list(result: ListResult) -> str:
    figures = result.figures
    return f"{result.of.place}: {_compared(figures.whole)}" if figures else result.of.place


def _share(share: Interval | None) -> str:
    return f"{share.value:.1%} ({share.low:.1%} to {share.high:.1%})" if share else "unknown"


def _ratio(ratio: Interval | None) -> str:
    return str(ratio) if ratio else "unknown"


def _lists(n: int) -> str:
    return f"{n:,} lists" if n != 1 else "1 list"
