"""JSPF: XSPF as JSON, https://www.xspf.org/jspf.

`location` and `identifier` are lists there; some programs write one text instead.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from dashboard.playlist_files import (
    URN,
    Entry,
    PlaylistFile,
    bad_file,
    checked_length,
    track_id_of,
    urn_of,
)
from dashboard.playlist_records import Playlist
from segue.clock import rfc3339

_EXTENSION: Final = URN.removesuffix(":")
_KINDS: Final = {str: "text", list: "a list", dict: "an object", int: "a number"}


def read_jspf(text: str) -> PlaylistFile:
    """Return what a JSPF file holds.

    Raises
    ------
    RefusedError
        Naming the line or the field, when it cannot be read.
    """
    try:
        told = json.loads(text)
    except json.JSONDecodeError as error:
        raise bad_file(
            f"line {error.lineno}: this is no JSON: {error.msg.lower()}"
        ) from None
    except (ValueError, RecursionError):  # a number of a million digits, and depth
        raise bad_file("this is no playlist: no program writes such JSON") from None
    playlist = _field({"file": told}, "file", dict, "").get("playlist")
    playlist = _field({"playlist": playlist}, "playlist", dict, "")
    tracks = _field(playlist, "track", list, "playlist.")
    entries = [
        _entry(_field({at: track}, at, dict, ""), f"{at}.")
        for at, track in (
            (f"playlist.track[{n}]", each) for n, each in enumerate(tracks)
        )
    ]
    return PlaylistFile(_text(playlist, "title", "playlist."), checked_length(entries))


def write_jspf(playlist: Playlist, rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a playlist as JSPF; `rows` of `read_rows`."""
    told = {
        "title": playlist.name,
        "creator": playlist.user_id,
        "date": rfc3339(playlist.changed_at),
        "track": list(map(_track, rows)),
    }
    return json.dumps({"playlist": told}, ensure_ascii=False, indent=1)


def _track(row: Mapping[str, Any]) -> dict[str, Any]:
    told = {
        "location": [urn_of(row["track_id"])],
        "title": row["title"],
        "creator": row["artist"],
        "album": row["album"],
        "duration": row["duration_ms"],
        "extension": {_EXTENSION: [{"track_id": row["track_id"]}]},
    }
    return {name: value for name, value in told.items() if value not in ("", None)}


def _entry(track: Mapping[str, Any], at: str) -> Entry:
    locations = [*_texts(track, "location", at), *_texts(track, "identifier", at)]
    own = [each for each in locations if track_id_of(each)]
    duration = track.get("duration")
    if duration is not None and not _is_number(duration):
        raise _wrong(f"{at}duration", duration, "milliseconds")
    return Entry(
        (own or locations or [""])[0],
        _text(track, "creator", at),
        _text(track, "title", at),
        "",
        _text(track, "album", at) or None,
        round(duration) if duration else None,
    )


def _is_number(value: Any) -> bool:
    most = 1e12  # infinity and nonsense are none
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 <= value <= most


def _text(fields: Mapping[str, Any], name: str, at: str) -> str:
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _wrong(f"{at}{name}", value, "text")
    return _whole(value).strip()


def _texts(fields: Mapping[str, Any], name: str, at: str) -> list[str]:
    value = fields.get(name)
    several = [] if value is None else value if isinstance(value, list) else [value]
    for each in several:
        if not isinstance(each, str):
            raise _wrong(f"{at}{name}", each, "addresses")
    return list(map(_whole, several))


def _whole(text: str) -> str:
    """Return a text without halves of pairs of surrogates, which have no UTF-8."""
    return text.encode("utf-8", "replace").decode()


def _field(fields: Mapping[str, Any], name: str, kind: type, at: str) -> Any:
    value = fields.get(name)
    if not isinstance(value, kind):
        raise _wrong(f"{at}{name}", value, _KINDS[kind])
    return value


def _wrong(field: str, got: Any, want: str) -> Exception:
    found = "nothing" if got is None else _KINDS.get(type(got), f"{got!r:.40}")
    return bad_file(f"{field} is {found}, want {want}")
