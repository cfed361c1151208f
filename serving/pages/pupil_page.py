"""The content of a child's page: the score's reasons and the records behind them, protective factors, and what is not known."""

from __future__ import annotations

from datetime import date
from typing import Any

from fastapi import Request
from starlette.responses import Response

from features.catalogue import catalogue
from features.sentences import could_say
from histories.calendar import london_today
from histories.tables import TABLES
from serving.casework.no_roll import NOWHERE
from serving.pages.context import PageContext
from serving.pages.enquiries import enquiries
from serving.pages.family import attends, newest_day, services_now
from serving.pages.list_query import ListQuery
from serving.pages.not_in_school import record_event, records_now
from serving.pages.records_line import records_line, weeks_compared
from serving.pages.score_change import changed
from serving.pages.score_strip import score_strip
from serving.pages.timeline import timeline
from serving.pages.wording import SCHOOL_AGE, Wording
from serving.store.cases import cases, casework, done, family, not_in_school, silence
from serving.store.cases import enquiries as asked
from serving.store.cases.duties import LOST
from serving.store.scores import stored_scores, week_list
from serving.store.sign_in import staff
from serving.store.trials import checks
from serving.store.unit_of_work import NotThere
from training.explanation.reasons import sentence_of


def show(context: PageContext, request: Request, pupil_ref: str, status: int = 200, **more: Any) -> Response:
    """Return a child's page.

    Parameters
    ----------
    context : PageContext
    request : Request
    pupil_ref : str
    status : int
    more
        Values that a rejected form adds: its errors and its input.

    Raises
    ------
    NotThere
        When there is no such child in the caller's scope.
    """
    with context.store.view(request.state.caller) as view:
        scores = [] if context.withdrawn else stored_scores.history(view, pupil_ref)
        place = week_list.place(view, pupil_ref)
        if place is None:
            raise NotThere("pupil")
        current = [s for s in scores if s["replaced_at"] is None]
        case = cases.case_of(view, pupil_ref)
        case = cases.case(view, case["case_id"]) if case else None
        score: Any = current[-1]["score"] if current else None
        stored = {
            "at": place,
            "score": score,
            "serves_no_longer": bool(current) and context.serves_no_longer(current[-1]["model_version"]),
            "stored_at": current[-1]["stored_at"] if current else None,
            "change": changed(current),
            "strip": score_strip(current),
            "case": case,
            "deadlines": casework.deadlines(view, pupil_ref=pupil_ref),
            "wrote": staff.names_of(view, _staff_of(case)),
            "people": {p["person_id"]: p["name"] for p in staff.active_staff(view)},
            "names": week_list.school_names(view),
            "sources": week_list.sources(view),
        }
        history = casework.pupil_history(view, place["pupil_id"])
        given = [_help_event(context, entry) for entry in done.help_given(view, place["pupil_id"])]
        recorded = not_in_school.records(view, place["pupil_id"])
        given += [record_event(context, r) for r in recorded]
        newest = stored_scores.newest_list(view)
        is_newest = not (history and newest and history[0] < newest[0])
        silent = silence.of_pupils(view, [place["pupil_id"]]).get(place["pupil_id"])
        since = asked.asked_since(view, [place["pupil_id"]])
        entries = asked.since(view, since).get(place["pupil_id"], [])
        involved = family.involvements(view, place["pupil_id"])
        at_home = family.at_home_with(view, place["pupil_id"])
        drawn_on = checks.of_pupil(view, place["pupil_id"], london_today())
        details = context.details(view, [place["pupil_id"], *(c["pupil_id"] for c in at_home)], "pupil")
        view.record("pupil.seen", pupils=[place["pupil_id"]])
    words, query = context.renderer.words, request.query_params
    doubted = _record(score, query.get("record", ""))
    saved = query.get("done", "")
    shown = {
        "details": details,
        "known": details.get(place["pupil_id"]),
        "picture": timeline(history[1], history[0], given) if history else None,
        "silent": silent,
        "protective": _protective(score, is_silent=silent is not None),
        "line": _line(history, place, words, services=not involved, is_newest=is_newest) if history else "",
        "drawn_on": drawn_on,
        "year": words.year_group_taught(place["nc_year"], place["roll_year"]),
        "services": services_now(involved, words),
        "at_home": [{**child, "attends": attends(child, words)} for child in at_home],
        "records_of": newest_day(involved, at_home),
        "compared": history[1]["compared"] if history else [],
        "weeks": weeks_compared(history[1], history[0], words, is_newest=is_newest) if history else (),
        "more_of": more_of,
        "made": enquiries(entries, list(context.settings.enquiries)),
        "record_kinds": not_in_school.RECORDS,
        "duties": not_in_school.DUTIES,
        "recorded": records_now(recorded, stored["deadlines"]),
        "confirmed": not_in_school.confirmed(recorded, since[place["pupil_id"]]),
        "off_roll": any(d["kind"] in asked.ASKING for d in stored["deadlines"]),
        "waits_since": waits_since(place, stored["deadlines"], london_today()),
        "nowhere": is_nowhere(place),
        "today": london_today(),
        "settings": context.settings,
        "list_query": ListQuery.of(query, context),
        "caller_id": request.state.caller.key_id,
        "tables": [(name, words(f"table.{name}")) for name in TABLES],
        "doubted": doubted or {"table": "attendance", "date": ""},
        "asked_for": "doubt" if doubted else "",
        "banner": words(f"case.done_{saved}") if f"case.done_{saved}" in words.messages else None,
        "written": {},
        "wrong": {},
    }
    return context.renderer.page(request, "pupil", status, **{**stored, **shown, **more})


def _staff_of(case: dict[str, Any] | None) -> list[str | None]:
    """Return the ids of everybody whom the page of a case names."""
    if case is None:
        return []
    entries = [who for entry in case["entries"] for who in (entry["by"], entry["to_person"])]
    return [case["owner"], case["opened_by"], *entries]


def _protective(score: dict[str, Any] | None, *, is_silent: bool) -> list[dict[str, Any]]:
    """Return what speaks for a child; nothing of attendance while the register is silent, since missing marks look like none missed."""
    reasons = score["protective"] if score else []
    return [r for r in reasons if not (is_silent and r["theme"] == catalogue().themes["attendance"])]


def _line(history: tuple[date, dict[str, Any]], place: dict[str, Any], words: Wording, **how: bool) -> str:
    as_of, past = history
    return records_line(past, as_of, words.year_group_taught(place["nc_year"], place["roll_year"]), words, **how)


def waits_since(place: dict[str, Any], deadlines: list[dict[str, Any]], today: date) -> date | None:
    """Return since when a child is off roll for whom nobody opened a case in time; None of others.

    The duty may begin later than the child left: with compulsory school age.
    """
    late = [d["started_on"] for d in deadlines if d["kind"] == LOST and d["due_on"] < today]
    return (place["left_on"] or min(late)) if late else None


def is_nowhere(place: dict[str, Any]) -> bool:
    """Return whether a child of school age has left every roll, and nobody knows where the child is: that no duty runs is then no comfort."""
    return place["left_on"] is not None and place["left_to"] in NOWHERE and place["nc_year"] <= SCHOOL_AGE


def _help_event(context: PageContext, entry: dict[str, Any]) -> dict[str, Any]:
    """Return a contact or an action as an event of the timeline."""
    text = context.settings.text_of(entry["kind"], entry["code"])
    return {"lane": "help", "date": entry["on_day"].isoformat(), "text": text}


def _record(score: dict[str, Any] | None, named: str) -> dict[str, str] | None:
    """Return the record that a link names by position; its day and text must not appear in a URL."""
    reason, _, record = named.partition("-")
    try:
        return score["reasons"][int(reason)]["evidence"][int(record)] if score else None
    except (ValueError, IndexError):
        return None


def more_of(reason: dict[str, Any], digest: str) -> list[str]:
    """Return the theme's other sentences in the same direction; none if the score's features were different."""
    if digest != catalogue().digest:
        return []
    values = {f["name"]: f["value"] for f in reason["features"]}
    up = reason["direction"] == "raises"
    sentences: list[str] = []
    for f in reason["features"]:
        feature = catalogue().by_name.get(f["name"])
        if feature and feature.role == "reason" and (f["contribution"] > 0) == up:
            sentence = sentence_of(feature.name, feature.sentences, values, up)
            opens = any(could_say(s.text, reason["sentence"]) for s in feature.sentences)
            if sentence and not opens and sentence not in sentences:
                sentences.append(sentence)
    return sentences
