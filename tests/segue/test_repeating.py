"""A thread that does one thing again and again."""

import threading

import pytest

from segue.repeating import Repeating


def test_a_step_that_fails_is_said_and_the_next_one_is_taken(
    caplog: pytest.LogCaptureFixture,
) -> None:
    steps, is_done = iter([AttributeError("damaged")]), threading.Event()

    def step() -> None:
        for error in steps:
            raise error
        is_done.set()

    thread = Repeating("counting", 0.001, step)
    thread.start()
    assert is_done.wait(10)
    thread.end()
    assert not thread.is_alive()
    assert "counting" in caplog.text
    assert "AttributeError: damaged" in caplog.text
