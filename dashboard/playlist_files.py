"""Playlists as files: what M3U and JSPF say, and what is written for us to read again.

A track of ours is at `urn:segue:track:<id>`: no path of a machine is told.
"""

import codecs
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, unquote

from dashboard.playlist_edits import MAX_TRACKS
from dashboard.refusals import RefusedError

MAX_FILE_BYTES: Final = 1_000_000
URN: Final = "urn:segue:track:"
_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NOT_IN_A_FILE_NAME: Final = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')
_MAX_FILE_NAME_CHARS: Final = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """A track as a file names it.

    Attributes
    ----------
    location : str
        A path or an address; nothing where the file tells none.
    text : str
        Artist and title in one, as M3U has them.
    """

    location: str = ""
    artist: str = ""
    title: str = ""
    text: str = ""
    album: str | None = None
    duration_ms: int | None = None

    @property
    def name(self) -> str:
        """What this entry is called when it is not found."""
        both = " - ".join(filter(None, (self.artist, self.title)))
        return both or self.text or self.location


@dataclass(frozen=True, slots=True)
class PlaylistFile:
    """What a file holds; no name where it tells none."""

    name: str
    entries: Sequence[Entry]


def decode(content: bytes) -> str:
    """Return the text of a file: by its mark, else UTF-8, else Windows' Latin.

    Examples
    --------
    >>> decode("é".encode("utf-8-sig")), decode("é".encode("latin-1"))
    ('é', 'é')

    Raises
    ------
    RefusedError
        When it is no text.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace")
    if b"\0" in content:
        raise bad_file("this is no text; a playlist is an M3U or a JSPF file")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def bad_file(detail: str) -> RefusedError:
    """Return the answer to a file that cannot be read."""
    return RefusedError(400, "bad_file", detail)


def checked_length(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Return the entries, unless they are more than a playlist takes."""
    if len(entries) > MAX_TRACKS:
        raise bad_file(
            f"this file has {len(entries):,} tracks, a playlist at most {MAX_TRACKS:,}"
        )
    return entries


def urn_of(track_id: str) -> str:
    """Return the location of a track of ours.

    Examples
    --------
    >>> urn_of("a b")
    'urn:segue:track:a%20b'
    """
    return URN + quote(track_id, safe="")


def track_id_of(location: str) -> str | None:
    """Return the track that a location of ours names; None for any other.

    Examples
    --------
    >>> track_id_of("urn:segue:track:a%20b"), track_id_of("a.mp3")
    ('a b', None)
    """
    if location[: len(URN)].lower() != URN:
        return None
    return unquote(location[len(URN) :])


def file_name(name: str, suffix: str) -> str:
    """Return a file name for a playlist that any system takes.

    Examples
    --------
    >>> file_name("AC/DC: live?", "m3u8"), file_name("..", "jspf")
    ('AC DC live.m3u8', 'playlist.jspf')
    """
    safe = " ".join(_NOT_IN_A_FILE_NAME.sub(" ", name).split())
    safe = safe[:_MAX_FILE_NAME_CHARS].strip(" .")
    return f"{safe or 'playlist'}.{suffix}"


def disposition(name: str) -> str:
    r"""Return the header by which a browser saves an answer under a name.

    Examples
    --------
    >>> disposition("é.m3u8")
    'attachment; filename="_.m3u8"; filename*=UTF-8\'\'%C3%A9.m3u8'
    """
    plain = re.sub(r"[^\w .()-]", "_", name, flags=re.ASCII)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def by_line(row: Mapping[str, Any]) -> str:
    """Return artist and title of a row in one, as M3U wants them."""
    return " - ".join(filter(None, (row["artist"], row["title"])))
