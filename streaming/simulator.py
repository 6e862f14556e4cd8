"""Let simulated listeners play: their events into Kafka, at the pace of the clock."""

import logging
from collections.abc import Sequence
from threading import Event
from typing import Final

import numpy as np
from pymongo.database import Database

from segue import store
from segue.clock import system_clock
from segue.settings import Settings
from segue.store import Document
from segue.track_index import TrackIndex, read_track_index
from streaming.producer import Producer
from streaming.simulated import Simulator, create_listeners

_LOG = logging.getLogger(__name__)
_LIST_HEAD: Final = 5


def run_simulator(settings: Settings, seed: int) -> None:
    """Publish the events of simulated listeners until the process is told to stop.

    Raises
    ------
    SegueError
        When the index, MongoDB or Kafka cannot be had.
    """
    index = read_track_index(settings.home / "index")
    database = store.connect(settings.mongo)
    start = system_clock()
    simulator = _create_simulator(
        settings, index, database, seed, f"{start:%y%m%d%H%M%S}"
    )
    pause = Event()
    with Producer(settings.kafka, settings.home / "spool") as producer:
        for events in simulator.events(start):
            early_s = (events[-1].event_time - system_clock()).total_seconds()
            pause.wait(max(0.0, early_s))
            producer.publish(*events)
            _LOG.info("%s %s", events[0].user_id, [e.action.value for e in events])


def _create_simulator(
    settings: Settings,
    index: TrackIndex,
    database: Database[Document],
    seed: int,
    run_id: str,
) -> Simulator:
    rng = np.random.default_rng(seed)
    listeners = create_listeners(settings.simulator.n_listeners, index, rng)
    durations_ms = {
        track["_id"]: round(track["duration_s"] * 1000)
        for track in database[store.TRACKS].find({}, {"duration_s": 1})
        if track.get("duration_s")
    }

    def read_list(user_id: str) -> Sequence[str]:
        found = database[store.RECOMMENDATIONS].find_one({"_id": user_id}, {"items": 1})
        items = found["items"][:_LIST_HEAD] if found else []
        return [item["track_id"] for item in items if item["track_id"] in index.row_of]

    return Simulator(
        listeners,
        index,
        durations_ms,
        settings.simulator.plays_per_min,
        read_list,
        rng,
        run_id,
    )
