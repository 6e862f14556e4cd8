"""View records: what a page shows, free of MongoDB and of Dash."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Movement = Literal["new", "up", "down", "same"]
Sentence = tuple[str | datetime, ...]
"""Words, with moments in between that each browser writes in its own time zone."""


@dataclass(frozen=True, slots=True)
class TrackCard:
    """One track of the library."""

    track_id: str
    title: str
    artist: str
    album: str
    genre: str
    duration_ms: int | None
    artist_id: str = ""
    album_id: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """An artist, an album or a style, as a way to its page.

    Attributes
    ----------
    text : str
        What else is said of it, one line.
    cover_track_id : str, optional
        A track whose cover stands for it.
    """

    name: str
    href: str
    text: str
    cover_track_id: str | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """Some tracks, or cards, under a title."""

    title: str
    tracks: Sequence[TrackCard] = ()
    cards: Sequence[Card] = ()


@dataclass(frozen=True, slots=True)
class Shelf:
    """What a page of the catalogue shows.

    Attributes
    ----------
    surface : str
        Where plays that begin there come from, in playback events.
    facts : sequence of str or Card
        Of a card only name and way.
    """

    title: str
    surface: str
    sections: Sequence[Section]
    facts: Sequence["str | Card"] = ()
    cover_track_id: str | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """A track that speaks for a row of a list.

    Attributes
    ----------
    kind : str
        `heard`, `seed`, `neighbour` or `follows`, as in the list's document.
    share : float, optional
        Of all that was heard and speaks for the row; of `heard` only.
    at : datetime, optional
        Of `heard` only: the start of the window in which that was.
    """

    kind: str
    track: TrackCard
    share: float | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ListedTrack:
    """One row of a list of recommendations.

    Attributes
    ----------
    rank : int
        1-based place.
    score : float, optional
        Sum of `parts`; None in a fallback, which is not scored.
    reason : Sentence
        Why it is here, one line in plain words.
    propensity : float, optional
        How likely it was to come to this place; None in a fallback, and in lists that
        were made before it was noted.
    causes : sequence of Cause
        The tracks that it is here for, as far as they are in the library.
    explored : bool
        Whether the place was given by lot.
    """

    track: TrackCard
    rank: int
    score: float | None
    parts: Mapping[str, float]
    reason: Sentence
    propensity: float | None = None
    causes: Sequence[Cause] = ()
    explored: bool = False


@dataclass(frozen=True, slots=True)
class ListChange:
    """What a list changed, and the event that it follows.

    Attributes
    ----------
    action : str
        Of the event.
    track : TrackCard, optional
        Of the event; None where it is not in the library.
    left, came : sequence of TrackCard
        Those of them that are in the library.
    n_left, n_came : int
        How many there were.
    """

    action: str
    event_time: datetime
    track: TrackCard | None
    left: Sequence[TrackCard]
    came: Sequence[TrackCard]
    n_left: int
    n_came: int


@dataclass(frozen=True, slots=True)
class ForYou:
    """A listener's list.

    Attributes
    ----------
    is_fallback : bool
        True when nothing is known of the listener's taste yet.
    list_id : str
        Names this state of the list in playback events.
    newest_event_at : datetime, optional
        Event time of the newest event that the list reflects.
    change : ListChange, optional
        None where there was no list before.
    changed_at : datetime, optional
        When it was made as `change` says; it may have been written again since.
    """

    listener: str
    tracks: Sequence[ListedTrack]
    is_fallback: bool
    list_id: str
    updated_at: datetime | None = None
    newest_event_at: datetime | None = None
    change: ListChange | None = None
    changed_at: datetime | None = None
    index_version: str = ""
    model_version: str = ""


@dataclass(frozen=True, slots=True)
class NotedTrack:
    """A track with a word on why it is shown."""

    track: TrackCard
    note: Sentence


@dataclass(frozen=True, slots=True)
class ShortList:
    """A few tracks, or a sentence that says why there are none."""

    tracks: Sequence[TrackCard]
    silence: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Messages of a partition in Kafka that no micro-batch has taken."""

    topic: str
    partition: int
    n: int


@dataclass(frozen=True, slots=True)
class QueryHealth:
    """The last micro-batch of one streaming query.

    Attributes
    ----------
    phases_ms : mapping
        Milliseconds by phase of the batch, without the total.
    watermark_lag_s : float, optional
        How far the watermark lies behind the clock.
    is_stale : bool
        True when the query has not reported for too long.
    n_waiting : int
        Messages in Kafka that it has not taken, in all partitions of `waiting`.
    busy_s : float, optional
        For how long the micro-batch runs that has not ended; None where none does.
    """

    name: str
    batch_id: int
    total_ms: float
    phases_ms: Mapping[str, float]
    rows_per_s: float
    state_rows: int
    watermark_lag_s: float | None
    n_dropped: int
    updated_at: datetime
    is_stale: bool
    input_rows_per_s: float = 0.0
    state_bytes: int = 0
    n_waiting: int = 0
    waiting: Sequence[Waiting] = ()
    busy_s: float | None = None


@dataclass(frozen=True, slots=True)
class Ledger:
    """Where every message that was read has gone.

    Attributes
    ----------
    n_unmatched : int
        Events that wait for their track: it has no features yet, or the catalogue does
        not know its name.
    n_over_limit : int
        Messages beyond those that a listener's pane keeps.
    """

    n_read: int
    n_accepted: int
    n_duplicate: int
    n_late: int
    n_forgotten: int
    n_unmatched: int
    n_over_limit: int
    rejected: Mapping[str, int]

    @property
    def n_rejected(self) -> int:
        """Rejected messages of all reasons."""
        return sum(self.rejected.values())

    @property
    def n_in_flight(self) -> int:
        """Messages that were read and are not yet accounted for; below 0: a fault."""
        known = (
            self.n_accepted
            + self.n_duplicate
            + self.n_late
            + self.n_forgotten
            + self.n_unmatched
            + self.n_over_limit
            + self.n_rejected
        )
        return self.n_read - known
