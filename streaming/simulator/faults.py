"""What happens to messages on their way: copies, late, shuffled and broken ones."""

import heapq
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Final, NamedTuple

import numpy as np

from segue.events import PlaybackEvent

_LATER_S: Final = 3_600.0
"""Late events are at most this much later than the watermark."""


class FaultShares(NamedTuple):
    """Of all events, the shares that are sent twice, late, out of order or broken."""

    duplicates: float = 0.0
    late: float = 0.0
    shuffled: float = 0.0
    broken: float = 0.0


NO_FAULTS: Final = FaultShares()


class Sent(NamedTuple):
    """One message as it is sent.

    Attributes
    ----------
    fault : str or None
        One of the fields of `FaultShares`.
    """

    event_id: str
    key: bytes
    value: bytes
    fault: str | None


@dataclass
class Faults:
    """Gives messages their faults.

    Parameters
    ----------
    watermark_s, shuffle_s : float
        A late event has happened longer ago than the first; copies and shuffled
        messages are held back for at most the second.
    """

    shares: FaultShares
    watermark_s: float
    shuffle_s: float
    rng: np.random.Generator

    def __post_init__(self) -> None:
        self._held: list[tuple[float, int, Sent]] = []
        self._number = count()

    def messages(self, at_s: float, events: Iterable[PlaybackEvent]) -> Iterator[Sent]:
        """Yield what is sent at `at_s`, in seconds from the start: events, by then.

        Messages that were held back until now come first.
        """
        yield from self._due(at_s)
        has_faults = any(self.shares)
        for event in events:
            if has_faults:
                self._hold_with_faults(at_s, event)
                yield from self._due(at_s)
            else:
                yield Sent(
                    event.event_id, event.user_id.encode(), event.to_json(), None
                )

    def rest(self) -> Iterator[Sent]:
        """Yield all that is still held back."""
        return self._due(np.inf)

    def _hold_with_faults(self, at_s: float, event: PlaybackEvent) -> None:
        luck = self.rng.random(len(self.shares))
        duplicates, late, shuffled, broken = (luck < np.array(self.shares)).tolist()
        if broken:
            way = int(self.rng.integers(N_WAYS))
            self._hold(at_s, event, broken_message(event.to_json(), way), "broken")
            return
        if late:
            ago_s = self.watermark_s + self.rng.uniform(1.0, _LATER_S)
            event = event._replace(
                event_time=event.event_time - timedelta(seconds=ago_s)
            )
        value = event.to_json()
        delay_s = self.rng.uniform(0.0, self.shuffle_s, 2)
        fault = "late" if late else "shuffled" if shuffled else None
        self._hold(at_s + (delay_s[0] if shuffled else 0.0), event, value, fault)
        if duplicates:
            self._hold(at_s + delay_s[1], event, value, "duplicates")

    def _due(self, at_s: float) -> Iterator[Sent]:
        while self._held and self._held[0][0] <= at_s:
            yield heapq.heappop(self._held)[2]

    def _hold(
        self, at_s: float, event: PlaybackEvent, value: bytes, fault: str | None
    ) -> None:
        sent = Sent(event.event_id, event.user_id.encode(), value, fault)
        heapq.heappush(self._held, (at_s, next(self._number), sent))


def broken_message(value: bytes, way: int) -> bytes:
    """Return a message that is no event, in one of `N_WAYS` ways.

    Parameters
    ----------
    value : bytes
        A message that is one.
    """
    fields = json.loads(value)
    ways = (
        b"no json",
        value[: len(value) // 2],
        b"[]",
        json.dumps(fields | {"action": "danced"}).encode(),
        json.dumps(fields | {"played_ms": -1}).encode(),
        json.dumps(fields | {"event_time": "9999-01-01T00:00:00Z"}).encode(),
        json.dumps(fields | {"schema": 9}).encode(),
    )
    return ways[way]


N_WAYS: Final = 7
