"""Which tracks of the library the entries of a playlist file are.

By our own id; else by the end of a path; else by artist and title, the nearest duration
deciding; else by a file's name alone, where the library has it once.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from anyio import to_thread
from pymongo.asynchronous.database import AsyncDatabase

from dashboard.playlist_files import Entry, track_id_of
from dashboard.playlist_paths import PathEnds, path_parts, seconds_off
from dashboard.playlist_tracks import read_durations_ms
from dashboard.queries import PRESENT
from segue import store
from segue.store import Document
from segue.track_names import TrackName, names_query, pick_tracks

_BETWEEN: Final = " - "
_MOST_READINGS: Final = 3
_NEAR_S: Final = 10.0
# so many documents are decoded at once between two looks at who else waits
_BATCH: Final = 5_000


class Match(NamedTuple):
    """What was found, in the file's order, and what was not."""

    track_ids: list[str]
    unmatched: list[str]


class Sought(NamedTuple):
    """What has to be looked up for some entries.

    Attributes
    ----------
    own : set of str
        Ids of ours.
    files : set of str
        What the files of the others are called.
    names : list of TrackName
        What artist and title may be.
    """

    own: set[str]
    files: set[str]
    names: list[TrackName]
    by_name: Mapping[str, Any]


async def match(database: AsyncDatabase[Document], entries: Sequence[Entry]) -> Match:
    """Return the tracks that the entries name."""
    tracks = database[store.TRACKS]
    # thousands of texts are taken apart: a thread does it, and the server goes on
    wanted = await to_thread.run_sync(sought, entries)
    own = await read_durations_ms(database, wanted.own)
    fields = ("name_id", "album", "duration_s")
    named = await tracks.find(wanted.by_name, fields).to_list()
    stored: list[Mapping[str, Any]] = []
    if wanted.files:  # no index can say how a path ends
        found = tracks.find(PRESENT, ("path", "duration_s"), batch_size=_BATCH)
        stored = [track async for track in found]
    return await to_thread.run_sync(matched, entries, wanted, own, named, stored)


def sought(entries: Sequence[Entry]) -> Sought:
    """Return what has to be looked up for some entries."""
    own = {entry.location: track_id_of(entry.location) for entry in entries}
    others = (path_parts(told) for told, track_id in own.items() if track_id is None)
    names = list(dict.fromkeys(name for entry in entries for name in readings(entry)))
    return Sought(
        {track_id for track_id in own.values() if track_id},
        {parts[0] for parts in others if parts},
        names,
        names_query(names),
    )


def matched(
    entries: Sequence[Entry],
    wanted: Sought,
    own: Container[str],
    named: Iterable[Mapping[str, Any]],
    stored: Iterable[Mapping[str, Any]],
) -> Match:
    """Return the tracks that the entries name, among those that were looked up.

    Parameters
    ----------
    own : container of str
        Which of the ids of ours there are.
    named : iterable of mappings
        Tracks by `wanted.by_name`.
    stored : iterable of mappings
        All tracks that have files.
    """
    picked = zip(wanted.names, pick_tracks(wanted.names, named), strict=True)
    by_name = {name: track.track_id for name, track in picked if track is not None}
    ends = PathEnds(stored, wanted.files)
    found = [_pick(entry, own, by_name, ends) for entry in entries]
    pairs = list(zip(entries, found, strict=True))
    return Match(
        [track_id for track_id in found if track_id is not None],
        [entry.name for entry, track_id in pairs if track_id is None],
    )


def readings(entry: Entry) -> Iterator[TrackName]:
    """Yield what artist and title of an entry may be; M3U has them in one text."""
    more = (entry.album, entry.duration_ms)
    if entry.artist and (entry.title or entry.text):
        yield TrackName(entry.artist, entry.title or entry.text, *more)
    parts = entry.text.split(_BETWEEN)
    for at in range(1, min(len(parts), _MOST_READINGS + 1)):
        artist, title = _BETWEEN.join(parts[:at]), _BETWEEN.join(parts[at:])
        if artist.strip() and title.strip():
            yield TrackName(artist.strip(), title.strip(), *more)


def _pick(
    entry: Entry,
    own: Container[str],
    by_name: Mapping[TrackName, str],
    ends: PathEnds,
) -> str | None:
    track_id = track_id_of(entry.location)
    if track_id in own:
        return track_id
    named = [by_name[name] for name in readings(entry) if name in by_name]
    n_alike, alike = ends.most_alike(entry.location)
    if n_alike > 1:
        return alike.best(entry.duration_ms, named)
    if named:
        return named[0]
    # many files are called "intro.mp3"
    if n_alike == 1 and len(alike.tracks) == 1:
        (lone,) = alike.tracks
        if seconds_off(lone, entry.duration_ms) <= _NEAR_S:
            return str(lone["_id"])
    return None
