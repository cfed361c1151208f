"""Every line that a page composes from a made-up child's records is parsed back, is true of the rows, and leaves nothing out."""

import re
from collections import Counter

import pytest

from serving.casework.deadlines import find_deadlines
from serving.casework.family import find_at_home, find_involvements
from serving.casework.history import pupil_histories
from serving.casework.rolls import last_spells
from serving.casework.school_days import SchoolDays
from serving.casework.silence import silent_registers
from serving.pages.family import attends, services_now
from serving.pages.records_line import records_line, silence_line
from serving.pages.settings import PageSettings
from serving.pages.wording import Wording
from serving.store.cases.silence import of_child
from tests.support.neighbours_counted_anew import others_at_home
from tests.support.odd_children import DAY
from tests.support.odd_world import odd_world
from tests.support.page_lines_read_back import (
    clock_read,
    duties,
    family_untrue,
    line_untrue,
    services_untrue,
    silence_untrue,
)

WORDS, RULES = Wording.load("en"), PageSettings.load(None).rules()
STIFF = re.compile(r"\b1 (times|sessions|weeks|days)\b|\((s|ren)\)|\b\d{4}-\d\d|None|\{|last 1 |all 1 ")


def told_of(everyone, histories):
    """Yield each child with every line that is told of it, by kind."""
    spells, pupils = last_spells(histories, DAY), sorted(everyone)
    days = SchoolDays.of(histories, spells, DAY, frozenset())
    past = pupil_histories(histories, pupils, spells, DAY)
    silent = {c.pupil_id: of_child(c.since, c.days, DAY) for c in silent_registers(histories, spells, DAY, days)[0]}
    told = {pupil: {"services": [], "duties": []} for pupil in pupils}
    services = {pupil: [] for pupil in pupils}
    for service in find_involvements(histories, pupils, DAY):
        services[service.pupil_id].append({**vars(service), "as_of": DAY})
    for child in find_at_home(histories, pupils, DAY):
        told[child.pupil_id]["family"] = attends({**vars(child), "left_on": None, "off_roll": False}, WORDS)
    for duty in find_deadlines(histories, spells, DAY, days, RULES).due:
        told[duty.pupil_id]["duties"].append(duty_line(duty))
    for pupil in pupils:
        history, year = past[pupil], WORDS.year_group(everyone[pupil].taught_year)
        if pupil in silent:
            history["silent"] = True
            told[pupil]["silence"] = silence_line(silent[pupil], "A school", WORDS)
        told[pupil]["services"] = services_now(services[pupil], WORDS)
        told[pupil]["line"] = records_line(history, DAY, year, WORDS)
        told[pupil]["on the page"] = records_line(history, DAY, year, WORDS, services=False)
        yield everyone[pupil], told[pupil]


def duty_line(duty):
    """Return a duty as the page of what is due says it."""
    tag = WORDS("clock.late" if duty.due_on < DAY else "clock.due", day=WORDS.day(duty.due_on))
    began = WORDS("deadlines.started", day=WORDS.day(duty.started_on), ago=WORDS.ago(duty.started_on, DAY))
    return f"{tag} {WORDS(f'clock.{duty.kind}')} {began}"


def faults_of(child, told, marked):
    """Yield what is untrue, or is left out, in the lines of a child; ``marked``: how many days ago any child at a shared address was."""
    yield line_untrue(told["line"], child)
    yield None if told["line"].startswith(told["on the page"]) else "the page says another line than the list"
    yield services_untrue(told["services"], child)
    yield silence_untrue(told.get("silence"), child)
    at_home = 1 + len(others_at_home(child))
    if ("family" in told) != (2 <= at_home <= 12):
        yield "brothers and sisters are others"
    elif "family" in told:
        yield family_untrue(told["family"], child, marked)
    if {clock_read(line) for line in told["duties"]} != duties(child):
        yield f"what is due is another: {told['duties']}"


def check_lines(n, seed):
    everyone, histories = odd_world(n, seed)
    marked = min(c.marks[0][0] for c in everyone.values() if c.marks and 1 <= len(others_at_home(c)) <= 11)
    faults, many = [], Counter()
    for child, told in told_of(everyone, histories):
        lines = [x for said in told.values() for x in ([said] if isinstance(said, str) else said)]
        faults += [f"{why}: {told}" for why in faults_of(child, told, marked) if why]
        faults += [f"stiff: {line}" for line in lines if STIFF.search(line)]
        many += Counter(kind for kind, said in told.items() if said)
    assert faults[:10] == []
    return many


def test_every_line_is_true_and_leaves_nothing_out():
    many = check_lines(500, seed=1)
    assert set(many) == {"line", "on the page", "services", "silence", "family", "duties"}
    assert min(many.values()) > 20, many


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(10))
def test_every_line_is_true_of_5000_children(seed):
    assert min(check_lines(500, seed=100 + seed).values()) > 20
