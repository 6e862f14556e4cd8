"""Fields of a JSON object from outside, each read as what it should be.

Every function raises `InvalidEventError` with a reason code and with what was got and
what was wanted.
"""

import json
import re
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from segue.errors import InvalidEventError, Reason

_T = TypeVar("_T")

MAX_EVENT_BYTES: Final = 65_536
MAX_ID_CHARS: Final = 128
MAX_INT: Final = 2**63 - 1
EARLIEST_YEAR: Final = 2000
TIME_PATTERN: Final = (
    r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-](0\d|1[0-4]):[0-5]\d)$"
)


def read_object(raw: bytes) -> dict[str, Any]:
    """Return the JSON object that `raw` holds."""
    if len(raw) > MAX_EVENT_BYTES:
        raise InvalidEventError(
            Reason.TOO_LARGE, f"{len(raw)} bytes, at most {MAX_EVENT_BYTES} are taken"
        )
    try:
        value = json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant)
        if b"\\u" in raw:  # half of a surrogate pair cannot be written again
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise InvalidEventError(Reason.NOT_JSON, f"{error}") from None
    if not isinstance(value, dict):
        raise InvalidEventError(
            Reason.NOT_OBJECT, f"wanted a JSON object, got {type(value).__name__}"
        )
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def required(fields: dict[str, Any], name: str, kind: type[_T]) -> _T:
    """Return a field that has to be there."""
    value = optional(fields, name, kind)
    if value is None:
        raise InvalidEventError(Reason.MISSING_FIELD, f"{name} is missing or null")
    return value


def optional(fields: dict[str, Any], name: str, kind: type[_T]) -> _T | None:
    """Return a field that may be null or not there."""
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, kind) or isinstance(value, bool):
        raise InvalidEventError(
            Reason.WRONG_TYPE,
            f"{name} is {type(value).__name__}, want {kind.__name__}",
        )
    return value


def identifier(fields: dict[str, Any], name: str, limit: int = MAX_ID_CHARS) -> str:
    """Return a text of 1 to `limit` characters."""
    value = required(fields, name, str)
    if not value:
        raise InvalidEventError(Reason.MISSING_FIELD, f"{name} is empty")
    if len(value) > limit:
        raise InvalidEventError(
            Reason.TOO_LONG, f"{name} has {len(value)} characters, at most {limit}"
        )
    return value


def number(fields: dict[str, Any], name: str) -> int | None:
    """Return a whole number of 0 to `MAX_INT`, or None."""
    value = optional(fields, name, int)
    if value is not None and value < 0:
        raise InvalidEventError(Reason.NEGATIVE, f"{name} is {value}, want 0 or more")
    if value is not None and value > MAX_INT:
        raise InvalidEventError(Reason.WRONG_TYPE, f"{name} does not fit 64 bits")
    return value


def moment(name: str, text: str) -> datetime:
    """Return an RFC 3339 time, in UTC and to the millisecond."""
    if not re.fullmatch(TIME_PATTERN, text, re.ASCII):
        raise InvalidEventError(
            Reason.BAD_TIME, f"{name} is {text[:40]!r}, want 2026-05-03T22:10:00.000Z"
        )
    try:
        found = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidEventError(Reason.BAD_TIME, f"{name}: {error}") from None
    if found.year < EARLIEST_YEAR:
        raise InvalidEventError(
            Reason.BAD_TIME,
            f"{name} is in {found.year}, want {EARLIEST_YEAR} or later",
        )
    # the contract counts in milliseconds, and so does every store behind it
    return found.replace(microsecond=found.microsecond // 1000 * 1000)
