"""M3U and M3U8, as players really write them.

Notes
-----
There is no standard. A line is a location, or begins with `#`: `#EXTINF:seconds
attribute="…",Artist - Title` stands before its location, `#EXTALB:` and `#EXTART:` too,
`#PLAYLIST:` names the whole; any other is a comment.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from dashboard.playlist_files import (
    Entry,
    PlaylistFile,
    bad_file,
    by_line,
    checked_length,
    urn_of,
)
from dashboard.playlist_records import one_line

_EXTINF: Final = re.compile(
    r'\s*(?P<seconds>[^\s,"]*)(?:\s+[\w-]+=(?:"[^"]*"|[^\s",]*))*\s*(?:,(?P<text>.*))?'
)
_SECONDS: Final = re.compile(r"-?\d{1,9}(?:\.\d{1,9})?", re.ASCII)
_LINE_ENDS: Final = re.compile(r"\r\n|\n|\r")
_MAX_LINE_CHARS: Final = 4096


def read_m3u(text: str) -> PlaylistFile:
    """Return what an M3U file holds.

    Raises
    ------
    RefusedError
        Naming the line, when it cannot be read.
    """
    name, told, entries = "", dict[str, Any](), list[Entry]()
    for number, raw in enumerate(_LINE_ENDS.split(text), start=1):
        line = raw.strip()
        if len(line) > _MAX_LINE_CHARS:
            raise bad_file(
                f"line {number} has {len(line):,} characters, "
                f"at most {_MAX_LINE_CHARS:,} are read"
            )
        tag, _, value = line.partition(":")
        if tag.upper().startswith("#EXT-X-"):
            raise bad_file(f"line {number}: this is a stream, not a list of tracks")
        if tag.upper() == "#PLAYLIST":
            name = value.strip()
        elif line.startswith("#"):
            told |= _said(tag.upper(), value, number)
        elif line:
            entries.append(Entry(line, **told))
            told = {}
    return PlaylistFile(name, checked_length(entries))


def write_m3u(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a playlist as extended M3U, in UTF-8; `rows` of `read_rows`."""
    lines = ["#EXTM3U", f"#PLAYLIST:{one_line(name)}"]
    for row in rows:
        ms = row["duration_ms"]
        seconds = -1 if ms is None else round(ms / 1000)
        lines.append(f"#EXTINF:{seconds},{one_line(by_line(row))}")
        if row["album"]:
            lines.append(f"#EXTALB:{one_line(row['album'])}")
        lines.append(urn_of(row["track_id"]))
    return "\n".join(lines) + "\n"


def _said(tag: str, value: str, number: int) -> dict[str, Any]:
    if tag == "#EXTALB":
        return {"album": value.strip() or None}
    if tag == "#EXTART":
        return {"artist": value.strip()}
    if tag != "#EXTINF":
        return {}
    found = _EXTINF.fullmatch(value)
    if found is None or not (
        found["seconds"] == "" or _SECONDS.fullmatch(found["seconds"])
    ):
        raise bad_file(
            f"line {number}: #EXTINF wants seconds, a comma and a title, "
            f"got {value.strip()[:60]!r}"
        )
    seconds = float(found["seconds"] or -1)
    ms = round(seconds * 1000) if seconds > 0 else None
    return {"duration_ms": ms, "text": (found["text"] or "").strip()}
