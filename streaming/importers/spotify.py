"""Spotify's histories: the extended one (`ts`, `ms_played` …) and the older one.

Why a play ended says what it meant: heard to its end, or skipped (`endplay`: for
another track that was chosen). Other ends (the player was closed, another device took
over) are neither, and count as far as they were heard. The older files say only how
much was heard: from half a minute on, what Spotify itself counts as a stream, it is
taken for a full play.
"""

from collections.abc import Iterator, Mapping
from typing import IO, Any, Final

from segue.errors import InvalidEventError
from segue.events import Action
from segue.fields import moment, required
from segue.track_names import TrackName
from streaming.importers.pieces import iter_json
from streaming.importers.play import (
    NOT_MUSIC,
    WRONG_SHAPE,
    Line,
    Play,
    Refusal,
    checked,
    milliseconds,
    name_field,
    optional_name,
)

_PREFIX: Final = "master_metadata_"
_SKIPS: Final = frozenset({"fwdbtn", "backbtn", "endplay"})
_STREAM_MS: Final = 30_000


def read_spotify(file: IO[bytes], head: str) -> Iterator[Line]:
    """Yield the plays of one file."""
    for value in iter_json(file, head):
        yield value if isinstance(value, Refusal) else checked(_play, value)


def _play(value: Any) -> Line:
    if isinstance(value, dict) and "ts" in value:
        return _extended(value)
    if isinstance(value, dict) and "endTime" in value:
        return _older(value)
    return Refusal(WRONG_SHAPE, "it has neither ts nor endTime")


def _extended(fields: Mapping[str, Any]) -> Line:
    title = optional_name(fields, f"{_PREFIX}track_name")
    if title is None:
        return Refusal(NOT_MUSIC, "it names no track: a podcast, a video, a book")
    return Play(
        TrackName(
            name_field(fields, f"{_PREFIX}album_artist_name"),
            title,
            optional_name(fields, f"{_PREFIX}album_album_name"),
        ),
        moment("ts", required(dict(fields), "ts", str)),
        _action(fields),
        milliseconds(fields, "ms_played"),
    )


def _action(fields: Mapping[str, Any]) -> Action:
    end = fields.get("reason_end")
    if end == "trackdone":
        return Action.COMPLETED
    is_skip = end in _SKIPS or fields.get("skipped") is True
    return Action.SKIPPED if is_skip else Action.PROGRESSED


def _older(fields: Mapping[str, Any]) -> Line:
    if "trackName" not in fields:
        return Refusal(NOT_MUSIC, "it names no track: a podcast, a video, a book")
    played_ms = milliseconds(fields, "msPlayed")
    if played_ms is None:
        raise InvalidEventError("missing_field", "msPlayed is missing or null")
    text = required(dict(fields), "endTime", str)
    return Play(
        TrackName(name_field(fields, "artistName"), name_field(fields, "trackName")),
        moment("endTime", f"{text.replace(' ', 'T')}:00Z"),
        Action.COMPLETED if played_ms >= _STREAM_MS else Action.SKIPPED,
        played_ms,
    )
