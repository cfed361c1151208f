"""The account of what put a child on a list: model, data and rule, and who did what, in the words of the pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from features import CohortRule
from histories.errors import Fault, Faults, Usage
from histories.settings import Settings
from serving.pages.settings import PageSettings
from serving.pages.wording import Wording
from serving.store import Store
from serving.store.caller import command_line
from serving.store.records.pupil_file import read_pupils
from serving.store.records.timeline import serving_at, timeline
from serving.store.sign_in import staff
from training.bundle import read_bundle, read_recipe

MODEL = (
    "definition",
    "horizon_days",
    "trained_on",
    "until",
    "candidate",
    "data_digest",
    "catalogue_digest",
    "code_version",
)


def account_of(current: Settings, file: Path, day: date | None, released: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a child's events, each score with the version that served then, the versions' manifests, and the names of those who acted.

    Parameters
    ----------
    current : Settings
    file : Path
        With one pupil's identifier.
    day : date, optional
        Only the list of this day, until the next one.
    released : list of dict
        The moves of the promotion log.

    Raises
    ------
    Usage
        If the file names several pupils.
    """
    pupils = read_pupils(file)
    if len(pupils) != 1:
        raise Usage(Fault("the file names several pupils", str(file), "Write one identifier into it."))
    with Store.of(current).view(command_line()) as view:
        events = timeline(view, pupils[0], day)
        people = staff.names_of(view, [who for e in events for who in (e.get("who"), e.get("to_person"))])
    for event in events:
        if event["what"] == "scored":
            move = serving_at(released, event["at"])
            event["champion"] = move["version"] if move else None
    made_by = {e["model_version"]: e["model"] for e in events if e["what"] == "scored"}
    return {
        "pupil": pupils[0],
        "as_of": day,
        "events": events,
        "models": {v: _model(current, made_by[v], v) for v in sorted(made_by)},
        "people": people,
        "moves": released,
    }


def _model(current: Settings, name: str, version: str) -> dict[str, Any] | None:
    """Return what a version's manifest and recipe say of it; None if its folder is gone or was changed."""
    folder = current.releases / name / f"v{version}"
    try:
        _, manifest = read_bundle(folder)
    except Faults:
        return None
    rule = read_recipe(folder).get("question", {}).get("rule") or asdict(CohortRule())
    return {**{name: getattr(manifest, name) for name in MODEL}, "cohort": rule}


@dataclass(frozen=True, kw_only=True)
class AccountWords:
    """The words of the pages for what an account holds as codes; a code that has none is given as it is.

    Attributes
    ----------
    words : Wording
    settings : PageSettings
    people : mapping
        Names of staff and of keys' holders.
    """

    words: Wording
    settings: PageSettings
    people: Mapping[str, str]

    @classmethod
    def of(cls, current: Settings, people: Mapping[str, str]) -> AccountWords:
        """Return the words of an authority's pages."""
        settings = PageSettings.load(current.pages)
        return cls(words=Wording.load(settings.language), settings=settings, people=people)

    def who(self, e: dict[str, Any]) -> str:
        """Name who did it: a person, the holder of a key, or the account that ran a command."""
        who = str(e["who"])
        kind, _, account = who.partition(":")
        return self.people.get(who) or (f"the command line, account {account}" if kind == "command" else account or who)

    def done(self, e: dict[str, Any]) -> str:
        """Say what was done, with what came of it."""
        if e["what"] == "audited":
            return self.words.what_was_done(e["action"])
        if e["what"] == "allocated":
            return f"By lot in the trial {e['trial']}: {self._arm(e['arm'])}"
        if e["what"] == "excepted":
            why = {"deadline": "a deadline runs", "social_worker": "a social worker asked"}.get(e["why"], e["why"])
            return f"To be helped now whatever the arm of the trial {e['trial']}: {why}"
        if e["what"] == "drawn":
            return f"Drawn by lot for the check {e['plan']}, until {self.words.day(e['until'])}: no sign of risk"
        return self._entry(e)

    def place(self, e: dict[str, Any]) -> str:
        """Say where in its part of the list a score was, and down to where teams could take children up."""
        part = {"act_today": "of those to act on today", "help_early": "of those to help early"}
        cut = (
            f"its teams could take up {e['per_week']}"
            if e["per_week"]
            else "the list does not hold how many its teams could take up"
        )
        return f"place {e['place']} {part.get(e['list'] or '', 'of its list')} ({cut})"

    def _arm(self, arm: str) -> str:
        return {"help_now": "help now", "usual": "usual work"}.get(arm, arm.replace("_", " "))

    def _entry(self, e: dict[str, Any]) -> str:
        """Say what an entry of a case records, as the case's page does."""
        kind, code = e["kind"], e["code"]
        did = self._text(f"case.did_{kind}", kind)
        if kind == "assigned":
            return f"{did} {self.people.get(e['to_person'], e['to_person']) if e['to_person'] else 'nobody'}"
        if kind == "register":
            what = self._text(f"record.is_{e['record']}", str(e["record"]))
            return f"{did} {what}" + (f": {self.settings.record_text(e['record'], code)}" if code else "")
        if kind == "doubted":
            return f"{did} {self._text(f'table.{code}', code or '')}"
        text = f"{did} {self.settings.text_of(kind, code)}" if code else did
        if kind == "enquiry":
            side = self._text(f"enquiry.{e['asked_by']}", str(e["asked_by"]))
            return f"{text} ({side}): {self.settings.enquiry_results.get(e['result'], e['result'])}"
        return text

    def sources(self, e: dict[str, Any]) -> list[str]:
        """Say of each table of a score's list until when it was known, and which were missing."""
        known = [
            f"{self._text(f'table.{table}', table)}: until {self.words.day(day)}"
            for table, day in sorted(e["sources"].items())
        ]
        return [*known, *(f"{self._text(f'table.{table}', table)}: missing" for table in e["missing_tables"] or ())]

    def kind_of_model(self, candidate: str) -> str:
        """Name a kind of model."""
        return self._text(f"kind.{candidate}", candidate)

    def cohort(self, rule: Mapping[str, Any]) -> str:
        """Say whom a version was made for."""
        phases = f", in {self.words.listed(rule['phases'])} schools" if rule["phases"] else ""
        without = ", without an open case of missing education" if rule["exclude_open_cases"] else ""
        return f"children aged {rule['min_age']} to {rule['max_age']} on 31 August before{phases}{without}"

    def _text(self, key: str, otherwise: str) -> str:
        return self.words.messages.get(key, otherwise)
