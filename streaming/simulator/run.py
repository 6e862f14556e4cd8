"""Let simulated listeners play: events into Kafka or a file, the truth beside them."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import BinaryIO, Final, Protocol

import numpy as np
from pymongo.database import Database

from segue import store
from segue.store import Document
from segue.track_index import TrackIndex
from streaming.simulator import truth
from streaming.simulator.choosing import Catalogue, ReadLists
from streaming.simulator.crowd import create_crowd
from streaming.simulator.faults import NO_FAULTS, Faults, FaultShares, Sent
from streaming.simulator.rhythm import Lifelike, Steady
from streaming.simulator.turns import EVENTS_PER_PLAY, Simulator, Turn

_UNKNOWN_MS: Final = 180_000
_SLICE_S: Final = 0.05
_FLUSH_S: Final = 1.0
_SHUFFLE_S: Final = 60.0


class Sink(Protocol):
    """Where messages go; `streaming.producer.Producer` is one."""

    def send_raw(self, key: bytes, value: bytes) -> None:
        """Send one message."""

    def flush(self) -> None:
        """Wait until all are safe."""


@dataclass(frozen=True)
class Plan:
    """What is to be simulated.

    Attributes
    ----------
    events_per_s : float or None
        Rate of all listeners together; None for sessions as people have them.
    speed : float or None
        How many times faster than the clock; None for as fast as it goes.
    n_events, seconds : int or float, optional
        Where it ends; both None: never.
    mean_change_s : float
        Mean time between changes of a listener's taste.
    """

    seed: int
    n_listeners: int
    events_per_s: float | None
    start: datetime
    speed: float | None = 1.0
    n_events: int | None = None
    seconds: float | None = None
    mean_change_s: float = np.inf
    shares: FaultShares = NO_FAULTS
    names: str = "listener"

    @property
    def run_id(self) -> str:
        """The same for the same seed and start, and part of every id."""
        return (
            f"{self.start:%y%m%d%H%M%S}{self.start.microsecond // 1000:03d}-{self.seed}"
        )


@dataclass(frozen=True)
class Outlets:
    """Where messages, truth and counts go.

    Attributes
    ----------
    counts : Counter
        Counts as it goes: `events`, `plays`, messages `sent`, and those by fault.
    progress : callable
        Takes the number of events, and the seconds of event time.
    """

    sink: Sink
    truth: BinaryIO
    counts: Counter[str]
    progress: Callable[[int, float], None]


def simulate(
    plan: Plan,
    catalogue: Catalogue,
    read_lists: ReadLists,
    watermark_s: float,
    outlets: Outlets,
) -> None:
    """Send what listeners do until the plan ends or the process is told to."""
    # of their own each, so that faults do not change what listeners do
    rng, fault_rng = np.random.default_rng(plan.seed).spawn(2)
    index = catalogue.index
    n_tracks = len(index.track_ids)
    crowd = create_crowd(
        plan.names, plan.n_listeners, n_tracks, plan.mean_change_s, rng
    )
    run = truth.Run(plan.run_id, plan.seed, plan.start, index.version)
    outlets.truth.write(run.line())
    outlets.truth.writelines(truth.listener_lines(crowd, index, plan.start))
    shuffle_s = min(_SHUFFLE_S, watermark_s / 4)
    faults = Faults(plan.shares, watermark_s, shuffle_s, fault_rng)
    rhythm = (
        Lifelike(plan.start, crowd.shift_h)
        if plan.events_per_s is None
        else Steady(plan.n_listeners, plan.events_per_s / EVENTS_PER_PLAY)
    )
    wait = Pace(plan.speed).wait_until
    simulator = Simulator(crowd, catalogue, rhythm, read_lists, rng, plan.run_id, wait)
    try:
        _send(_wanted(plan, simulator), faults, outlets)
    finally:
        _pass_on(faults.rest(), outlets)
        outlets.sink.flush()
        outlets.truth.write(truth.end_line(outlets.counts))


def _wanted(plan: Plan, simulator: Simulator) -> Iterator[list[Turn]]:
    """Yield turns up to where the plan ends, some at a time."""
    n_left = np.inf if plan.n_events is None else plan.n_events
    seconds = np.inf if plan.seconds is None else plan.seconds
    for some in simulator.turns(plan.start):
        wanted: list[Turn] = []
        for turn in some:
            if turn.at_s > seconds or n_left <= 0:
                break
            if len(turn.events) > n_left:  # the play that would begin does not
                turn = turn._replace(events=turn.events[: int(n_left)], play=None)  # noqa: PLW2901
            n_left -= len(turn.events)
            wanted.append(turn)
        yield wanted
        if len(wanted) < len(some) or n_left <= 0:
            return


def _send(turns: Iterable[list[Turn]], faults: Faults, outlets: Outlets) -> None:
    counts, flush_at = outlets.counts, time.monotonic() + _FLUSH_S
    for some in turns:
        for turn in some:
            counts["events"] += len(turn.events)
            _pass_on(faults.messages(turn.at_s, turn.events), outlets)
            if turn.play is not None:
                counts["plays"] += 1
                outlets.truth.write(truth.play_line(turn.play))
        if some:
            outlets.progress(counts["events"], some[-1].at_s)
        if time.monotonic() >= flush_at:
            outlets.sink.flush()
            flush_at = time.monotonic() + _FLUSH_S


def _pass_on(messages: Iterable[Sent], outlets: Outlets) -> None:
    sink, counts = outlets.sink, outlets.counts
    for sent in messages:
        sink.send_raw(sent.key, sent.value)
        counts["sent"] += 1
        if sent.fault is not None:
            counts[sent.fault] += 1
            outlets.truth.write(truth.fault_line(sent))


class Pace:
    """Holds time to a multiple of the clock.

    Parameters
    ----------
    speed : float or None
        None for no pace at all.
    """

    def __init__(self, speed: float | None) -> None:
        self._speed, self._pause = speed, Event()
        self._begin = time.monotonic()

    def wait_until(self, at_s: float) -> float:
        """Wait for an instant, in seconds from the start; return what may come with it.

        Turns up to the instant that is returned are made together.
        """
        if self._speed is None:
            return np.inf
        due = self._begin + at_s / self._speed
        self._pause.wait(max(0.0, due - time.monotonic()))
        return at_s + _SLICE_S * self._speed


def read_catalogue(index: TrackIndex, database: Database[Document] | None) -> Catalogue:
    """Return what can be played; lengths and artists as the database tells them."""
    n = len(index.track_ids)
    durations_ms, artists = np.full(n, _UNKNOWN_MS), np.arange(n)
    numbers: dict[str, int] = {}
    fields = ("duration_s", "artist_id")
    for track in (
        database[store.TRACKS].find({}, fields) if database is not None else ()
    ):
        row = index.row_of.get(track["_id"])
        if row is not None:
            durations_ms[row] = (
                round((track.get("duration_s") or 0) * 1000) or _UNKNOWN_MS
            )
            artist = track.get("artist_id") or track["_id"]
            artists[row] = numbers.setdefault(artist, n + len(numbers))
    return Catalogue(index, durations_ms, artists)


@contextmanager
def file_sink(path: Path) -> Iterator[Sink]:
    """Open a file that takes messages as lines."""
    with path.open("wb") as file:
        yield _FileSink(file)


@dataclass(frozen=True)
class _FileSink:
    file: BinaryIO

    def send_raw(self, key: bytes, value: bytes) -> None:
        self.file.write(value + b"\n")

    def flush(self) -> None:
        self.file.flush()
