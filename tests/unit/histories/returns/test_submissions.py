"""The index of imported returns: what an earlier onroll wrote stays readable."""

import json
from datetime import date

import pytest

from histories.returns.submissions import FOLDER, INDEX, Submissions

ENTRY = {
    "number": 1,
    "said_on": "2024-03-31",
    "submitted_on": None,
    "after": "2024-03-31",
    "clock": "return",
    "digest": "d",
    "tables": ["social_care"],
}


@pytest.mark.parametrize(
    ("form", "written", "period", "sender"),
    [
        ("cin-census", "2024 202", "2024", "202"),
        ("cin-census", "2024", "2024", ""),
        ("sen2", "2024 801", "2024", "801"),
        ("ssda903", "2024 episodes", "2024 episodes", ""),
        ("school-census", "2025 spring", "2025 spring", ""),
    ],
)
def test_the_authority_in_the_period_of_an_earlier_index_is_the_sender(tmp_path, form, written, period, sender):
    folder = tmp_path / "h" / FOLDER
    folder.mkdir(parents=True)
    index = {"version": 1, "written": {}, "links": "", "submissions": [{**ENTRY, "form": form, "period": written}]}
    (folder / INDEX).write_text(json.dumps(index))
    store = Submissions(tmp_path / "h")
    (one,) = store.all
    assert (one.period, one.sender, one.part, one.return_date) == (period, sender, "", date(2024, 3, 31))
    store.write_index(folder)
    assert Submissions(tmp_path / "h").all == [one], "what is written now is read as it is"
