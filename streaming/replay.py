"""Play recorded events once more: as if they happened now, at any speed.

Times are moved so that the first event happens now, and what lies between is divided by
the speed. Ids follow from the run and the old ids: another run makes other events, the
same run makes the same.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from typing import Final, Protocol

from segue.clock import Clock
from segue.events import Action, PlaybackEvent
from streaming.recorded import Recorded

_ID_CHARS: Final = 32
_FLUSH_S: Final = 1.0


class Sender(Protocol):
    """Where events go; `streaming.producer.Producer` is one."""

    def send(self, event: PlaybackEvent) -> None:
        """Send one event."""

    def flush(self) -> None:
        """Wait until all are safe."""


@dataclass(frozen=True)
class Replay:
    """How events are played once more.

    Attributes
    ----------
    speed : float or None
        How many times faster; None: all at once, each at the time of its sending.
    prefix : str
        What the names of the listeners get in front.
    """

    run_id: str
    speed: float | None
    prefix: str = ""

    def moved(
        self, event: PlaybackEvent, first: datetime, begin: datetime, now: datetime
    ) -> PlaybackEvent:
        """Return an event as it happens in this run.

        Parameters
        ----------
        first : datetime
            Event time of the first event, which happens at `begin`.
        now : datetime
            When it happens, where there is no pace.

        Examples
        --------
        >>> from datetime import UTC, timedelta
        >>> event = PlaybackEvent("e", "ada", "t", "s", "p", Action.LIKED,
        ...                       datetime(2019, 1, 1, 0, 1, tzinfo=UTC))
        >>> begin = datetime(2026, 1, 1, tzinfo=UTC)
        >>> first = event.event_time - timedelta(seconds=60)
        >>> again = Replay("run", 60.0, "again-").moved(event, first, begin, begin)
        >>> again.user_id, (again.event_time - begin).total_seconds()
        ('again-ada', 1.0)
        """
        at = now
        if self.speed is not None:
            at = begin + (event.event_time - first) / self.speed
        return event._replace(
            event_id=self._id(event.event_id),
            play_id=self._id(event.play_id),
            session_id=self._id(event.session_id),
            user_id=self.prefix + event.user_id,
            event_time=at,
            source={**(event.source or {}), "replay": self.run_id},
        )

    def _id(self, before: str) -> str:
        key = f"{self.run_id}\n{self.prefix}\n{before}"
        # a lone surrogate has no UTF-8
        return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:_ID_CHARS]


def replay(
    recorded: Recorded,
    how: Replay,
    sender: Sender,
    clock: Clock,
    counts: Counter[str],
    progress: Callable[[int], None],
) -> None:
    """Send recorded events; what was to be forgotten is not said once more.

    Parameters
    ----------
    counts : Counter
        Counts as it goes: events `sent`, and those `forgotten`.
    progress : callable
        Takes the number of events that are done.
    """
    first: datetime | None = None
    begin, start = clock(), time.monotonic()
    flush_at = start + _FLUSH_S
    pause = Event()
    try:
        for number, event in enumerate(recorded, start=1):
            if event.action is Action.FORGOTTEN:
                counts["forgotten"] += 1
                continue
            first = first or event.event_time
            if how.speed is not None:
                due_s = (event.event_time - first).total_seconds() / how.speed
                wait_s = start + due_s - time.monotonic()
                if wait_s > 0:
                    sender.flush()
                    pause.wait(wait_s)
            sender.send(how.moved(event, first, begin, clock()))
            counts["sent"] += 1
            progress(number)
            if time.monotonic() >= flush_at:
                sender.flush()
                flush_at = time.monotonic() + _FLUSH_S
    finally:
        sender.flush()
