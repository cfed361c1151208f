"""Where versions stand, over every order of moves: what was taken back is never rolled back to, and no list of it is shown."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from histories.errors import Faults
from training.release.standing import TakenBack, before_the_champion, standings

MOVES = st.lists(st.sampled_from(["1", "2", "3", "4", "withdraw", "roll back"]), max_size=12)


def played(moves):
    """Play moves, as far as they can be made; return the log's lines, the version that serves, and how each other one was left."""
    lines, serving, left = [], None, {}
    for wanted in moves:
        if wanted == "withdraw" and serving:
            lines.append({"alias": "champion", "action": "withdrawn", "version": 0, "before": serving})
            left[serving], serving = "withdrawn", None
            continue
        version = before_the_champion(lines) if wanted == "roll back" else wanted.isdigit() and int(wanted)
        if not version or version == serving:
            continue
        action = "rolled back" if wanted == "roll back" else "promoted"
        lines.append({"alias": "champion", "action": action, "version": version, "before": serving})
        if serving:
            left[serving] = "rolled back" if action == "rolled back" else "followed"
        left.pop(version, None)
        serving = version
    return lines, serving, left


@given(MOVES)
def test_a_rollback_goes_to_a_version_that_another_followed_and_to_no_other(moves):
    lines, serving, left = played(moves)
    to = before_the_champion(lines)
    may = {version for version, how in left.items() if how == "followed"}
    assert to in may if may else to is None
    assert standings(lines) == left | ({serving: "serves"} if serving else {})


@given(MOVES)
def test_what_was_taken_back_stays_so_until_it_is_promoted_again(moves):
    lines, _, left = played(moves)
    taken = {version for version, how in left.items() if how != "followed"}
    for version in taken:
        again = {"alias": "champion", "action": "promoted", "version": version}
        assert standings([*lines, again])[version] == "serves"
    assert {v for v, how in standings(lines).items() if how in ("withdrawn", "rolled back")} == taken


def test_a_line_that_cannot_be_read_hides_no_withdrawal(tmp_path):
    lines = [
        {"alias": "champion", "action": "registered", "version": 1},
        {"alias": "champion", "action": "withdrawn", "version": 0, "before": 1},
    ]
    log = tmp_path / "log"
    written = [json.dumps(line).encode() for line in lines]
    log.write_bytes(b"\n".join([written[0], b"\xff{", b"[1]", written[1], b"half a"]))
    taken_back = TakenBack(log)
    assert taken_back() == {"1"}
    again = {"alias": "champion", "action": "promoted", "version": 1}
    log.write_bytes(b"\n".join([*written, json.dumps(again).encode(), b""]))
    assert taken_back() == set()
    assert TakenBack(tmp_path / "none")() == set()


@pytest.mark.parametrize("fails", ["stat", "read_text"])
def test_a_log_that_may_not_be_read_shows_nothing_that_was_taken_back(tmp_path, monkeypatch, fails):
    log = tmp_path / "log"
    lines = [{"alias": "champion", "version": 1}, {"alias": "champion", "action": "withdrawn", "before": 1}]
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    knows = TakenBack(log)
    assert knows() == {"1"}
    log.write_text(log.read_text() + '{"action": "noted"}\n')
    whole = getattr(Path, fails)

    def refused(self, *given, **named):
        if self == log:
            raise PermissionError(13, "no")
        return whole(self, *given, **named)

    with monkeypatch.context() as away:
        away.setattr(Path, fails, refused)
        assert knows() == {"1"}
        with pytest.raises(Faults, match="cannot be read"):
            TakenBack(log)()
    assert knows() == {"1"}
    log.unlink()
    assert knows() == {"1"}, "a file that is gone forbids no less"
