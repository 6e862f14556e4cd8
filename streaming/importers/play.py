"""What a line of a history is: a play, or a refusal with its reason."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from segue.errors import InvalidEventError, Reason
from segue.events import Action
from segue.fields import moment, number
from segue.track_names import TrackName

_SURROGATES: Final = re.compile("[\ud800-\udfff]")
MAX_NAME_CHARS: Final = 1_000
NOT_MUSIC: Final = "not_music"
TRUNCATED: Final = "truncated"
WRONG_ENCODING: Final = "wrong_encoding"
WRONG_SHAPE: Final = "wrong_shape"


@dataclass(frozen=True, slots=True)
class Play:
    """One play as a history tells it.

    Attributes
    ----------
    listener : str or None
        Who listened, where the file says so.
    at : datetime
        When the play ended, or when it was scrobbled; aware.
    played_ms : int or None
        How much was heard, where the file says so.
    """

    name: TrackName
    at: datetime
    action: Action
    played_ms: int | None = None
    listener: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line of which no play can be made."""

    reason: str
    detail: str


Line = Play | Refusal


def checked(read: Callable[[Any], Line], value: Any) -> Line:
    """Return what `read` makes of a value, or why it cannot."""
    try:
        return read(value)
    except InvalidEventError as error:
        return Refusal(error.reason, error.detail)


def name_field(fields: Mapping[str, Any], key: str) -> str:
    """Return a name that has to be there."""
    found = optional_name(fields, key)
    if found is None:
        raise InvalidEventError(Reason.MISSING_FIELD, f"{key} is missing or empty")
    return found


def optional_name(fields: Mapping[str, Any], key: str) -> str | None:
    """Return a name; None where it is missing, null or blank."""
    value = fields.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        found = type(value).__name__
        raise InvalidEventError(Reason.WRONG_TYPE, f"{key} is {found}, want str")
    if len(value) > MAX_NAME_CHARS:
        raise InvalidEventError(
            Reason.TOO_LONG, f"{key} has {len(value)} characters, at most 1000"
        )
    if not value.isascii() and _SURROGATES.search(value):
        raise InvalidEventError(WRONG_ENCODING, f"{key} is not UTF-8")
    return value.replace("\x00", "").strip() or None


def milliseconds(fields: Mapping[str, Any], key: str) -> int | None:
    """Return a whole number of milliseconds, or None."""
    return number(dict(fields), key)


def from_epoch_s(key: str, value: Any) -> datetime:
    """Return the moment of a Unix time in seconds."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        found = type(value).__name__
        raise InvalidEventError(Reason.WRONG_TYPE, f"{key} is {found}, want seconds")
    try:
        found_at = datetime.fromtimestamp(float(value), UTC)
    except (ValueError, OverflowError, OSError):
        raise InvalidEventError(Reason.BAD_TIME, f"{key} is {value!r:.40}") from None
    return moment(key, found_at.isoformat())


def chunked(lines: Iterator[Line], size: int) -> Iterator[list[Line]]:
    """Yield the lines, so many at a time."""
    batch: list[Line] = []
    for line in lines:
        batch.append(line)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
