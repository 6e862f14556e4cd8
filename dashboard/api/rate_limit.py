"""How often somebody may ask: a fixed number in each window of time."""

import math
from collections import Counter
from dataclasses import dataclass
from typing import Final

from segue.clock import Clock

WINDOW_S: Final = 10


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left to somebody, as the headers of ListenBrainz tell it."""

    limit: int
    n_asked: int
    now_s: float
    window_s: int = WINDOW_S

    @property
    def is_used_up(self) -> bool:
        """Whether this request is one too many."""
        return self.n_asked > self.limit

    def headers(self) -> dict[str, str]:
        """Return the `X-RateLimit-*` headers, and `Retry-After` where it is time."""
        reset_s = (math.floor(self.now_s / self.window_s) + 1) * self.window_s
        reset_in_s = max(1, math.ceil(reset_s - self.now_s))
        told = {
            "X-RateLimit-Limit": self.limit,
            "X-RateLimit-Remaining": max(0, self.limit - self.n_asked),
            "X-RateLimit-Reset-In": reset_in_s,
            "X-RateLimit-Reset": reset_s,
        }
        if self.is_used_up:
            told["Retry-After"] = reset_in_s
        return {name: str(value) for name, value in told.items()}


class RateLimit:
    """Counts requests by who asks; forgets everybody with each new window.

    Parameters
    ----------
    limit : int
        Requests in one window.
    """

    def __init__(self, limit: int, clock: Clock, window_s: int = WINDOW_S) -> None:
        self._limit = limit
        self._window_s = window_s
        self._clock = clock
        self._window = 0
        self._n_asked: Counter[str] = Counter()

    def count(self, who: str) -> Quota:
        """Count one request and return what is left."""
        now_s = self._clock().timestamp()
        window = math.floor(now_s / self._window_s)
        if window != self._window:
            self._window = window
            self._n_asked.clear()
        self._n_asked[who] += 1
        return Quota(self._limit, self._n_asked[who], now_s, self._window_s)
