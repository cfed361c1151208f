"""The capacity of a whole authority is set by those who see all of it.

Before, a lead of a few schools that were no team in the access file set the number for everybody's list.
"""

import pytest

from tests.support.forms import submit

LEADS = """
some = {role = "lead", authority = "801", urns = ["100"]}
team = {role = "lead", authority = "801", urns = ["200"]}
[localities]
north = ["200"]
"""


@pytest.mark.parametrize(("user", "status"), [("some", 403), ("team", 303), ("lead", 303), ("worker", 403)])
def test_who_sees_a_few_schools_sets_no_number_for_the_authority(staffed, user, status):
    staffed.access.write_text(staffed.access.read_text() + LEADS)
    lead = staffed.visit(user)
    assert submit(lead, "/sessions", "/team", version="0", per_week="900").status_code == status
    everybody, changed = staffed.visit("lead").get("/team").text, user == "lead"
    assert ("900 children a week" in everybody) == changed
    if user == "some":
        assert 'name="per_week"' not in lead.get("/team").text
        assert "Your schools are not a team" in lead.get("/team").text
