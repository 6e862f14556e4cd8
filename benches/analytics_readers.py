"""What analysts who read cost the stream: its batches with and without them."""

import json
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import numpy as np
from pymongo.database import Database
from websockets.sync.client import connect

from benches.live_load import Sender
from benches.stack import Stack
from segue import store

_WARM_UP_S: Final = 90
_POLL_S: Final = 5.0
_QUERIES: Final = ("taste", "intake")


class Batches:
    """The micro-batches of both queries, as they report them."""

    def __init__(self, database: Database[store.Document]) -> None:
        self._progress = database[store.STREAM_PROGRESS]
        self._took_ms: dict[str, dict[int, float]] = {name: {} for name in _QUERIES}

    def look(self) -> None:
        """Note the last batch of each query, where it had events."""
        for each in self._progress.find({"n_input_rows": {"$gt": 0}}):
            took_ms = each["duration_ms"]["triggerExecution"]
            self._took_ms.setdefault(each["_id"], {})[each["batch_id"]] = took_ms

    def take(self) -> dict[str, list[float]]:
        """Return what was noted since the last time."""
        taken = {name: list(each.values()) for name, each in self._took_ms.items()}
        self._took_ms = {name: {} for name in _QUERIES}
        return taken


def measure_readers(
    running: Stack,
    address: str,
    cookie: dict[str, str],
    questions: Sequence[tuple[str, str]],
    track_ids: Sequence[str],
    rate: float,
    seconds: int,
) -> dict[str, Any]:
    """Return how long batches take, alone and beside analysts, in turns.

    Parameters
    ----------
    address, cookie
        Of the live socket, and of an analyst.
    questions : sequence of (view, query)
        Of each analyst, who asks anew every five seconds and takes what is pushed.
    rate : float
        Events a second.
    seconds : int
        Of each of the four turns: without, with, with, without.
    """
    sender = Sender(running.settings, track_ids, 1_000, np.random.default_rng(9))
    batches = Batches(running.database)
    sender.send(rate, _WARM_UP_S, "warm-up")
    took: dict[bool, dict[str, list[float]]] = {
        is_read: {name: [] for name in _QUERIES} for is_read in (False, True)
    }
    n_answers = 0
    every = max(1, int(rate / 5))
    for is_read in (False, True, True, False):
        with ExitStack() as readers:
            if is_read:
                counted = readers.enter_context(_reading(address, cookie, questions))
            batches.look()
            batches.take()
            sender.send(
                rate,
                seconds,
                "with readers" if is_read else "alone",
                lambda n: None if n % every else batches.look(),
            )
            for name, each in batches.take().items():
                took[is_read][name] += each
            n_answers += len(counted) if is_read else 0
    return _answer(took) | {"readers_events_per_s": rate, "readers_answers": n_answers}


def _answer(took: dict[bool, dict[str, list[float]]]) -> dict[str, Any]:
    medians = {
        is_read: {name: statistics.median(each) for name, each in of_query.items()}
        for is_read, of_query in took.items()
    }
    ratios = {
        name: round(medians[True][name] / medians[False][name], 3) for name in _QUERIES
    }
    return {
        "batch_time_ratio_with_readers": max(ratios.values()),
        "batch_time_ratios": ratios,
        "batch_ms_alone": medians[False],
        "batch_ms_with_readers": medians[True],
        "n_batches": {
            name: [len(took[is_read][name]) for is_read in (False, True)]
            for name in _QUERIES
        },
    }


@contextmanager
def _reading(
    address: str, cookie: dict[str, str], questions: Sequence[tuple[str, str]]
) -> Iterator[list[float]]:
    """Have analysts read; yields when each answer came."""
    answers: list[float] = []
    ended = threading.Event()
    threads = [
        threading.Thread(target=_read, args=(address, cookie, *each, answers, ended))
        for each in questions
    ]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _read(
    address: str,
    cookie: dict[str, str],
    view: str,
    query: str,
    answers: list[float],
    ended: threading.Event,
) -> None:
    with connect(address, additional_headers=cookie, proxy=None) as socket:
        while not ended.is_set():
            # another page first: the same question is not answered twice
            socket.send(json.dumps({"page": "", "key": ""}))
            socket.send(json.dumps({"page": view, "key": query}))
            until = time.monotonic() + _POLL_S
            while not ended.is_set() and time.monotonic() < until:
                try:
                    socket.recv(timeout=max(0.01, until - time.monotonic()))
                except TimeoutError:
                    break
                answers.append(time.monotonic())
