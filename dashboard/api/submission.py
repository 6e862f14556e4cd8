"""What a scrobbler submits, read as ListenBrainz reads it; pure.

The limits are those of ListenBrainz, so that a client that works there works here.
Every refusal is an `InvalidEventError`; no bytes raise anything else.
"""

import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from segue.errors import InvalidEventError, Reason
from segue.track_names import TrackName

MAX_LISTEN_BYTES: Final = 10_240
MAX_LISTENS: Final = 1000
MAX_TAGS: Final = 50
MAX_TAG_CHARS: Final = 64
MAX_DURATION: Final = timedelta(days=24)
EARLIEST: Final = datetime(2002, 10, 1, tzinfo=UTC)
MAX_AHEAD: Final = timedelta(hours=1)
_MS_PER_S: Final = 1000
_MAX_MS: Final = MAX_DURATION // timedelta(milliseconds=1)
_NUL: Final = re.compile(r"(?<!\\)(\\\\)*\\u0000")


class ListenType(StrEnum):
    """What a submission is about."""

    SINGLE = "single"
    PLAYING_NOW = "playing_now"
    IMPORT = "import"


@dataclass(frozen=True, slots=True)
class Listen:
    """One play as a scrobbler tells it.

    Attributes
    ----------
    began_at : datetime or None
        When the play began, which is `listened_at` there; None of what plays now.
    played_ms : int or None
        How much was heard, where the client says so.
    info : dict
        All that the client adds, as it came.
    """

    name: TrackName
    began_at: datetime | None
    played_ms: int | None
    info: dict[str, Any]


def read_submission(body: bytes, now: datetime) -> tuple[ListenType, list[Listen]]:
    """Read the body of `/1/submit-listens`; all of its listens or none.

    Raises
    ------
    InvalidEventError
        For the first thing that is not as it should be.
    """
    content = _read_json(body)
    try:
        kind = ListenType(str(content.get("listen_type")))
    except ValueError:
        raise _wrong(
            f"listen_type is missing or unknown; want one of {', '.join(ListenType)}"
        ) from None
    payload = content.get("payload")
    if not isinstance(payload, list) or not payload:
        raise _wrong("payload has to be a list of at least one listen")
    if len(payload) > MAX_LISTENS:
        raise _wrong(f"{len(payload)} listens in one request, at most {MAX_LISTENS}")
    if kind is not ListenType.IMPORT and len(payload) > 1:
        raise _wrong(f"{len(payload)} listens for a {kind}, which takes exactly one")
    return kind, [_listen(value, kind, now) for value in payload]


def _read_json(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidEventError(
            Reason.NOT_JSON, f"cannot parse the JSON document: {error}"
        ) from None
    if not isinstance(content, dict):
        raise InvalidEventError(Reason.NOT_OBJECT, "the document has to be an object")
    return content


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _listen(value: Any, kind: ListenType, now: datetime) -> Listen:
    if not isinstance(value, dict):
        raise _wrong("a listen has to be an object")
    _check_text(value)
    began_at = None
    if kind is ListenType.PLAYING_NOW:
        if "listened_at" in value:
            raise _wrong("a playing_now must not contain listened_at")
    else:
        began_at = _listened_at(value, now)
    if unknown := sorted(value.keys() - {"listened_at", "track_metadata"}):
        raise _wrong(
            "a listen may only contain the keys listened_at and track_metadata, "
            f"got {unknown[0][:40]!r}"
        )
    told = _object(value, "track_metadata")
    info = _object(told, "additional_info")
    _check_tags(info.get("tags"))
    name = TrackName(
        _name(told, "artist_name"),
        _name(told, "track_name"),
        _optional_name(told, "release_name"),
        _duration_ms(info),
    )
    return Listen(name, began_at, _played_ms(info), info)


def _check_text(value: dict[str, Any]) -> None:
    """Refuse a listen that is too large, or that no store could take."""
    try:
        text = json.dumps(value, ensure_ascii=False)
        n_bytes = len(text.encode())
    except (RecursionError, UnicodeEncodeError):
        raise InvalidEventError(
            Reason.NOT_JSON, "a listen is nested too deeply, or holds half a character"
        ) from None
    if n_bytes > MAX_LISTEN_BYTES:
        raise InvalidEventError(
            Reason.TOO_LARGE, f"a listen of {n_bytes} bytes, at most {MAX_LISTEN_BYTES}"
        )
    if _NUL.search(text):
        raise _wrong("a listen contains a NUL character")


def _listened_at(value: dict[str, Any], now: datetime) -> datetime:
    if "listened_at" not in value:
        raise InvalidEventError(Reason.MISSING_FIELD, "a listen needs listened_at")
    seconds = _number(value["listened_at"])
    if seconds is None:
        raise InvalidEventError(
            Reason.BAD_TIME, "listened_at has to be a Unix time in whole seconds"
        )
    if seconds > (now + MAX_AHEAD).timestamp():
        raise InvalidEventError(
            Reason.FUTURE_TIME, "listened_at is too high: it lies in the future"
        )
    if seconds < EARLIEST.timestamp():
        raise InvalidEventError(
            Reason.BAD_TIME,
            f"listened_at is too low, want {EARLIEST:%Y-%m-%d} or later",
        )
    return datetime.fromtimestamp(int(seconds), UTC)


def _object(fields: dict[str, Any], key: str) -> dict[str, Any]:
    value = fields.get(key) or {}
    if not isinstance(value, dict):
        raise InvalidEventError(Reason.WRONG_TYPE, f"{key} has to be an object")
    return value


def _name(told: dict[str, Any], key: str) -> str:
    found = _optional_name(told, key)
    if found is None:
        raise InvalidEventError(
            Reason.MISSING_FIELD, f"track_metadata.{key} is missing or empty"
        )
    return found


def _optional_name(told: dict[str, Any], key: str) -> str | None:
    value = told.get(key)
    if value is not None and not isinstance(value, str):
        raise InvalidEventError(Reason.WRONG_TYPE, f"{key} has to be a single string")
    return (value or "").strip() or None


def _check_tags(tags: Any) -> None:
    if tags is None:
        return
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise InvalidEventError(Reason.WRONG_TYPE, "tags has to be a list of strings")
    if len(tags) > MAX_TAGS:
        raise _wrong(f"{len(tags)} tags, at most {MAX_TAGS}")
    if any(len(tag) > MAX_TAG_CHARS for tag in tags):
        raise InvalidEventError(
            Reason.TOO_LONG, f"a tag has more than {MAX_TAG_CHARS} characters"
        )


def _duration_ms(info: dict[str, Any]) -> int | None:
    """Return the length of the track; clients send numbers, fractions and texts."""
    for key, factor in (("duration_ms", 1), ("duration", _MS_PER_S)):
        if info.get(key) is None:
            continue
        found = _number(info[key])
        if found is None or found <= 0:
            raise _wrong(f"{key} has to be a positive number")
        if found * factor > _MAX_MS:
            raise _wrong(f"{key} is too high, want {MAX_DURATION.days} days at most")
        return round(found * factor)
    return None


def _played_ms(info: dict[str, Any]) -> int | None:
    """Return how much was heard; nonsense is no reason to lose a listen."""
    seconds = _number(info.get("duration_played"))
    if seconds is None or not 0 <= seconds * _MS_PER_S <= _MAX_MS:
        return None
    return round(seconds * _MS_PER_S)


def _number(value: Any) -> float | None:
    """Return a finite number, also of one in a text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def _wrong(detail: str) -> InvalidEventError:
    return InvalidEventError(Reason.WRONG_VALUE, detail)
