"""The turn to write is one thread's at a time, and nobody waits for it once another has done the work."""

import threading

import pytest

from serving.store import write_queue as module
from serving.store.database import Unavailable
from serving.store.write_queue import WriteQueue


def waiting(turn, unless=lambda: False):
    """Start a thread that asks for the turn; return it and what it was told."""
    told = []

    def ask():
        with turn.taken(unless) as is_mine:
            told.append(is_mine)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    return thread, told


def test_the_next_has_its_turn_when_the_one_before_has_ended():
    turn = WriteQueue()
    with turn.taken() as is_mine:
        thread, told = waiting(turn)
        thread.join(0.05)
        assert is_mine
        assert not told
    thread.join(10)
    assert told == [True]


def test_an_error_ends_the_turn():
    turn = WriteQueue()
    with pytest.raises(ZeroDivisionError), turn.taken():
        raise ZeroDivisionError
    with turn.taken() as is_mine:
        assert is_mine


def test_whose_work_is_done_does_not_wait_for_the_turn():
    turn, done = WriteQueue(), threading.Event()
    with turn.taken():
        thread, told = waiting(turn, done.is_set)
        with turn.taken(unless=lambda: True) as is_mine:  # passes a turn that is another's
            done.set()
        assert not is_mine
    with turn.taken():  # the end of the turn was told; it may be another's again before the waiting thread looks
        pass
    thread.join(10)
    assert told == [False]


def test_a_turn_that_does_not_come_is_said(monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 0.01)
    turn = WriteQueue()
    with turn.taken(), pytest.raises(Unavailable, match="busy"), turn.taken():
        pass
