"""The interface: scores of posted rows, stored scores, the list, counts, and who may see them."""

import base64
import json
import os
import sys
from datetime import timedelta

import pytest
import sqlalchemy as sa

from histories.calendar import london_today
from serving.store.database import reading
from serving.store.tables import StoredKey
from tests.support.interface import BODY, CANARY, ROWS


def test_a_score_of_posted_rows_is_explained_and_adds_up(service):
    answer = service.post("/api/v1/score", json=BODY)
    assert answer.status_code == 200, answer.text
    (score,) = answer.json()["scores"]
    parts = score["reasons"] + score["protective"] + score["context"]
    assert score["base"] + sum(p["contribution"] for p in parts) == pytest.approx(score["margin"], abs=1e-9)
    assert 0 < score["risk_low"] <= score["risk"] <= score["risk_high"] < 1
    assert "sen" in score["missing_tables"]
    assert score["model_version"] == answer.json()["model"]["version"]


def test_stored_scores_are_seen_within_the_scope_of_the_key(service):
    first = service.post("/api/v1/score", json=BODY).json()["scores"][0]
    service.store.save(
        [
            first,
            {**first, "pupil_id": "B2", "authority": "802", "rank": 1},
            {**first, "pupil_id": "C3", "urn": "200", "rank": 2},
        ]
    )
    assert first["list"] == "help_early"
    body = {"pupil_ids": ["A1", "B2", "C3"]}
    assert [s["pupil_id"] for s in service.post("/api/v1/scores", json=body).json()["scores"]] == ["A1", "C3"]
    assert service.post("/api/v1/scores", json={"pupil_ids": ["A1"]}).json()["scores"] == [first]
    assert [s["pupil_id"] for s in service.post("/api/v1/worklist", json={"limit": 1}).json()["scores"]] == ["A1"]
    _, narrow = service.store.create_key("worker", "801", ["200"])
    listed = service.post("/api/v1/worklist", json={}, headers={"Authorization": f"Bearer {narrow}"}).json()["scores"]
    assert [s["pupil_id"] for s in listed] == ["C3"]
    _, everyone = service.store.create_key("administrator")
    seen = service.post("/api/v1/scores", json=body, headers={"Authorization": f"Bearer {everyone}"}).json()["scores"]
    assert len(seen) == 3
    for choice, expected in (
        ({"urn": "200"}, ["C3"]),
        ({"year_group": 11}, []),
        ({"band": first["band"]}, ["A1", "C3"]),
        ({"list": "help_early"}, ["A1", "C3"]),
        ({"list": "act_today"}, []),
    ):
        assert [s["pupil_id"] for s in service.post("/api/v1/worklist", json=choice).json()["scores"]] == expected


def test_a_whole_number_is_read_in_every_notation(service):
    terms = {"pupil_id": "A1", "term_start": "2024-09-01", "term_end": "2024-12-20", "code": "O"}
    scored = [
        service.post(
            "/api/v1/score", json={**BODY, "histories": {**ROWS, "termly_attendance": [{**terms, "sessions": n}]}}
        )
        for n in (70, 70.0)
    ]
    assert scored[0].json()["scores"] == scored[1].json()["scores"]
    assert service.post("/api/v1/worklist", json={"limit": 5.0, "year_group": 7.0}).status_code == 200


def leaks(token, pupils):
    """Return whether a token contains a pupil's identifier, raw or decoded."""
    decoded = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    return any(pupil in text for text in (token, decoded) for pupil in pupils)


def test_pages_of_the_list_follow_each_other_until_it_changes(service):
    first = service.post("/api/v1/score", json=BODY).json()["scores"][0]
    ranked = [{**first, "pupil_id": f"{CANARY}{n}", "rank": n // 2, "authority": f"80{1 + n % 2}"} for n in range(7)]
    service.store.save(ranked)
    _, everyone = service.store.create_key("administrator")
    headers = {"Authorization": f"Bearer {everyone}"}
    body, seen, tokens = {"limit": 3}, [], []
    while True:
        page = service.post("/api/v1/worklist", json=body, headers=headers).json()
        seen += [s["pupil_id"] for s in page["scores"]]
        if page["next"] is None:
            break
        tokens.append(page["next"])
        body = {"limit": 3, "after": page["next"]}
    assert (seen, len(tokens)) == ([s["pupil_id"] for s in ranked], 2)
    assert not any(leaks(token, seen) for token in tokens)
    service.store.save([{**first, "model_version": "9"}])
    changed = service.post("/api/v1/worklist", json=body, headers=headers)
    assert changed.status_code == 409
    lead = service.post("/api/v1/worklist", json=body).json()
    assert lead["status"] == 409
    for nonsense in ("x", "W10", "IiI", "WzEsMl0", "a" * 300):
        assert service.post("/api/v1/worklist", json={"after": nonsense}).status_code == 409


def test_counts_name_no_child_and_hide_small_numbers(service):
    first = service.post("/api/v1/score", json=BODY).json()["scores"][0]
    many = [(b, n) for b, size in (("high", 3), ("raised", 23), ("usual", 101)) for n in range(size)]
    service.store.save({**first, "pupil_id": f"{b}{n}", "band": b, "rank": k} for k, (b, n) in enumerate(many))
    service.store.save([{**first, "pupil_id": "far", "authority": "802", "band": "elsewhere"}])
    _, analyst = service.store.create_key("analyst", "801")
    answer = service.post("/api/v1/counts", json={}, headers={"Authorization": f"Bearer {analyst}"})
    assert answer.json() == {
        "as_of": "2025-01-13",
        "by": "band",
        "all": 125,
        "warnings": [],
        "counts": [
            {"group": "high", "pupils": None},
            {"group": "raised", "pupils": None},
            {"group": "usual", "pupils": 100},
        ],
    }
    for by in ("urn", "year_group"):
        (count,) = service.post("/api/v1/counts", json={"by": by}).json()["counts"]
        assert count["pupils"] == 125
    _, nowhere = service.store.create_key("analyst", "803")
    empty = service.post("/api/v1/counts", json={}, headers={"Authorization": f"Bearer {nowhere}"}).json()
    assert (empty["counts"], empty["all"]) == ([], None)


def test_storing_a_score_again_replaces_it(service):
    first = service.post("/api/v1/score", json=BODY).json()["scores"][0]
    service.store.save([first])
    service.store.save([{**first, "band": "other"}])
    assert [s["band"] for s in service.post("/api/v1/worklist", json={}).json()["scores"]] == ["other"]


def test_another_authority_gets_no_score_of_posted_rows(service):
    _, other = service.store.create_key("lead", "802")
    assert service.post("/api/v1/score", json=BODY, headers={"Authorization": f"Bearer {other}"}).json()["scores"] == []


def test_keys_are_refused_when_wrong_revoked_expired_or_of_the_wrong_role(service):
    key_id, revoked = service.store.create_key("worker", "801")
    service.store.revoke(key_id)
    _, expired = service.store.create_key("worker", "801", expires=london_today() - timedelta(days=1))
    _, analyst = service.store.create_key("analyst", "801")
    for header, status in (
        (f"Bearer {revoked}", 401),
        (f"Bearer {expired}", 401),
        ("Bearer x", 401),
        ("Basic x", 401),
        ("", 401),
        ("Bearer ", 401),
        (f"Bearer {analyst}", 403),
    ):
        answer = service.post("/api/v1/worklist", json={}, headers={"Authorization": header})
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
    assert service.get("/api/v1/model", headers={"Authorization": f"Bearer {analyst}"}).status_code == 200


def test_keys_are_stored_as_hashes(service):
    _, key = service.store.create_key("worker", "801")
    with reading(service.store.engine) as connection:
        stored = [dict(row) for row in connection.execute(sa.select(StoredKey.__table__)).mappings()]
    assert key not in json.dumps([stored, service.store.list_keys()], default=str)
    assert all("digest" not in k for k in service.store.list_keys())


def test_metrics_hold_templates_and_no_path(service):
    service.get(f"/api/v1/{CANARY}")
    service.post("/api/v1/worklist", json={})
    page = service.get("/metrics").text
    assert "/api/v1/worklist" in page
    assert CANARY not in page


def test_without_a_model_the_answer_is_503(tmp_path):
    from starlette.testclient import TestClient

    from histories.settings import settings
    from serving.http.api import make_app

    app = make_app(settings())
    _, key = app.state.store.create_key("lead", "801")
    client = TestClient(app)
    assert client.get("/readyz").status_code == 503
    assert client.post("/api/v1/score", json=BODY, headers={"Authorization": f"Bearer {key}"}).status_code == 503


def test_the_description_names_every_route_and_its_errors(service):
    described = service.get("/api/v1/openapi.json").json()
    assert set(described["paths"]) == {
        "/api/v1/score",
        "/api/v1/scores",
        "/api/v1/worklist",
        "/api/v1/counts",
        "/api/v1/model",
    }
    errors = {"400", "401", "403", "405", "408", "413", "415", "422", "429", "500", "503"}

    def of(call):
        return set(described["paths"][f"/api/v1/{call}"]["post"]["responses"]) - {"200"}

    assert (of("score"), of("counts"), of("scores"), of("worklist")) == (
        errors,
        errors,
        errors | {"404"},
        errors | {"409"},
    )
    sent = described["components"]["schemas"]["ScoreRequest"]["properties"]["histories"]
    assert sent["required"] == ["pupils", "enrolments"]
    assert sent["properties"]["sen"]["items"]["required"] == ["pupil_id", "start_date", "provision"]
    assert service.get("/openapi.json").json() == described


def test_a_changed_model_file_is_refused(bundle, tmp_path):
    import shutil

    from histories.errors import Faults
    from training.risk_model import RiskModel

    copy = tmp_path / "model"
    shutil.copytree(bundle, copy)
    (copy / "booster.txt").write_text((copy / "booster.txt").read_text().replace("0.", "1.", 1))
    with pytest.raises(Faults, match="changed after it was made"):
        RiskModel.load(copy)


def test_plain_modules_of_serving_do_not_import_mlflow_or_shap():
    import subprocess

    program = "import sys, serving.http.api; assert not {'mlflow', 'shap'} & set(sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stderr
