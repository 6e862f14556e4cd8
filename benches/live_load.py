"""Listeners who play and skip, and a watcher of the lists that follow."""

import sys
import threading
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, Final, NamedTuple

import numpy as np
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import PyMongoError
from tqdm import tqdm

from segue import store
from segue.clock import system_clock
from segue.errors import StreamError
from segue.events import Action, PlaybackEvent
from segue.settings import Settings
from streaming.producer import Producer

_DURATION_MS: Final = 200_000
_POLL_MS: Final = 100
_AGAIN_S: Final = 0.5
_SHARE_HEARD_OUT: Final = 0.7


class Sent(NamedTuple):
    """An event that was sent at its event time."""

    user_id: str
    at: datetime
    event_id: str


class Sender:
    """Sends events at a rate, each with the time at which it is sent.

    Attributes
    ----------
    sent : list of Sent
        In order of time.
    """

    def __init__(
        self,
        settings: Settings,
        track_ids: Sequence[str],
        n_listeners: int,
        rng: np.random.Generator,
    ) -> None:
        self.sent: list[Sent] = []
        self._settings, self._rng = settings, rng
        self._track_ids, self._n_listeners = track_ids, n_listeners
        self._number = 0

    def send(
        self,
        rate: float,
        seconds: float,
        name: str,
        look: Callable[[int], None] | None = None,
    ) -> None:
        """Send for so many seconds.

        Parameters
        ----------
        look : callable, optional
            Called beside each event with its number.
        """
        n, start = int(rate * seconds), time.monotonic()
        folder = self._settings.home / "spool"
        with Producer(self._settings.kafka, folder) as producer:
            for number in tqdm(range(n), name, file=sys.stderr, mininterval=5):
                time.sleep(max(0.0, start + number / rate - time.monotonic()))
                event = self._event()
                producer.send(event)
                self.sent.append(Sent(event.user_id, event.event_time, event.event_id))
                if look is not None:
                    look(number)
            producer.flush()

    def _event(self) -> PlaybackEvent:
        self._number += 1
        is_end = self._rng.random() < _SHARE_HEARD_OUT
        action = Action.COMPLETED if is_end else Action.SKIPPED
        heard_ms = _DURATION_MS if is_end else int(self._rng.integers(60_000))
        now = system_clock()
        return PlaybackEvent(
            event_id=f"e{self._number:012d}",
            user_id=f"listener-{self._rng.integers(self._n_listeners):05d}",
            track_id=self._track_ids[int(self._rng.integers(len(self._track_ids)))],
            session_id="session",
            play_id=f"p{self._number:012d}",
            action=action,
            event_time=now.replace(microsecond=now.microsecond // 1000 * 1000),
            played_ms=heard_ms,
            duration_ms=_DURATION_MS,
            position_ms=heard_ms,
            source={"surface": "radio", "list_id": "home", "rank": 3},
        )


class Watcher(threading.Thread):
    """Notes when MongoDB tells of each list; goes on where a mongod comes back."""

    def __init__(self, database: Database[store.Document]) -> None:
        super().__init__(daemon=True)
        self._lists = database[store.RECOMMENDATIONS]
        self._seen: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
        self._ended = threading.Event()
        self._token: Any = None
        self.n_seen = 0

    def __enter__(self) -> "Watcher":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()

    def run(self) -> None:
        """Watch until the measurement ends."""
        while not self._ended.is_set():
            try:
                self._watch(self._lists)
            except PyMongoError:
                self._ended.wait(_AGAIN_S)

    def _watch(self, lists: Collection[store.Document]) -> None:
        fields = {"documentKey": 1, "fullDocument.newest_event_at": 1}
        with lists.watch(
            [{"$project": fields}],
            max_await_time_ms=_POLL_MS,
            resume_after=self._token,
        ) as changes:
            while not self._ended.is_set():
                change = changes.try_next()
                self._token = changes.resume_token
                if change is not None and "fullDocument" in change:
                    newest_at = change["fullDocument"]["newest_event_at"]
                    user_id = change["documentKey"]["_id"]
                    self._seen[user_id].append((newest_at, system_clock()))
                    self.n_seen += 1

    def has_seen(self, sent: Sequence[Sent]) -> bool:
        """Say whether every event has come into a list."""
        newest = {each.user_id: each.at for each in sent}
        return all(
            (seen := self._seen[user_id]) and seen[-1][0] >= sent_at
            for user_id, sent_at in newest.items()
        )

    def waits_ms(self, sent: Sequence[Sent]) -> list[float]:
        """Return how long the list of each event took.

        Raises
        ------
        StreamError
            When an event never came into a list.
        """
        waits = []
        for user_id, sent_at, _ in sent:
            seen = self._seen[user_id]
            first = bisect_left(seen, sent_at, key=itemgetter(0))
            if first == len(seen):
                raise StreamError(f"no list of {user_id} reflects {sent_at}")
            waits.append((seen[first][1] - sent_at).total_seconds() * 1000)
        return waits
