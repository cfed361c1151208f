"""The summary of the enquiries of a case."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from serving.pages.enquiries import enquiries

SOURCES = ["parents", "police", "health"]
ENTRY = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["enquiry", "enquiry", "note"]),
        "code": st.sampled_from([*SOURCES, "a former source"]),
        "on_day": st.integers(0, 30).map(lambda n: date(2025, 9, 8) + timedelta(days=n)),
        "asked_by": st.sampled_from(["school", "authority"]),
        "next_turn": st.sampled_from([None, "school", "authority"]),
    }
)


@given(st.lists(ENTRY, max_size=12))
def test_every_source_is_asked_or_not_and_the_latest_enquiry_counts(entries):
    entries = [{**e, "version": n} for n, e in enumerate(entries, 2)]
    made = [e for e in entries if e["kind"] == "enquiry"]
    state = enquiries(entries, SOURCES)
    codes = [e["code"] for e in state.asked]
    assert set(codes) == {e["code"] for e in made}
    assert set(codes) | set(state.not_asked) >= set(SOURCES)
    assert not set(codes) & set(state.not_asked)
    for latest in state.asked:
        assert latest["on_day"] == max(e["on_day"] for e in made if e["code"] == latest["code"])
    assert sum(state.counts.values()) == len(made)
    assert state.joint == ({e["asked_by"] for e in made} == {"school", "authority"})
    last = max(made, key=lambda e: (e["on_day"], e["version"]), default={"next_turn": None})
    assert state.turn == last["next_turn"], "whoever asked last passes the turn on, whenever it was written down"
