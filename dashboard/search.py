"""Search as one types: artists, albums, styles and tracks, small typos forgiven.

Names are folded (script, accents, case) and looked up by their groups of three letters
in an SQLite table in memory; the best of those are then compared word by word.
"""

import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import chain
from threading import Lock
from typing import Final, Literal, NamedTuple

from anyascii import anyascii
from rapidfuzz.distance import OSA

Kind = Literal["artist", "album", "genre", "track"]
MAX_SEARCH_CHARS: Final = 80
_MAX_WORDS: Final = 6
_GROUP: Final = 3
_COMPARED: Final = 300
_TYPOS: Final = ((8, 2), (4, 1))
_BEGINS: Final = "SELECT rowid FROM names WHERE words LIKE ? OR words LIKE ? LIMIT ?"
_LIKE_MOST: Final = "SELECT rowid FROM names WHERE names MATCH ? ORDER BY rank LIMIT ?"
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
        self._table = sqlite3.connect(":memory:", check_same_thread=False)
        self._asking = Lock()
        self._table.execute(
            "CREATE VIRTUAL TABLE names USING fts5"
            "(words, tokenize='trigram', detail='none')"
        )
        rows = enumerate(" ".join(chain(*words)) for words in self._words)
        self._table.executemany("INSERT INTO names(rowid, words) VALUES (?, ?)", rows)

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
        groups = {w[i : i + _GROUP] for w in words for i in range(len(w) - _GROUP + 1)}
        rows = set[int]()
        with self._asking:
            # two letters are in no group: they begin a word
            for word in (w for w in words if len(w) < _GROUP):
                sought = f"{word}%", f"% {word}%", _COMPARED
                rows |= {row for (row,) in self._table.execute(_BEGINS, sought)}
            if groups:
                any_of = " OR ".join(f'"{group}"' for group in sorted(groups))
                found = self._table.execute(_LIKE_MOST, (any_of, _COMPARED))
                rows |= {row for (row,) in found}
        return sorted(rows)


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
