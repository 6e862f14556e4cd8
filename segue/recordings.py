"""Which tracks are the same recording: on the album, on the sampler, as MP3 and FLAC.

Three things must agree: the title without what differs between releases, the duration,
and the sound. Live takes, remixes and the like say so in their title and stay apart.
"""

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pymongo import UpdateOne
from pymongo.database import Database

from segue import store
from segue.store import Document

MIN_COSINE: Final = 0.85
MAX_DIFFERENCE_S: Final = 2.0
MAX_DIFFERENCE: Final = 0.04

_TILE: Final = 1024
_BATCH: Final = 5000

_TRACK_NO: Final = re.compile(r"^(?:\d-)?(?:\d{1,3}\s*[-.)]\s+|0\d\s+)(?=\S)")
_GUESTS: Final = re.compile(r"(?<=\S)\s+(?:feat\b\.?|ft\.|featuring\b)\s*\S[^()\[\]]*")
_IN_BRACKETS: Final = re.compile(r"[(\[{]([^()\[\]{}]*)[)\]}]")
_AFTER_DASH: Final = re.compile(r"\s[-\u2013\u2014]\s+([^-\u2013\u2014]+)$")
_IS_GUESTS: Final = re.compile(r"\s*(?:feat\b|ft\b|featuring\b).*", re.DOTALL)
_RELEASE: Final = re.compile(
    r"(?:\b\d{4}\s+)?(?:\bdigital(?:ly)?\s+)?\bre-?master(?:ed)?\b"
    r"(?:\s+(?:version|edition))?(?:\s+(?:in\s+)?\d{4}\b)?|\boriginal mix\b"
)
_SAYS_NOTHING: Final = frozenset(
    {"album", "anniversary", "audio", "bonus", "clean", "deluxe", "edition"}
    | {"expanded", "explicit", "hd", "hq", "lyric", "lyrics", "mono", "music"}
    | {"official", "original", "single", "stereo", "track", "version", "video"}
)
_YEAR: Final = re.compile(r"\d{4}|\d{1,3}th")
_ACCENTS: Final = re.compile("[\u0300-\u036f]")
_APOSTROPHES: Final = re.compile("['\u2019\u02bc`\u00b4]")


def normal_title(text: str) -> str:
    """Return what the titles of one recording have in common on all its releases.

    Case, accents, punctuation, a leading track number, guests and notes on the release
    go. What names another recording (live, remix, acoustic, part 2 …) stays.

    Examples
    --------
    >>> normal_title("03 - Café Días (feat. Bo) [2011 Remastered Version]")
    'cafe dias'
    >>> normal_title("Cafe Dias - Live"), normal_title("Café Días (Live)")
    ('cafe dias live', 'cafe dias live')
    >>> normal_title("99 Problems"), normal_title("?!")
    ('99 problems', '?!')
    """
    folded = unicodedata.normalize("NFKD", text).casefold()
    folded = unicodedata.normalize("NFKC", _ACCENTS.sub("", folded))
    # of a run of spaces the patterns would try each part
    title = _TRACK_NO.sub("", " ".join(folded.split()))
    title = _AFTER_DASH.sub(lambda found: f" {_note(found[1])} ", title)
    title = _IN_BRACKETS.sub(lambda found: f" ({_note(found[1])}) ", title)
    title = _GUESTS.sub(" ", title)
    return _words(title) or _words(folded) or " ".join(text.split())


def group_recordings(
    track_ids: Sequence[str],
    titles: Sequence[str],
    durations_s: Sequence[float | None],
    vectors: NDArray[np.float32],
    min_cosine: float = MIN_COSINE,
    max_difference_s: float = MAX_DIFFERENCE_S,
) -> dict[str, str]:
    """Group tracks of the same recording.

    Two tracks are the same recording when their normal titles are equal, their
    durations differ by at most `max_difference_s` or 4 % of the longer, whichever is
    more, and their cosine is at least `min_cosine`; so are two that a chain of such
    pairs joins. A track of unknown duration stays alone.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, d)
        Unit rows of the taste space, in the order of `track_ids`.

    Returns
    -------
    dict
        `recording_id` of each track: the smallest `track_id` of its group.

    Notes
    -----
    Only tracks of one title are compared, and of these only those of about one
    duration, tile by tile; memory beyond the input is that of one tile.
    """
    blocks: dict[str, list[int]] = defaultdict(list)
    for row, (title, duration_s) in enumerate(zip(titles, durations_s, strict=True)):
        if duration_s is not None and math.isfinite(duration_s):
            blocks[normal_title(title)].append(row)
    recording_of = {track_id: track_id for track_id in track_ids}
    for rows in blocks.values():
        if len(rows) > 1:
            lengths_s = np.array([durations_s[row] for row in rows], dtype=np.float64)
            labels = _labels(lengths_s, vectors[rows], min_cosine, max_difference_s)
            ids = [track_ids[row] for row in rows]
            recording_of.update(_smallest_of_each(ids, labels))
    return recording_of


def mark_recordings(
    database: Database[Document],
    track_ids: Sequence[str],
    vectors: NDArray[np.float32],
) -> int:
    """Set the `recording_id` of tracks, where it is another than before.

    Parameters
    ----------
    track_ids : sequence of str
        All tracks that have a vector; those outside the catalogue are passed over.
    vectors : ndarray of float32, shape (n, d)
        Their unit rows.

    Returns
    -------
    int
        How many recordings have more than one track.
    """
    known = _read_tracks(database, track_ids)
    rows = [row for row, track_id in enumerate(track_ids) if track_id in known]
    ids = [track_ids[row] for row in rows]
    recording_of = group_recordings(
        ids,
        [known[track_id].get("title") or "" for track_id in ids],
        [known[track_id].get("duration_s") for track_id in ids],
        vectors[rows],
    )
    changed = (
        UpdateOne({"_id": track_id}, {"$set": {"recording_id": recording_id}})
        for track_id, recording_id in recording_of.items()
        if known[track_id].get("recording_id") != recording_id
    )
    while batch := list(islice(changed, _BATCH)):
        database[store.TRACKS].bulk_write(batch, ordered=False)
        store.touch_catalogue(database)
    return sum(n > 1 for n in Counter(recording_of.values()).values())


def _note(text: str) -> str:
    """Return what brackets say of the recording; nothing for notes on its release."""
    if _IS_GUESTS.fullmatch(text):
        return ""
    words = _words(_RELEASE.sub(" ", text)).split()
    if all(word in _SAYS_NOTHING or _YEAR.fullmatch(word) for word in words):
        return ""
    return " ".join(word for word in words if word != "version")


def _words(text: str) -> str:
    joined = _APOSTROPHES.sub("", text).replace("&", " and ")
    return " ".join("".join(c if _is_letter(c) else " " for c in joined).split())


def _is_letter(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char).startswith("M")


def _labels(
    lengths_s: NDArray[np.float64],
    vectors: NDArray[np.float32],
    min_cosine: float,
    max_difference_s: float,
) -> NDArray[np.intp]:
    """Return one number for all rows of a component, for each row."""
    order = np.argsort(lengths_s, kind="stable")
    lengths_s, rows = lengths_s[order], vectors[order]
    longest_s = np.maximum(
        lengths_s + max_difference_s, lengths_s / (1 - MAX_DIFFERENCE)
    )
    ends = np.searchsorted(lengths_s, longest_s, side="right")
    numbers = np.arange(len(order))
    labels = numbers.copy()
    for here, there in _tiles(ends):
        near = rows[here] @ rows[there].T >= min_cosine
        near &= numbers[there] < ends[here, None]
        near &= numbers[there] > numbers[here, None]
        near &= labels[there] != labels[here, None]
        _join(labels, near, here.start, there.start)
    result = np.empty_like(labels)
    result[order] = labels
    return result


def _tiles(ends: NDArray[np.intp]) -> Iterator[tuple[slice, slice]]:
    """Yield pairs of ranges that hold all pairs of rows that may be near."""
    for first in range(0, len(ends), _TILE):
        here = slice(first, min(first + _TILE, len(ends)))
        last = int(ends[here.stop - 1])
        for start in range(first, last, _TILE):
            yield here, slice(start, min(start + _TILE, last))


def _join(
    labels: NDArray[np.intp], near: NDArray[np.bool_], here: int, there: int
) -> None:
    for row in np.flatnonzero(near.any(axis=1)):
        own = labels[here + row]
        found = labels[there + np.flatnonzero(near[row])]
        others = np.unique(found[found != own])
        if others.size:
            labels[np.isin(labels, others)] = own


def _smallest_of_each(
    track_ids: Iterable[str], labels: NDArray[np.intp]
) -> Iterator[tuple[str, str]]:
    groups: dict[int, list[str]] = defaultdict(list)
    for track_id, label in zip(track_ids, labels.tolist(), strict=True):
        groups[label].append(track_id)
    for group in groups.values():
        smallest = min(group)
        yield from ((track_id, smallest) for track_id in group)


def _read_tracks(
    database: Database[Document], track_ids: Sequence[str]
) -> Mapping[str, Document]:
    fields = ("title", "duration_s", "recording_id")
    known: dict[str, Document] = {}
    for start in range(0, len(track_ids), _BATCH):
        wanted = {"_id": {"$in": list(track_ids[start : start + _BATCH])}}
        found = database[store.TRACKS].find(wanted, fields)
        known.update((track["_id"], track) for track in found)
    return known
