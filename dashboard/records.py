"""View records: what a page shows, free of MongoDB and of Dash."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Movement = Literal["new", "up", "down", "same"]


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
class ListedTrack:
    """One row of a list of recommendations.

    Attributes
    ----------
    rank : int
        1-based place.
    score : float, optional
        Sum of `parts`; None in a fallback, which is not scored.
    reason : str
        Why it is here, one line in plain words.
    propensity : float, optional
        How likely it was to come to this place; None in a fallback, and in lists that
        were made before it was noted.
    """

    track: TrackCard
    rank: int
    score: float | None
    parts: Mapping[str, float]
    reason: str
    propensity: float | None = None


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
    """

    listener: str
    tracks: Sequence[ListedTrack]
    is_fallback: bool
    list_id: str
    updated_at: datetime | None = None
    newest_event_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LibraryPage:
    """The first tracks that match a search, and how many there are in all."""

    tracks: Sequence[TrackCard]
    n_found: int


@dataclass(frozen=True, slots=True)
class MinuteOfPlays:
    """Plays and skips of one minute of event time."""

    minute: datetime
    n_plays: int
    n_skips: int


@dataclass(frozen=True, slots=True)
class Activity:
    """What listeners did in the last half hour.

    Attributes
    ----------
    minutes : sequence of MinuteOfPlays
        Ascending and without gaps; the last one is still running.
    delay_p50_s, delay_p95_s : float, optional
        From the newest event of a list to that list, over lists of this time.
    """

    minutes: Sequence[MinuteOfPlays]
    n_listeners: int
    delay_p50_s: float | None
    delay_p95_s: float | None

    @property
    def n_plays(self) -> int:
        """Plays of all minutes."""
        return sum(minute.n_plays for minute in self.minutes)

    @property
    def skip_share(self) -> float | None:
        """Skips per play; None without plays."""
        if self.n_plays == 0:
            return None
        return sum(minute.n_skips for minute in self.minutes) / self.n_plays


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
