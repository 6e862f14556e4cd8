"""Simulated listeners who have tastes.

Each listener likes a region of the taste space: the neighbourhood of one track. What
lies near is heard to the end and now and then liked, what lies far is skipped, the
sooner the farther. Nobody knows the region but the simulator, so what the stream makes
of these plays can be judged.
"""

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from segue.events import Action, PlaybackEvent
from segue.track_index import TrackIndex

# cosine at which half of the plays are heard to the end, and how sharply that turns
_INDIFFERENT_COSINE: Final = 0.25
_SHARPNESS: Final = 12.0
_P_LIKE: Final = 0.15
_P_FROM_LIST: Final = 0.7
_DEFAULT_DURATION_MS: Final = 45_000

ReadList = Callable[[str], Sequence[str]]
"""Returns the track ids recommended to a listener, best first; empty for none."""


@dataclass
class SimulatedListener:
    """A listener and what only the simulator knows of them.

    Attributes
    ----------
    taste : ndarray, float32, shape (n_dims,)
        Unit vector at the centre of what they like.
    """

    user_id: str
    taste: NDArray[np.float32]
    n_plays: int = 0
    playing: PlaybackEvent | None = field(default=None, repr=False)


def create_listeners(
    n: int, index: TrackIndex, rng: np.random.Generator
) -> list[SimulatedListener]:
    """Return `n` listeners, each centred on a track of the index."""
    rows = rng.choice(len(index.track_ids), size=n, replace=n > len(index.track_ids))
    return [
        SimulatedListener(f"listener-{number:02d}", np.array(index.vectors[row]))
        for number, row in enumerate(rows, start=1)
    ]


def probability_of_hearing_out(cosine: float) -> float:
    """Return how likely a track at this cosine from the taste is heard to its end.

    Examples
    --------
    >>> probability_of_hearing_out(0.25)
    0.5
    """
    return float(1.0 / (1.0 + np.exp(-_SHARPNESS * (cosine - _INDIFFERENT_COSINE))))


class Simulator:
    """Makes the events of all listeners, in order of time.

    Parameters
    ----------
    durations_ms : dict
        Length of each track; 45 s where it is unknown.
    plays_per_min : float
        Plays of all listeners together.
    read_list : callable
        What a listener is recommended; they mostly choose from it.
    run_id : str
        Part of every id, so that two runs make different events.
    """

    def __init__(
        self,
        listeners: Sequence[SimulatedListener],
        index: TrackIndex,
        durations_ms: dict[str, int],
        plays_per_min: float,
        read_list: ReadList,
        rng: np.random.Generator,
        run_id: str,
    ) -> None:
        self._listeners = listeners
        self._index = index
        self._durations_ms = durations_ms
        self._mean_gap_s = 60.0 * len(listeners) / plays_per_min
        self._read_list = read_list
        self._rng = rng
        self._run_id = run_id

    def events(self, start: datetime) -> Iterator[list[PlaybackEvent]]:
        """Yield what happens at each next moment, for ever.

        At each moment one listener ends a play and begins the next.
        """
        turns = [
            (start + self._gap(), number) for number in range(len(self._listeners))
        ]
        heapq.heapify(turns)
        while True:
            now, number = heapq.heappop(turns)
            yield self._turn(self._listeners[number], now)
            heapq.heappush(turns, (now + self._gap(), number))

    def _gap(self) -> timedelta:
        return timedelta(seconds=float(self._rng.exponential(self._mean_gap_s)))

    def _turn(self, listener: SimulatedListener, now: datetime) -> list[PlaybackEvent]:
        events = self._end(listener, now)
        listener.n_plays += 1
        listener.playing = self._event(listener, self._choose(listener), now)
        return [*events, listener.playing]

    def _end(self, listener: SimulatedListener, now: datetime) -> list[PlaybackEvent]:
        playing = listener.playing
        if playing is None:
            return []
        vector = self._index.vectors[self._index.row_of[playing.track_id]]
        p_out = probability_of_hearing_out(float(vector @ listener.taste))
        track_id = playing.track_id
        if self._rng.random() >= p_out:
            share = float(self._rng.beta(1.0 + 4.0 * p_out, 6.0))
            return [self._event(listener, track_id, now, Action.SKIPPED, share)]
        events = [self._event(listener, track_id, now, Action.COMPLETED, 1.0)]
        if self._rng.random() < _P_LIKE:
            events.append(self._event(listener, track_id, now, Action.LIKED, 1.0))
        return events

    def _choose(self, listener: SimulatedListener) -> str:
        listed = self._read_list(listener.user_id)
        if listed and self._rng.random() < _P_FROM_LIST:
            return listed[int(self._rng.integers(len(listed)))]
        return self._index.track_ids[
            int(self._rng.integers(len(self._index.track_ids)))
        ]

    def _event(
        self,
        listener: SimulatedListener,
        track_id: str,
        now: datetime,
        action: Action = Action.STARTED,
        share: float = 0.0,
    ) -> PlaybackEvent:
        duration_ms = self._durations_ms.get(track_id, _DEFAULT_DURATION_MS)
        play_id = f"{self._run_id}-{listener.user_id}-{listener.n_plays}"
        return PlaybackEvent(
            event_id=f"{play_id}-{action}",
            user_id=listener.user_id,
            track_id=track_id,
            session_id=f"{self._run_id}-{listener.user_id}",
            play_id=play_id,
            action=action,
            event_time=now,
            played_ms=round(share * duration_ms),
            duration_ms=duration_ms,
            position_ms=round(share * duration_ms),
            source={"surface": "simulator", "organic": True},
        )
