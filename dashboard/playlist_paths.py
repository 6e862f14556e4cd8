"""The tracks of the library by how their paths end."""

import re
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote, urlsplit

_IS_ADDRESS: Final = re.compile(r"[a-z][a-z0-9+.-]+:", re.IGNORECASE)
_End = tuple[str, ...]


def path_parts(location: str) -> list[str]:
    r"""Return the folders and the file of a location, the file first.

    Examples
    --------
    >>> path_parts(r"C:\Music\ABBA\Waterloo.mp3")[:2]
    ['waterloo.mp3', 'abba']
    >>> path_parts("file:///a/b%20c.mp3")
    ['b c.mp3', 'a']
    """
    path = location
    if _IS_ADDRESS.match(location):
        try:
            path = urlsplit(location).path
        except ValueError:
            return []
    # some players write %20 in plain paths too
    plain = unquote(path).replace("\\", "/")
    folded = unicodedata.normalize("NFC", plain).casefold()
    return [part for part in reversed(folded.split("/")) if part not in ("", ".", "..")]


class Alike:
    """Tracks whose paths end in the same way; one of them is told by its duration."""

    def __init__(self, tracks: Sequence[Mapping[str, Any]]) -> None:
        self.tracks = tracks
        self._by_id = {track["_id"]: track for track in tracks}
        first: dict[float | None, Mapping[str, Any]] = {}
        for track_id in sorted(self._by_id):
            track = self._by_id[track_id]
            first.setdefault(track.get("duration_s"), track)
        self._first = first
        self._durations_s = sorted(each for each in first if each is not None)

    def best(self, duration_ms: int | None, named: Iterable[str]) -> str:
        """Return the track that is `named` too, else that of the nearest duration."""
        tracks = [self._by_id[each] for each in named if each in self._by_id]
        near = tracks or self._nearest(duration_ms)
        _, track_id = min(
            (seconds_off(each, duration_ms), each["_id"]) for each in near
        )
        return str(track_id)

    def _nearest(self, duration_ms: int | None) -> list[Mapping[str, Any]]:
        """Return few tracks, one of the nearest duration among them."""
        if duration_ms is None:
            return list(self._first.values())[:1]
        at = bisect_left(self._durations_s, duration_ms / 1000)
        near = (None, *self._durations_s[max(0, at - 1) : at + 1])
        return [self._first[each] for each in near if each in self._first]


class PathEnds:
    """Finds the tracks whose paths end most like another path.

    Parameters
    ----------
    tracks : iterable of mappings
        With `_id`, `path` and `duration_s`.
    files : container of str
        Only files that are called so are found.
    """

    def __init__(
        self, tracks: Iterable[Mapping[str, Any]], files: Container[str]
    ) -> None:
        self._tracks = defaultdict[_End, list[Mapping[str, Any]]](list)
        self._alike: dict[_End, Alike] = {}
        for track in tracks:
            parts = tuple(path_parts(track.get("path") or ""))
            if parts and parts[0] in files:
                for n_parts in range(1, len(parts) + 1):
                    self._tracks[parts[:n_parts]].append(track)

    def most_alike(self, location: str) -> tuple[int, Alike]:
        """Return how many parts are the same at most, and the tracks with so many."""
        parts = tuple(path_parts(location))
        n_alike = 0
        while n_alike < len(parts) and parts[: n_alike + 1] in self._tracks:
            n_alike += 1
        end = parts[:n_alike]
        if end not in self._alike:
            self._alike[end] = Alike(self._tracks.get(end, ()))
        return n_alike, self._alike[end]


def seconds_off(track: Mapping[str, Any], duration_ms: int | None) -> float:
    """Return how far a track's duration is from another; 0 where one is not known.

    Examples
    --------
    >>> seconds_off({"duration_s": 5.0}, 7_500), seconds_off({}, 7_500)
    (2.5, 0.0)
    """
    duration_s = track.get("duration_s")
    if duration_s is None or duration_ms is None:
        return 0.0
    return abs(float(duration_s) - duration_ms / 1000)
