"""ListenBrainz: the export of a listener, the dumps, and answers of its API.

A listen there has been heard for half of the track or four minutes; where a client says
how much was heard (`duration_played`), that counts.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import IO, Any, Final

from segue.errors import InvalidEventError, Reason
from segue.events import Action
from segue.fields import moment
from segue.track_names import TrackName
from streaming.importers.pieces import iter_json
from streaming.importers.play import (
    WRONG_SHAPE,
    Line,
    Play,
    Refusal,
    checked,
    from_epoch_s,
    name_field,
    optional_name,
)

_MS_PER_S: Final = 1000
_MAX_DURATION_MS: Final = 24 * 86_400_000


def read_listenbrainz(file: IO[bytes], head: str) -> Iterator[Line]:
    """Yield the listens of one file."""
    for value in iter_json(file, head):
        if isinstance(value, Refusal):
            yield value
        else:
            for listen in _listens_in(value):
                yield checked(_play, listen)


def _listens_in(value: Any) -> list[Any]:
    """Return the listens of an answer of the API; other values are one listen."""
    if isinstance(value, dict) and "track_metadata" not in value:
        payload = value.get("payload")
        inner = payload.get("listens") if isinstance(payload, dict) else payload
        if isinstance(inner, list):
            return inner
    return [value]


def _play(value: Any) -> Line:
    told = value.get("track_metadata") if isinstance(value, dict) else None
    if not isinstance(told, dict):
        return Refusal(WRONG_SHAPE, "it has no track_metadata")
    more = told.get("additional_info") or {}
    if not isinstance(more, dict):
        raise InvalidEventError(Reason.WRONG_TYPE, "additional_info is no object")
    name = TrackName(
        name_field(told, "artist_name"),
        name_field(told, "track_name"),
        optional_name(told, "release_name"),
        _duration_ms(more, "duration"),
    )
    began_at = _listened_at(value)
    played_ms = _duration_ms(more, "duration_played")
    listened_at = began_at + timedelta(milliseconds=played_ms or 0)
    listener = optional_name(value, "user_name")
    return Play(name, listened_at, Action.COMPLETED, played_ms, listener)


def _listened_at(value: Mapping[str, Any]) -> Any:
    found = value.get("listened_at", value.get("timestamp"))
    if isinstance(found, str) and "T" in found:
        return moment("listened_at", found)
    if found is None:
        raise InvalidEventError(Reason.MISSING_FIELD, "listened_at is missing or null")
    return from_epoch_s("listened_at", found)


def _duration_ms(more: Mapping[str, Any], key: str) -> int | None:
    """Return a length in ms, from `<key>_ms` or `<key>` in seconds; None for nonsense.

    Clients send numbers, fractions and texts; a wrong length is no reason to lose a
    listen.
    """
    for name, factor in ((f"{key}_ms", 1), (key, _MS_PER_S)):
        try:
            found = float(more[name]) * factor
        except (KeyError, TypeError, ValueError):
            continue
        if 0 < found <= _MAX_DURATION_MS:
            return round(found)
    return None
