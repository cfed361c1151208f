"""Who is involved with a child now and who lives at the same address, in the sentences of the child's page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from features.attendance.wording import FEW_SESSIONS
from histories.codes import code_set
from serving.pages.wording import Wording

SOCIAL_WORKER = ("cpp", "cin")  # records of social care that come with a social worker, besides care itself


def services_now(involvements: Sequence[Mapping[str, Any]], words: Wording) -> list[str]:
    """Say who is involved now, most urgent first; empty if no record is open.

    Parameters
    ----------
    involvements : sequence of mapping
        See ``serving.store.cases.family.involvements``.
    """
    since = {i["kind"]: words.month(i["since"], i["as_of"]) for i in involvements}
    lines = [words("family.in_care", since=since["cla"])] if "cla" in since else []
    kinds = code_set("social_care_kind")
    plans = [words("family.plan", kind=kinds[k].capitalize(), since=since[k]) for k in SOCIAL_WORKER if k in since]
    if plans:
        lines.append(words("family.social_worker", plans=words.listed(plans)))
    lines += [words(f"family.{k}", since=since[k]) for k in ("assessment", "early_help") if k in since]
    lines += [words("family.cme", since=since["cme"])] if "cme" in since else []
    return lines


def attends(child: Mapping[str, Any], words: Wording) -> str:
    """Say whether a child at the same address attends, by the register of the newest weeks; nothing of a child whom no register can hold.

    Of few sessions only the figures are said: they are too few to say that a child attends or does not.
    """
    figures = {"n": child["missed"], "of": child["possible"], "day": words.day(child["until"])}
    if child["left_on"] or child["off_roll"]:
        figures["n"] = child["missed"] or words("family.none")
        return words("family.before_leaving", **figures) if child["possible"] else ""
    if not child["possible"]:
        return words("family.silent" if child["until"] else "family.no_register", **figures)
    if child["possible"] <= FEW_SESSIONS:
        return words("family.missed", **figures)
    if child["missed"] == child["possible"]:
        return words("family.missed_all", **figures)
    return words("family.missed" if child["missed"] else "family.missed_none", **figures)


def newest_day(involvements: Sequence[Mapping[str, Any]], at_home: Sequence[Mapping[str, Any]]) -> date | None:
    """Return the day as of which the records were read."""
    return max((row["as_of"] for row in (*involvements, *at_home)), default=None)
