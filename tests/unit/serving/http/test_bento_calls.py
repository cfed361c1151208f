"""What BentoML's clients read is what the application answers, and nothing is answered without a key."""

import pytest
from bentoml.exceptions import BentoMLException

from serving.http.bento_calls import CALLS, declared, schema


def test_each_declared_call_is_one_of_the_application_with_the_same_types(service):
    paths = service.get("/openapi.json").json()["paths"]
    assert {call.route for call in CALLS.values()} == {path for path, calls in paths.items() if "post" in calls}
    for call in CALLS.values():
        post = paths[call.route]["post"]
        asked = post["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        answered = post["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
        assert (asked.rpartition("/")[2], answered.rpartition("/")[2]) == (call.request.__name__, call.answer.__name__)


def test_the_schema_names_every_call_with_what_it_takes(service):
    described = service.get("/schema.json").json()
    assert described == schema()
    assert [route["name"] for route in described["routes"]] == list(CALLS)
    (score,) = (route for route in described["routes"] if route["name"] == "score")
    assert score["route"] == "/api/v1/score"
    assert score["input"]["required"] == ["as_of", "histories"]
    assert set(score["output"]["properties"]) == {"model", "scores", "warnings"}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_within_the_process_is_refused(name):
    with pytest.raises(BentoMLException, match="over HTTP") as refused:
        declared(name).func(None, as_of="2025-01-13", histories={})
    assert refused.value.error_code == 401
