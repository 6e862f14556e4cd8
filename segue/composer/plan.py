"""The plan of the library: which artists, albums and tracks a seed means."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

import numpy as np

from segue.composer.names import artist_names, invented_words, titles
from segue.composer.styles import STYLES

N_ARTISTS_PER_STYLE: Final = 2
N_TRACKS_PER_ALBUM: Final = 4
_FIRST_YEAR: Final = 1998
_LAST_YEAR: Final = 2025
# By artist of a style and place of the style: every pair of formats meets, and each
# format is spread over all kinds of music.
_FORMATS: Final = (("ogg", "mp3", "ogg", "flac"), ("flac", "ogg", "mp3", "ogg"))


@dataclass(frozen=True)
class AlbumPlan:
    """One album.

    Attributes
    ----------
    style, artist_number : int
        Place in :data:`segue.composer.styles.STYLES`; 0 or 1 within the style.
    suffix : str
        `ogg`, `flac` or `mp3`.
    seed : int
        Seed of the whole library.
    """

    style: int
    artist_number: int
    artist: str
    title: str
    year: int
    suffix: str
    track_titles: tuple[str, ...]
    seed: int

    @property
    def genre(self) -> str:
        """Name of the style."""
        return STYLES[self.style].genre

    @property
    def folder(self) -> PurePosixPath:
        """Where the album lies below the library."""
        return PurePosixPath(self.artist) / self.title

    def generator(self, track_number: int) -> np.random.Generator:
        """Return the generator of one track (1 …), or of the cover (0)."""
        return np.random.default_rng(
            [self.seed, self.style, self.artist_number, track_number]
        )


def plan_library(seed: int) -> list[AlbumPlan]:
    """Return the albums of a library, two for each style.

    Examples
    --------
    >>> albums = plan_library(1)
    >>> len(albums), len({album.artist for album in albums})
    (24, 24)
    """
    rng = np.random.default_rng([seed, len(STYLES)])
    n_words = 2 * N_ARTISTS_PER_STYLE
    words = invented_words(rng, n_words * len(STYLES))
    albums: list[AlbumPlan] = []
    for style, first in enumerate(range(0, n_words * len(STYLES), n_words)):
        taken = {album.title for album in albums}
        albums += _albums_of(rng, seed, style, words[first : first + n_words], taken)
    return albums


def _albums_of(
    rng: np.random.Generator, seed: int, style: int, words: list[str], taken: set[str]
) -> list[AlbumPlan]:
    genre = STYLES[style].genre
    names = artist_names(rng, genre, words)
    share = N_TRACKS_PER_ALBUM + 1
    bank = titles(rng, genre, N_ARTISTS_PER_STYLE * share)
    shares = [bank[first : first + share] for first in range(0, len(bank), share)]
    # the first title of each artist is that of the album; styles share some words
    own = [next((t for t in each if t not in taken), each[0]) for each in shares]
    return [
        AlbumPlan(
            style=style,
            artist_number=number,
            artist=name,
            title=own[number],
            year=int(rng.integers(_FIRST_YEAR, _LAST_YEAR + 1)),
            suffix=_FORMATS[number][style % len(_FORMATS[number])],
            track_titles=tuple(t for t in shares[number] if t != own[number]),
            seed=seed,
        )
        for number, name in enumerate(names)
    ]
