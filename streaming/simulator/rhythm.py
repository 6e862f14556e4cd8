"""When simulated listeners play: at a steady rate, or as people do."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

import numpy as np

from streaming.simulator.crowd import Floats, Rows

S_PER_H: Final = 3_600.0
_S_PER_DAY: Final = 86_400.0
_EPOCH_WEEKDAY: Final = 3  # 1970-01-01 was a Thursday
_PLAYS_PER_SESSION: Final = 15.0
_SESSIONS_PER_DAY: Final = 2.0
_BETWEEN_PLAYS_S: Final = 1.5

# How much is listened to by the hour of the day and by the day of the week, Monday
# first; means are 1. The shape, not the figures, is what published logs have in common:
# least at four in the morning, most in the early evening, and later on weekends.
_BY_HOUR: Final = np.array(
    [
        *(0.45, 0.3, 0.2, 0.15, 0.15, 0.25, 0.5, 0.85, 1.05, 1.1, 1.15, 1.2),
        *(1.25, 1.25, 1.3, 1.35, 1.45, 1.6, 1.7, 1.7, 1.6, 1.4, 1.15, 0.9),
    ]
)
_BY_WEEKDAY: Final = np.array([0.95, 0.95, 0.97, 1.0, 1.08, 1.1, 0.95])


class Rhythm(Protocol):
    """When the next turn of each listener comes."""

    def first_s(self, who: Rows, rng: np.random.Generator) -> Floats:
        """Return when each plays for the first time, in seconds from the start."""

    def play_s(self, heard_s: Floats, rng: np.random.Generator) -> Floats:
        """Return how long after its start each play ends."""

    def pause_s(self, who: Rows, at_s: Floats, rng: np.random.Generator) -> Floats:
        """Return how long each pauses after a play; 0 within a session."""


@dataclass(frozen=True)
class Steady:
    """Plays of all together at one rate, however long the tracks are."""

    n_listeners: int
    plays_per_s: float

    @property
    def _gap_s(self) -> float:
        # with one pause a session, a listener needs so long for a play
        cycle_s = self.n_listeners / self.plays_per_s
        return cycle_s / (1 + 1 / _PLAYS_PER_SESSION)

    def first_s(self, who: Rows, rng: np.random.Generator) -> Floats:
        """See `Rhythm`."""
        return rng.exponential(self._gap_s, len(who))

    def play_s(self, heard_s: Floats, rng: np.random.Generator) -> Floats:
        """See `Rhythm`."""
        return rng.exponential(self._gap_s, len(heard_s))

    def pause_s(self, who: Rows, at_s: Floats, rng: np.random.Generator) -> Floats:
        """See `Rhythm`."""
        ends = rng.random(len(who)) < 1 / _PLAYS_PER_SESSION
        return np.where(ends, rng.exponential(self._gap_s, len(who)), 0.0)


@dataclass(frozen=True)
class Lifelike:
    """Sessions by hour and weekday; a play lasts as long as it is heard.

    Attributes
    ----------
    shift_h : ndarray, float64, shape (n_listeners,)
        Hours by which each one's day lies behind others'.
    """

    start: datetime
    shift_h: Floats

    def first_s(self, who: Rows, rng: np.random.Generator) -> Floats:
        """See `Rhythm`."""
        return self._next_session_s(who, np.zeros(len(who)), rng)

    def play_s(self, heard_s: Floats, rng: np.random.Generator) -> Floats:
        """See `Rhythm`."""
        return heard_s + rng.exponential(_BETWEEN_PLAYS_S, len(heard_s))

    def pause_s(self, who: Rows, at_s: Floats, rng: np.random.Generator) -> Floats:
        """See `Rhythm`."""
        ends = rng.random(len(who)) < 1 / _PLAYS_PER_SESSION
        pause_s = np.zeros(len(who))
        pause_s[ends] = self._next_session_s(who[ends], at_s[ends], rng) - at_s[ends]
        return pause_s

    def _next_session_s(
        self, who: Rows, at_s: Floats, rng: np.random.Generator
    ) -> Floats:
        """Draw from a Poisson process whose rate changes, by thinning."""
        most = float(_BY_HOUR.max() * _BY_WEEKDAY.max())
        mean_s = _S_PER_DAY / _SESSIONS_PER_DAY / most
        found, waiting = at_s.copy(), np.arange(len(who))
        while len(waiting):
            found[waiting] += rng.exponential(mean_s, len(waiting))
            rate = self._rate(who[waiting], found[waiting])
            waiting = waiting[rng.random(len(waiting)) * most >= rate]
        return found

    def _rate(self, who: Rows, at_s: Floats) -> Floats:
        t = self.start.timestamp() + at_s - self.shift_h[who] * S_PER_H
        hour = (t % _S_PER_DAY // S_PER_H).astype(np.int64)
        weekday = ((t // _S_PER_DAY + _EPOCH_WEEKDAY) % 7).astype(np.int64)
        rate: Floats = _BY_HOUR[hour] * _BY_WEEKDAY[weekday]
        return rate
