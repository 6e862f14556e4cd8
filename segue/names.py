"""Names of artists, albums and genres, and the ids that follow from them.

Two spellings of one name, "ABBA" and "Abba ", are one artist: an id is the head of the
SHA-256 of the name in lower case with its spaces in order.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from typing import Final

VARIOUS_ARTISTS: Final = "Various artists"
MAX_GENRES: Final = 8
_ID_CHARS: Final = 16
_GUESTS: Final = re.compile(
    r"\s+[(\[]?(?:feat\b\.?|ft\.|featuring\b)\s*\S.*", re.IGNORECASE | re.DOTALL
)
_BETWEEN_GENRES: Final = re.compile(r"[;/|,\\\x00]+")
_AND: Final = re.compile(r"^(?:&|and)\s+", re.IGNORECASE)


def name_key(name: str) -> str:
    """Return what all spellings of a name have in common.

    Examples
    --------
    >>> name_key("  The  ABBA ")
    'the abba'
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def artist_id_of(artist: str) -> str:
    """Return the `_id` of an artist."""
    return _id_of(name_key(artist))


def album_id_of(album_artist: str, album: str) -> str:
    """Return the `_id` of an album: two artists' albums of one name are two."""
    return _id_of(f"{name_key(album_artist)}\n{name_key(album)}")


def genre_id_of(genre: str) -> str:
    """Return the `_id` of a genre; "Hip-Hop" and "hip hop" are one."""
    return _id_of(genre_key(genre))


def genre_key(genre: str) -> str:
    """Return what all spellings of a genre have in common.

    Examples
    --------
    >>> genre_key("Hip-Hop") == genre_key("hip hop")
    True
    """
    return name_key(re.sub(r"[-_\u2010-\u2013]", " ", genre))


def main_artist(artist: str) -> str:
    """Return an artist without the guests of one track.

    Examples
    --------
    >>> main_artist("Ada feat. Bo & Cy"), main_artist("Ada (ft. Bo)")
    ('Ada', 'Ada')
    >>> main_artist("Feature Creep"), main_artist("Six ft Under")
    ('Feature Creep', 'Six ft Under')
    """
    # of a run of spaces the pattern would try each part
    in_order = " ".join(artist.split())
    return _GUESTS.sub("", in_order).strip() or artist


def split_genres(texts: Iterable[str]) -> list[str]:
    """Return the genres that tags name, each once, in their order.

    Examples
    --------
    >>> split_genres(["Rock; Metal/Pop", "rock", "Folk, World, & Country"])
    ['Rock', 'Metal', 'Pop', 'Folk', 'World', 'Country']
    """
    parts = [part for text in texts for part in _BETWEEN_GENRES.split(text)]
    names = [" ".join(_AND.sub("", part.strip()).split()) for part in parts]
    first: dict[str, str] = {}
    for name in names:
        if key := genre_key(name):
            first.setdefault(key, name)
    return list(first.values())[:MAX_GENRES]


def _id_of(key: str) -> str:
    # a lone surrogate has no UTF-8
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:_ID_CHARS]
