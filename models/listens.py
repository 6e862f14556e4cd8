"""From a listener's events to what each play and each reaction says.

A play says one thing about taste, however many events it sent; its last word counts.
Liking, disliking and blocking are acts of their own, of which the last counts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Final, NamedTuple

from segue.events import Action, Scope, listen_weight

PLAY_ENDS: Final = frozenset({Action.COMPLETED, Action.SKIPPED})
PLAY_ACTIONS: Final = frozenset({Action.STARTED, Action.PROGRESSED, *PLAY_ENDS})
REACTIONS: Final = frozenset({Action.LIKED, Action.UNLIKED, Action.DISLIKED})
BLOCKS: Final = frozenset({Action.BLOCKED, Action.UNBLOCKED})
_TIME_AND_ID: Final = attrgetter("event_time", "event_id")
_LISTEN_ORDER: Final = attrgetter("listened_at", "track_id")


class Entry(NamedTuple):
    """One accepted event, as a pane keeps it."""

    event_id: str
    action: str
    track_id: str
    play_id: str
    played_ms: int | None
    duration_ms: int | None
    event_time: datetime
    session_id: str | None = None
    scope: str | None = None


class Listen(NamedTuple):
    """What one play or reaction says: `weight` from -2 to 2."""

    track_id: str
    weight: float
    listened_at: datetime


class Block(NamedTuple):
    """A track, or its artist or album, that is (or again is not) to stay out."""

    scope: str
    track_id: str
    is_on: bool


@dataclass(frozen=True)
class Words:
    """The last words of plays, reactions and blocks, each by time.

    Attributes
    ----------
    plays : list of Listen
        Those that say something.
    reactions : list of Listen
        One a track; its weight is 0 where it was taken back.
    blocks : tuple of Block
        One for each scope and track.
    """

    plays: list[Listen]
    reactions: list[Listen]
    blocks: tuple[Block, ...]

    @property
    def listens(self) -> list[Listen]:
        """Plays and reactions that say something, by time."""
        said = [x for x in self.reactions if x.weight != 0.0]
        return _by_time([*self.plays, *said]) if said else self.plays


def distinct_entries(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries by time, each `event_id` once (the earliest)."""
    by_id: dict[str, Entry] = {}
    for entry in sorted(entries, key=_TIME_AND_ID):
        by_id.setdefault(entry.event_id, entry)
    return list(by_id.values())


def last_words(entries: Iterable[Entry]) -> Words:
    """Return what a listener's entries say, in whatever order they are.

    The end of a play counts; while it has none, the latest progress does. Of several
    reactions to a track the last counts, and an `unliked` leaves a weight of 0.
    """
    return words_of(distinct_entries(entries))


def words_of(entries: Iterable[Entry]) -> Words:
    """Return what distinct entries, by time, say; see :func:`last_words`."""
    plays: dict[str, Entry] = {}
    reactions: dict[str, Entry] = {}
    blocks: dict[tuple[str, str], Block] = {}
    for entry in entries:
        if entry.action in PLAY_ACTIONS:
            if _overrules(entry, plays.get(entry.play_id)):
                plays[entry.play_id] = entry
        elif entry.action in REACTIONS:
            reactions[entry.track_id] = entry
        elif entry.action in BLOCKS:
            block = block_of(entry)
            blocks.pop((block.scope, block.track_id), None)
            blocks[block.scope, block.track_id] = block
    heard = [
        listen for listen in map(listen_of, plays.values()) if listen.weight != 0.0
    ]
    return Words(
        _by_time(heard),
        _by_time([listen_of(entry) for entry in reactions.values()]),
        tuple(blocks.values()),
    )


def listens_of(entries: Iterable[Entry]) -> list[Listen]:
    """Return one listen a play and one a reaction, in order of time."""
    return last_words(entries).listens


def _by_time(listens: list[Listen]) -> list[Listen]:
    return sorted(listens, key=_LISTEN_ORDER)


def _overrules(entry: Entry, before: Entry | None) -> bool:
    """Say whether `entry`, which is not earlier, replaces what was `before`."""
    return before is None or before.action not in PLAY_ENDS or entry.action in PLAY_ENDS


def block_of(entry: Entry) -> Block:
    """Return what one event blocks, or unblocks."""
    is_wider = entry.scope in (Scope.ARTIST, Scope.ALBUM)
    scope = str(entry.scope) if is_wider else Scope.TRACK.value
    return Block(scope, entry.track_id, entry.action == Action.BLOCKED)


def listen_of(entry: Entry) -> Listen:
    """Return what one event says by itself."""
    weight = listen_weight(entry.action, entry.played_ms, entry.duration_ms)
    return Listen(entry.track_id, weight, entry.event_time)
