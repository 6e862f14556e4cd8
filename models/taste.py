"""From what a listener did to a taste vector.

A play says one thing about taste, however many events it sent; its last word counts.
Liking and disliking are acts of their own. What attracts and what repels is kept apart
(Rocchio), because the repelling part fades faster.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segue.events import Action, listen_weight

PLAY_ENDS: Final = frozenset({Action.COMPLETED, Action.SKIPPED})
PLAY_ACTIONS: Final = frozenset({Action.STARTED, Action.PROGRESSED, *PLAY_ENDS})
REACTIONS: Final = frozenset({Action.LIKED, Action.UNLIKED, Action.DISLIKED})
# one listen of full weight pulls half as hard as any number of them can
EVIDENCE_HALF: Final = 1.0


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


class Listen(NamedTuple):
    """What one play or reaction says: `weight` from -2 to 2, never 0."""

    track_id: str
    weight: float
    listened_at: datetime


@dataclass(frozen=True)
class Side:
    """The attracting or the repelling part of a taste.

    Attributes
    ----------
    mean : ndarray, float64, shape (n_dims,)
        Weighted mean of the tracks' unit vectors; zero where there is none.
    weight : float
        Sum of the (faded) weights, 0 or more.
    """

    mean: NDArray[np.float64]
    weight: float

    @property
    def pull(self) -> float:
        """How much the evidence counts, in [0, 1): `weight / (weight + 1)`."""
        return self.weight / (self.weight + EVIDENCE_HALF)


@dataclass(frozen=True)
class Taste:
    """What attracts and what repels a listener, in the taste space."""

    positive: Side
    negative: Side

    def direction(
        self, negative_pull: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the parts `(taste, skips)` whose sum is the unit taste vector.

        Both are zero when there is no taste, or when the two sides cancel out.
        """
        taste = self.positive.mean * self.positive.pull
        skips = self.negative.mean * (-negative_pull * self.negative.pull)
        length = float(np.linalg.norm(taste + skips))
        if length < np.finfo(np.float32).eps:
            return np.zeros_like(taste), np.zeros_like(skips)
        return taste / length, skips / length


def distinct_entries(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries by time, each `event_id` once (the earliest)."""
    by_id: dict[str, Entry] = {}
    for entry in sorted(entries, key=lambda entry: (entry.event_time, entry.event_id)):
        by_id.setdefault(entry.event_id, entry)
    return list(by_id.values())


def listens_of(entries: Iterable[Entry]) -> list[Listen]:
    """Return one listen a play and one a reaction, in order of time.

    The end of a play counts; while it has none, the latest progress does. Of several
    reactions to a track the last counts, and an `unliked` leaves none.
    """
    last_words: dict[tuple[str, str], Entry] = {}
    for entry in distinct_entries(entries):
        key = _speaker(entry)
        if key is not None and _overrules(entry, last_words.get(key)):
            last_words[key] = entry
    listens = [_listen(entry) for entry in last_words.values()]
    said = [listen for listen in listens if listen.weight != 0.0]
    return sorted(said, key=lambda listen: (listen.listened_at, listen.track_id))


def _speaker(entry: Entry) -> tuple[str, str] | None:
    if entry.action in PLAY_ACTIONS:
        return "play", entry.play_id
    if entry.action in REACTIONS:
        return "reaction", entry.track_id
    return None


def _overrules(entry: Entry, before: Entry | None) -> bool:
    """Say whether `entry`, which is not earlier, replaces what was `before`."""
    return before is None or before.action not in PLAY_ENDS or entry.action in PLAY_ENDS


def _listen(entry: Entry) -> Listen:
    weight = listen_weight(Action(entry.action), entry.played_ms, entry.duration_ms)
    return Listen(entry.track_id, weight, entry.event_time)


def faded(
    listens: Iterable[Listen],
    as_of: datetime,
    half_life_s: float,
    negative_half_life_s: float,
) -> list[Listen]:
    """Return the listens with weights halved for each half-life of age at `as_of`."""

    def fade(listen: Listen) -> Listen:
        half_life = half_life_s if listen.weight > 0 else negative_half_life_s
        age_s = max(0.0, (as_of - listen.listened_at).total_seconds())
        return listen._replace(weight=listen.weight * 0.5 ** (age_s / half_life))

    return [fade(listen) for listen in listens]


def taste_of(
    listens: Iterable[Listen],
    row_of: Mapping[str, int],
    vectors: NDArray[np.float32],
) -> Taste:
    """Return the weighted means of what was heard and of what was skipped.

    Parameters
    ----------
    listens : iterable of Listen
        Listens to tracks that are not in `row_of` are passed over.
    row_of : mapping
        Row of each track in `vectors`.
    vectors : ndarray, float32, shape (n_tracks, n_dims)
        Unit rows of the taste space.
    """
    known = [listen for listen in listens if listen.track_id in row_of]
    return Taste(
        _side([listen for listen in known if listen.weight > 0], row_of, vectors),
        _side([listen for listen in known if listen.weight < 0], row_of, vectors),
    )


def _side(
    listens: list[Listen], row_of: Mapping[str, int], vectors: NDArray[np.float32]
) -> Side:
    if not listens:
        return Side(np.zeros(vectors.shape[1]), 0.0)
    weights = np.abs([listen.weight for listen in listens])
    rows = vectors[[row_of[listen.track_id] for listen in listens]].astype(np.float64)
    total = float(weights.sum())
    return Side(weights @ rows / total, total)
