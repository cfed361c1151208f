"""The models' page: drift from list to list, and the gates' latest verdicts."""

import re

from serving.pages.views import model

GATE = {
    "code": "G001",
    "title": "better than <the champion>",
    "passed": False,
    "measured": "lead -0.0737",
    "limit": "at least 0",
}


def test_each_list_shows_its_mean_risk(site, visit):
    page = visit("analyst").get("/model").text
    assert "28 April 2025" in page
    assert "21 April 2025" in page
    newest = [s.risk for s in site.scores]
    assert f"{sum(newest) / len(newest):.4f}" in page
    assert f">{5 * round(len(newest) / 5)}<" in page, "rounded, so that a list does not give away who came or left"


def test_another_authority_has_no_list_there(visit):
    assert visit("stranger").get("/model").status_code == 403


def test_the_gates_are_shown_as_last_evaluated(visit, monkeypatch):
    client = visit("analyst")
    assert "The gates were not asked yet" in client.get("/model").text
    line = {"action": "refused", "version": 3, "by": "ann", "why": "autumn", "gates": [GATE]}
    monkeypatch.setattr(model, "logged", lambda releases, name: [{**line, "version": 2}, line, {"action": "judged"}])
    page = client.get("/model").text
    assert "Version 3 was refused. ann asked for it: autumn" in page
    assert "G001: better than &lt;the champion&gt;" in page
    assert "lead -0.0737" in page


def test_each_version_leads_to_its_run_in_mlflow(site, visit, monkeypatch):
    version = int(site.scores[0].model_version)
    log = [{"action": "registered", "version": v, "run_id": f"0af{v}"} for v in (version, version + 1)]
    monkeypatch.setattr(model, "logged", lambda releases, name: log)
    links = re.findall(r'href="([^"]*/runs/[^"]*)"', visit("analyst").get("/model").text)
    assert links == [f"http://127.0.0.1:5000/#/runs/0af{version}"]
    assert model._runs("", log) == {}, "where nobody said where MLflow's pages are"
