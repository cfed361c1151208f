"""How sure a score is, said alike on the list, the child's page, the move to secondary school, the team's page and over HTTP."""

import csv
import html
import io
import re
from datetime import date

import pytest

from serving.pages.promise import of_manifest
from serving.store import Caller
from serving.store.sign_in import staff
from training.explanation.chance import chance, last_day, sureness


def promise_on(text):
    return html.unescape(re.search(r'<p class="[^"]*" id="promise">(.*?)</p>', text).group(1))


@pytest.fixture
def manifest(visit, monkeypatch):
    """The served model's manifest, with figures of lists of three lengths."""
    manifest = visit().app.app.state.live_model.model().manifest
    lengths = {8: (0.375, 0.1, 0.6), 10: (0.3, 0.08, 0.5), 25: (0.1, 0.02, 0.2)}
    figures = {
        "at_capacity": {f"top_{n}_a_list": {"precision": p, "recall": 0.5} for n, (p, _, _) in lengths.items()},
        "intervals": {f"top_{n}_a_list.precision": [low, high] for n, (_, low, high) in lengths.items()},
    }
    monkeypatch.setitem(manifest.metrics, manifest.candidate, figures)
    return manifest


def test_the_list_and_the_team_say_the_same_of_the_newest_list(site, visit, manifest):
    until = last_day(site.scores[0].as_of, manifest.horizon_days)
    text = sureness(0.375, (0.1, 0.6), until, of=8)
    assert text.startswith("Of 8 like these, about 3 went missing when tested.")
    assert promise_on(visit("worker").get("/work-list").text) == text
    assert promise_on(visit("lead").get("/team").text) == text
    assert promise_on(visit("north").get("/work-list").text).startswith(text)
    assert "A list of some schools alone was not tested." in promise_on(visit("north").get("/work-list").text)
    for other in ("?show=mine", "?show=new", "?show=aside", "?year=9"):
        assert 'id="promise"' not in visit("worker").get(f"/work-list{other}").text, (
            "it was tested for the top of lists"
        )


def test_the_numbers_of_the_worker_and_the_lead_agree_when_the_capacity_changes(site, visit, manifest):
    lead = Caller("dev:lead", "lead", site.authority)
    with site.store.change(lead) as change:
        before = next((c["version"] for c in staff.capacities(change) if c["team"] == ""), 0)
        version = staff.set_capacity(change, site.authority, "", 10, before)
    try:
        worker, team = visit("worker").get("/work-list").text, visit("lead").get("/team").text
        assert promise_on(worker) == promise_on(team)
        assert promise_on(worker).startswith("Of 10 like these, about 3 ")
        done = re.compile(r"Done since 28 April 2025: \d+ of 10\.")
        assert done.search(worker)[0] == done.search(team)[0]
        assert 'value="10"' in team
    finally:
        with site.store.change(lead) as change:
            staff.set_capacity(change, site.authority, "", 8, version)


def test_without_the_model_that_made_the_list_nothing_is_promised(visit, manifest, monkeypatch):
    monkeypatch.setattr(visit().app.app.state.live_model, "current", None)
    assert 'id="promise"' not in visit("worker").get("/work-list").text


def test_the_row_the_page_the_file_and_the_stored_score_say_the_same(site, visit):
    client = visit("worker")
    by_id = {s.pupil_id: s for s in site.scores}
    page = client.get("/work-list").text
    listed = re.findall(r'href="(/pupils/[0-9a-f]{32})">(\w+)</a>', page.partition("<ol")[2])[:3]
    exported = {
        r[1]: r for r in csv.reader(io.StringIO(client.get("/work-list.csv").content.decode("utf-8-sig"))) if r[1:]
    }
    heading = next(iter(csv.reader(io.StringIO(client.get("/work-list.csv").content.decode("utf-8-sig")))))
    for path, pupil in listed:
        s = by_id[pupil]
        until = last_day(s.as_of, s.horizon_days)
        assert s.chance == sureness(s.risk, (s.risk_low, s.risk_high), until)
        assert s.chance in html.unescape(client.get(path).text)
        assert chance(s.risk) in html.unescape(page)
        assert s.chance.startswith(chance(s.risk))
        assert exported[pupil][heading.index("Went missing when tested")] == chance(s.risk)
        assert exported[pupil][heading.index("Here that means by")] == until.isoformat()


def test_the_page_of_moves_says_it_too(site, visit):
    text = html.unescape(visit("worker").get("/transition").text)
    s = site.scores[-40]
    row = re.search(rf">{s.pupil_id}</a>.*?</li>", text, re.DOTALL).group(0)
    assert chance(s.risk) in row
    assert "Here that means by" in text


@pytest.mark.parametrize(("capacity", "nearest"), [(1, 8), (8, 8), (9, 8), (10, 10), (30, 25), (1000, 25)])
def test_the_tested_length_nearest_to_the_capacity_is_named(manifest, capacity, nearest):
    assert of_manifest(manifest, date(2025, 4, 28), capacity).listed == nearest
    manifest.metrics[manifest.candidate].pop("at_capacity")
    assert of_manifest(manifest, date(2025, 4, 28), capacity) is None
