"""Messages whose plays are to be counted: live ones with faults, and older ones."""

import io
import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from pymongo.database import Database

from segue import store
from segue.clock import rfc3339
from segue.track_index import TrackIndex
from streaming.simulator.faults import NO_FAULTS, FaultShares
from streaming.simulator.lists import no_lists
from streaming.simulator.run import Outlets, Plan, read_catalogue, simulate

_FAULTS: Final = FaultShares(duplicates=0.03, late=0.02, shuffled=0.05, broken=0.02)
_LIVE_S: Final = 300
_AGES: Final = (timedelta(days=10), timedelta(days=200))
_OLD_S: Final = 10 * 3_600
_SOURCES: Final = (
    {"surface": "player", "end": "closed", "list_id": "ada@1"},
    {"surface": "radio", "end": "", "list_id": 7},
    {"surface": "x" * 65, "end": "killed"},
    {"surface": ["player"], "end": None},
    None,
)
Message = tuple[bytes, bytes]


class Made(NamedTuple):
    """Messages as key and value.

    Attributes
    ----------
    forgetting : list of Message
        What takes a session out of the live ones.
    """

    live: list[Message]
    history: list[Message]
    forgetting: list[Message]


class _Sink:
    def __init__(self) -> None:
        self.messages: list[Message] = []

    def send_raw(self, key: bytes, value: bytes) -> None:
        self.messages.append((key, value))

    def flush(self) -> None:
        pass


def store_tracks(database: Database[store.Document], index: TrackIndex) -> None:
    """Store tracks of several artists and styles; each ninth is not there."""
    tracks = [
        {
            "_id": track_id,
            "artist_id": f"artist{number % 13}" if number % 7 else None,
            "genre_ids": [f"style{number % k}" for k in (3, 5, 8)][: number % 4],
            "duration_s": 120 + number % 90,
        }
        for number, track_id in enumerate(index.track_ids)
        if number % 9
    ]
    database[store.TRACKS].insert_many(tracks)


def make_messages(
    database: Database[store.Document],
    index: TrackIndex,
    now: datetime,
    n_events: int,
    n_listeners: int,
) -> Made:
    """Return about so many messages: two thirds of them live, of the last minutes."""

    def played(
        start: datetime, n: int, seconds: int, shares: FaultShares
    ) -> list[Message]:
        sink = _Sink()
        outlets = Outlets(sink, io.BytesIO(), Counter(), lambda n, at_s: None)
        rate = n / seconds
        plan = Plan(7, n_listeners, rate, start, None, n, shares=shares)
        catalogue = read_catalogue(index, database)
        simulate(plan, catalogue, no_lists, 600, outlets)
        return sink.messages

    begin = now - timedelta(seconds=_LIVE_S)
    live = played(begin, n_events * 2 // 3, _LIVE_S, _FAULTS)
    live += _left(live, now)
    history = [
        message
        for age in _AGES
        for message in played(now - age, n_events // 6, _OLD_S, NO_FAULTS)
    ]
    return Made(live, history, [_forgotten(history[0], now), _forgotten(live[0], now)])


def _left(live: list[Message], now: datetime) -> Iterator[Message]:
    """Yield plays that go on, or end otherwise, with all kinds of `source`."""
    ends = [fields for fields in map(_fields, live[::10]) if fields.get("played_ms")]
    for number, fields in enumerate(ends):
        played_ms = None if number % 11 == 0 else fields["played_ms"] * (number % 3)
        told = fields | {
            "event_id": f"left-{number}",
            "play_id": f"left-{number}",
            "action": "progressed",
            "played_ms": played_ms,
            "source": _SOURCES[number % len(_SOURCES)],
            "event_time": rfc3339(now - timedelta(seconds=number % 200)),
        }
        yield fields["user_id"].encode(), json.dumps(told).encode()


def _fields(message: Message) -> store.Document:
    try:
        found = json.loads(message[1])
    except ValueError:
        return {}
    return found if isinstance(found, dict) and found.get("schema") == 1 else {}


def _forgotten(about: Message, now: datetime) -> Message:
    told = _fields(about) | {
        "event_id": f"forgotten-{about[0].decode()}-{_fields(about)['session_id']}",
        "action": "forgotten",
        "scope": "session",
        "event_time": rfc3339(now),
    }
    return about[0], json.dumps(told).encode()
