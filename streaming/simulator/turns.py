"""What simulated listeners do: hear a track out or skip it, like it, go on.

What lies near their taste is heard to the end and now and then liked, what lies far is
skipped, the sooner the farther.
"""

import heapq
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final, NamedTuple

import numpy as np

from segue.events import Action, PlaybackEvent
from streaming.simulator.choosing import (
    CHOSEN,
    NONE,
    Catalogue,
    Chooser,
    ReadLists,
)
from streaming.simulator.crowd import Crowd, Floats, Rows
from streaming.simulator.rhythm import Rhythm

EVENTS_PER_PLAY: Final = 2.05
"""About how many events a play sends: start, end, now and then a like."""

# cosine at which half of the plays are heard to the end, and how sharply that turns
_INDIFFERENT_COSINE: Final = 0.25
_SHARPNESS: Final = 12.0
_MOST_SKIPPED_AT: Final = 0.99
_P_DISLIKE: Final = 0.03
_AT_ONCE: Final = 4_096


class Play(NamedTuple):
    """What only the simulator knows of a play: why this track, and how near it lies."""

    play_id: str
    user_id: str
    track_id: str
    at: datetime
    closeness: float
    chosen: str


class Turn(NamedTuple):
    """What one listener does at one instant: end a play, mostly begin another."""

    at_s: float
    events: list[PlaybackEvent]
    play: Play | None


class _Outcome(NamedTuple):
    """How a play will end."""

    row: int
    source: dict[str, Any]
    share: float
    actions: tuple[Action, ...]


class _Playing(NamedTuple):
    """The play that a listener has begun."""

    user_id: str
    play_id: str
    session_id: str
    track_id: str
    duration_ms: int
    outcome: _Outcome


_ENDS: Final = {
    # heard out, reacts
    (True, False): (Action.COMPLETED,),
    (True, True): (Action.COMPLETED, Action.LIKED),
    (False, False): (Action.SKIPPED,),
    (False, True): (Action.SKIPPED, Action.DISLIKED),
}


def probability_of_hearing_out(closeness: Any) -> Any:
    """Return how likely a track at this cosine from the taste is heard to its end.

    Examples
    --------
    >>> float(probability_of_hearing_out(0.25))
    0.5
    """
    return 1.0 / (1.0 + np.exp(-_SHARPNESS * (closeness - _INDIFFERENT_COSINE)))


class Simulator:
    """Makes the turns of all listeners, in order of time.

    Parameters
    ----------
    read_lists : callable
        What listeners are recommended at the moment; they mostly choose from it.
    run_id : str
        Part of every id, so that two runs make different events.
    wait_until : callable
        Takes when the next turn is, in seconds from the start, and returns when that
        has come; turns up to the instant that it returns are made with it.
    """

    def __init__(
        self,
        crowd: Crowd,
        catalogue: Catalogue,
        rhythm: Rhythm,
        read_lists: ReadLists,
        rng: np.random.Generator,
        run_id: str,
        wait_until: Callable[[float], float] = lambda at_s: np.inf,
    ) -> None:
        self._crowd, self._catalogue, self._rhythm = crowd, catalogue, rhythm
        self._chooser = Chooser(crowd, catalogue, read_lists, rng)
        self._vectors = np.asarray(catalogue.index.vectors, dtype=np.float32)
        self._durations_ms = catalogue.durations_ms.tolist()
        self._rng, self._run_id, self._wait_until = rng, run_id, wait_until
        n = len(crowd.user_ids)
        self._playing: list[_Playing | None] = [None] * n
        self._n_plays, self._n_sessions = [0] * n, [1] * n
        self._loved_artist = np.full(n, NONE)

    def turns(self, start: datetime) -> Iterator[list[Turn]]:
        """Yield what happens next, some turns at a time, for ever."""
        everyone = np.arange(len(self._crowd.user_ids))
        first_s = self._rhythm.first_s(everyone, self._rng)
        queue = list(zip(first_s.tolist(), everyone.tolist(), strict=True))
        heapq.heapify(queue)
        made: list[tuple[float, int, Turn]] = []
        number = count()
        while True:
            until_s = self._wait_until(queue[0][0])
            some: list[tuple[float, int]] = []
            while queue and len(some) < _AT_ONCE and queue[0][0] <= until_s:
                some.append(heapq.heappop(queue))
            at_s, who = np.array([s for s, _ in some]), np.array([n for _, n in some])
            turns, next_s = self._take(start, who, at_s)
            for each in zip(next_s.tolist(), who.tolist(), strict=True):
                heapq.heappush(queue, each)
            # whose turn has come again may be earlier than the last of these
            for turn in turns:
                heapq.heappush(made, (turn.at_s, next(number), turn))
            due = []
            while made and made[0][0] <= queue[0][0]:
                due.append(heapq.heappop(made)[2])
            if due:
                yield due

    def _take(
        self, start: datetime, who: Rows, at_s: Floats
    ) -> tuple[list[Turn], Floats]:
        """Return the turns of some listeners, and when their next ones come."""
        times = [start + timedelta(seconds=s) for s in at_s.tolist()]
        ended = list(map(self._end, who.tolist(), times))
        pause_s = self._rhythm.pause_s(who, at_s, self._rng)
        pause_s[[not events for events in ended]] = 0.0
        goes_on = np.flatnonzero(pause_s == 0)
        for number in who[pause_s > 0].tolist():
            self._n_sessions[number] += 1
        heard_s = np.zeros(len(who))
        plays: list[Play | None] = [None] * len(who)
        if len(goes_on):
            heard_s[goes_on], begun = self._begin(who[goes_on], at_s[goes_on])
            for place, play in zip(goes_on.tolist(), begun, strict=True):
                started, plays[place] = self._start(
                    int(who[place]), times[place], *play
                )
                ended[place].append(started)
        turns = list(map(Turn, at_s.tolist(), ended, plays))
        play_s = self._rhythm.play_s(heard_s, self._rng)
        return turns, at_s + np.where(pause_s == 0, play_s, pause_s)

    def _end(self, number: int, at: datetime) -> list[PlaybackEvent]:
        playing = self._playing[number]
        if playing is None:
            return []
        self._playing[number] = None
        share = playing.outcome.share
        return [_event(playing, at, each, share) for each in playing.outcome.actions]

    def _start(
        self, number: int, at: datetime, outcome: _Outcome, near: float, reason: int
    ) -> tuple[PlaybackEvent, Play]:
        self._n_plays[number] += 1
        user_id = self._crowd.user_ids[number]
        told = f"{self._run_id}-{user_id}"
        playing = _Playing(
            user_id,
            f"{told}-{self._n_plays[number]}",
            f"{told}-s{self._n_sessions[number]}",
            self._catalogue.index.track_ids[outcome.row],
            self._durations_ms[outcome.row],
            outcome,
        )
        self._playing[number] = playing
        play = Play(
            playing.play_id, user_id, playing.track_id, at, near, CHOSEN[reason]
        )
        return _event(playing, at, Action.STARTED, 0.0), play

    def _begin(
        self, who: Rows, at_s: Floats
    ) -> tuple[Floats, list[tuple[_Outcome, float, int]]]:
        """Let some listeners begin a play, of which the end is known to us.

        Returns
        -------
        heard_s : ndarray, float64, shape (k,)
            How long each will be heard.
        begun : list of tuple
            The play, its cosine with the taste, and the number of `CHOSEN`.
        """
        choices = self._chooser.choose(who, at_s, self._loved_artist[who])
        rows = choices.rows
        closeness = self._crowd.closeness(who, at_s, rows, self._vectors)
        p_out = probability_of_hearing_out(closeness)
        is_out = self._rng.random(len(who)) < p_out
        skipped_at = self._rng.beta(1.0 + 4.0 * p_out, 6.0)
        share = np.where(is_out, 1.0, np.minimum(skipped_at, _MOST_SKIPPED_AT))
        luck = self._rng.random(len(who))
        p_reaction = np.where(is_out, self._crowd.likes[who], _P_DISLIKE)
        actions = [
            _ENDS[ends]
            for ends in zip(is_out.tolist(), (luck < p_reaction).tolist(), strict=True)
        ]
        sources = map(_source, choices.lists)
        self._loved_artist[who[is_out]] = self._catalogue.artists[rows[is_out]]
        outcomes = map(_Outcome, rows.tolist(), sources, share.tolist(), actions)
        known = closeness.tolist(), choices.reasons.tolist()
        begun = list(zip(outcomes, *known, strict=True))
        return share * self._catalogue.durations_ms[rows] / 1000.0, begun


def _event(
    playing: _Playing, at: datetime, action: Action, share: float
) -> PlaybackEvent:
    heard_ms = round(share * playing.duration_ms)
    return PlaybackEvent(
        event_id=f"{playing.play_id}-{action[:2]}",
        user_id=playing.user_id,
        track_id=playing.track_id,
        session_id=playing.session_id,
        play_id=playing.play_id,
        action=action,
        event_time=at,
        played_ms=heard_ms,
        duration_ms=playing.duration_ms,
        position_ms=heard_ms,
        source=playing.outcome.source,
    )


def _source(chosen: tuple[str, int] | None) -> dict[str, Any]:
    if chosen is None:
        return {"surface": "simulator", "organic": True}
    list_id, rank = chosen
    told = {"list_id": list_id, "rank": rank, "organic": False}
    return {"surface": "simulator", **told}
