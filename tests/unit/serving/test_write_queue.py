"""One thread writes at a time, and waiters leave once another thread has done their work."""

import threading

import pytest

from serving.store import write_queue as module
from serving.store.database import Unavailable
from serving.store.write_queue import WriteQueue


def waiting(queue, unless=lambda: False):
    """Start a thread that waits for its turn; return the thread and the turns it got."""
    turns = []

    def ask():
        with queue.turn(unless) as has_turn:
            turns.append(has_turn)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    return thread, turns


def test_the_next_caller_has_a_turn_when_the_previous_one_ends():
    queue = WriteQueue()
    with queue.turn() as has_turn:
        thread, turns = waiting(queue)
        thread.join(0.05)
        assert has_turn
        assert not turns
    thread.join(10)
    assert turns == [True]


def test_an_error_ends_the_turn():
    queue = WriteQueue()
    with pytest.raises(ZeroDivisionError), queue.turn():
        raise ZeroDivisionError
    with queue.turn() as has_turn:
        assert has_turn


def test_a_worker_whose_build_exists_does_not_wait():
    queue, done = WriteQueue(), threading.Event()
    with queue.turn():
        thread, turns = waiting(queue, done.is_set)
        with queue.turn(unless=lambda: True) as has_turn:  # passes a turn that is another's
            done.set()
        assert not has_turn
    with queue.turn():  # the end of the turn was turns; it may be another's again before the waiting thread looks
        pass
    thread.join(10)
    assert turns == [False]


def test_a_turn_that_does_not_come_is_reported(monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 0.01)
    queue = WriteQueue()
    with queue.turn(), pytest.raises(Unavailable, match="busy"), queue.turn():
        pass
