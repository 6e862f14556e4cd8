"""Places of a list that are given by lot, so that more is learned than what was known.

Each place is open to the lot with a stated probability; then each candidate that may
stand there is as likely as the others. How likely a track was to come to its place,
given what stands above, is its propensity. Who later asks what another ranking would
have been worth, weights what came of each place by its inverse (Horvitz and Thompson
1952; Li et al. 2011 for lists).

The lot falls by a hash of listener, act and track: it stays until the listener starts,
ends, likes or blocks something, and a list that is made anew says the same. What
follows an act may depend on what the lot had shown, so after it another is drawn.
"""

import hashlib
from collections.abc import Sequence
from typing import Final, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from models.listens import Entry
from segue.events import Action

_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)
_SEED_BYTES: Final = 8
_FLOAT_BITS: Final = 53
_SPARE_BITS: Final = np.uint64(64 - _FLOAT_BITS)


class Lot(NamedTuple):
    """What the lot says of one list.

    Attributes
    ----------
    share : float
        Probability that a place is open to it.
    is_open : ndarray, bool, shape (n_places,)
    keys : ndarray, uint64, shape (n,)
        Of the candidates that may stand at an open place, the lowest takes it.
    """

    share: float
    is_open: NDArray[np.bool_]
    keys: NDArray[np.uint64]


def seed_of(user_id: str, recent: Sequence[Entry]) -> int:
    """Return where the lots of a listener begin after what they did last, 64 bits.

    Parameters
    ----------
    recent : sequence of Entry
        By time, at least one. That a play goes on is no act.
    """
    acts = (e for e in reversed(recent) if e.action != Action.PROGRESSED)
    act = next(acts, recent[-1])
    text = f"{user_id}\n{act.event_id}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=_SEED_BYTES).digest())


def draw(seed: int, share: float, n_places: int, track_ids: Sequence[str]) -> Lot:
    """Return the lot for a list of `n_places` of some tracks."""
    start = np.array([seed], dtype=np.uint64)
    numbers = np.arange(n_places).astype(np.uint64)
    places = _mixed(np.add(_mixed(start), numbers, dtype=np.uint64))
    is_open = (places >> _SPARE_BITS) * 2.0**-_FLOAT_BITS < share
    if not is_open.any():
        return Lot(share, is_open, np.zeros(len(track_ids), dtype=np.uint64))
    names = np.array([crc32(name.encode()) for name in track_ids], dtype=np.uint64)
    return Lot(share, is_open, _mixed(np.add(start, names, dtype=np.uint64)))


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return a hash of each number: a step of SplitMix64 (Steele et al. 2014)."""
    mixed = numbers * _STEP + _STEP
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
    return np.asarray(mixed ^ (mixed >> np.uint64(31)), dtype=np.uint64)
