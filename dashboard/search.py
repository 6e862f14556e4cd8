"""Search as one types: artists, albums, styles and tracks, small typos forgiven.

Names are folded (script, accents, case) and looked up by their groups of three letters;
those that share most with what is sought are then compared word by word.
"""

import re
import unicodedata
from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain
from math import log
from typing import Final, Literal, NamedTuple

import numpy as np
from anyascii import anyascii
from rapidfuzz.distance import OSA

Kind = Literal["artist", "album", "genre", "track"]
MAX_SEARCH_CHARS: Final = 80
_MAX_WORDS: Final = 6
_GROUP: Final = 3
_COMPARED: Final = 300
_TYPOS: Final = ((8, 2), (4, 1))
_LONG: Final = 0.25  # how much a long name is held to have its groups by chance
_NOT_WORD: Final = re.compile(r"[^0-9a-z]+")


class Named(NamedTuple):
    """Something that has a name.

    Attributes
    ----------
    by : str
        What else one may type to find it: the artist of an album, artist and album of
        a track.
    """

    kind: Kind
    key: str
    name: str
    by: str = ""


class SearchIndex:
    """Finds names; made once and read from then on.

    Parameters
    ----------
    names : iterable of Named
        In the order in which they are told where they fit equally well.
    """

    def __init__(self, names: Iterable[Named]) -> None:
        self._names = list(names)
        self._words = [_words_of(each) for each in self._names]
        groups = [_groups(chain(*words)) for words in self._words]
        self._sizes = np.array([len(each) for each in groups], dtype=np.float64)
        rows: dict[str, array[int]] = defaultdict(lambda: array("i"))
        for row, each in enumerate(groups):
            for group in each:
                rows[group].append(row)
        self._rows = {each: np.frombuffer(a, np.int32) for each, a in rows.items()}

    def find(self, text: str) -> list[Named]:
        """Return what fits to each word of `text`, the best first."""
        words = fold(text[:MAX_SEARCH_CHARS]).split()[:_MAX_WORDS]
        if not words:
            return []
        scored = [
            (-score, row)
            for row in self._candidates(words)
            if (score := _score(words, *self._words[row])) > 0
        ]
        return [self._names[row] for _, row in sorted(scored)]

    def _candidates(self, words: Sequence[str]) -> list[int]:
        """Return those that share most with the words: rare groups say more."""
        n = len(self._names)
        held = [self._rows[each] for each in _sought(words) if each in self._rows]
        if not held:
            return []
        said = np.repeat(
            [log(1 + n / len(rows)) for rows in held], list(map(len, held))
        )
        shared = np.bincount(np.concatenate(held), said, n) / (1 + self._sizes) ** _LONG
        most = min(_COMPARED, n)
        best = np.argpartition(-shared, most - 1)[:most]
        return sorted(best[shared[best] > 0].tolist())


def _groups(words: Iterable[str]) -> set[str]:
    """Return the groups of three letters in words, and how each word begins."""
    groups = set[str]()
    for word in words:
        groups |= {f"^{word[0]}", f"^{word[:2]}"}
        groups |= {word[at : at + _GROUP] for at in range(len(word) - _GROUP + 1)}
    return groups


def _sought(words: Iterable[str]) -> set[str]:
    # who has typed two letters can only mean how a word begins
    return set[str]().union(
        *(_groups([w]) if len(w) >= _GROUP else {f"^{w}"} for w in words)
    )


def fold(text: str) -> str:
    """Return words in small Latin letters, without accents and signs.

    Examples
    --------
    >>> fold("Sigur Rós: Ágætis byrjun (live)"), fold("Бах")
    ('sigur ros agaetis byrjun live', 'bakh')
    """
    latin = anyascii(unicodedata.normalize("NFKC", text))
    return " ".join(_NOT_WORD.sub(" ", latin.casefold()).split())


def _words_of(named: Named) -> tuple[list[str], list[str]]:
    return fold(named.name).split(), fold(named.by).split()


def _score(sought: Sequence[str], name: Sequence[str], by: Sequence[str]) -> float:
    """Return how well a name fits, from 0 (a word fits nowhere) on."""
    total = 0.0
    for word in sought:
        in_name = max((_likeness(word, each) for each in name), default=0.0)
        in_by = max((_likeness(word, each) for each in by), default=0.0)
        best = max(in_name, 0.9 * in_by)
        if not best:
            return 0.0
        total += best
    # of two that fit, the one that says nothing else
    return total / len(sought) + 0.1 * len(sought) / (len(sought) + len(name))


def _likeness(word: str, other: str) -> float:
    if other == word:
        return 1.0
    if other.startswith(word):
        return 0.9
    most = next((typos for length, typos in _TYPOS if len(word) >= length), 0)
    if not most:
        return 0.0
    # the end may not be typed yet
    n_typos = min(
        OSA.distance(word, other, score_cutoff=most),
        OSA.distance(word, other[: len(word)], score_cutoff=most),
    )
    return 0.0 if n_typos > most else 0.8 - 0.2 * n_typos
