"""The playback event: fields, JSON form, validation, and the weight of a listen.

One Kafka message is one event about one play. `parse_event` is the only judge of
what is valid, for the dashboard and for the stream alike.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, Protocol, TypeVar

from segue.clock import rfc3339
from segue.errors import InvalidEventError

_T = TypeVar("_T")

SCHEMA: Final = 1
MAX_EVENT_BYTES: Final = 65_536
MAX_EVENT_ID_CHARS: Final = 64
MAX_ID_CHARS: Final = 128
MAX_INT: Final = 2**63 - 1
EARLIEST_YEAR: Final = 2000
TIME_PATTERN: Final = (
    r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-](0\d|1[0-4]):[0-5]\d)$"
)


class Action(StrEnum):
    """What happened."""

    STARTED = "started"
    PROGRESSED = "progressed"
    COMPLETED = "completed"
    SKIPPED = "skipped"
    LIKED = "liked"
    UNLIKED = "unliked"
    DISLIKED = "disliked"
    BLOCKED = "blocked"
    UNBLOCKED = "unblocked"
    FORGOTTEN = "forgotten"


class Reason(StrEnum):
    """Why a message was rejected."""

    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    NOT_OBJECT = "not_object"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    WRONG_VALUE = "wrong_value"
    TOO_LONG = "too_long"
    NEGATIVE = "negative"
    BAD_TIME = "bad_time"
    FUTURE_TIME = "future_time"
    NEWER_SCHEMA = "newer_schema"
    UNKNOWN_TRACK = "unknown_track"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackEvent:
    """One event about one play; see `docs/architecture.md` for the contract.

    Attributes
    ----------
    event_id : str
        Made by the client; the key of de-duplication.
    play_id : str
        Ties the events of one play together.
    played_ms, duration_ms, position_ms : int, optional
        Heard in this play; length of the track; where the playhead was.
    event_time : datetime
        When it happened at the client; aware.
    source : dict, optional
        `surface`, `list_id`, `rank`, `organic`: where the play came from.
    extra : dict, optional
        Fields that this version does not know; they are kept, and written again.
    """

    event_id: str
    user_id: str
    track_id: str
    session_id: str
    play_id: str
    action: Action
    event_time: datetime
    played_ms: int | None = None
    duration_ms: int | None = None
    position_ms: int | None = None
    source: dict[str, Any] | None = None
    scope: str | None = None
    until: datetime | None = None
    extra: dict[str, Any] | None = None

    def to_json(self) -> bytes:
        """Return the event as compact UTF-8 JSON."""
        fields: dict[str, Any] = {"schema": SCHEMA}
        fields |= {name: getattr(self, name) for name in _OWN}
        fields |= self.extra or {}
        fields["event_time"] = rfc3339(self.event_time)
        fields["until"] = None if self.until is None else rfc3339(self.until)
        return _ENCODER.encode(fields).encode()


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_OWN: Final = tuple(n for n in PlaybackEvent.__annotations__ if n != "extra")
FIELDS: Final = frozenset({"schema", *_OWN})
"""The names that the contract knows."""


class EventSink(Protocol):
    """Where events go; the Kafka producer is one."""

    def publish(self, *events: PlaybackEvent) -> None:
        """Send events; Kafka has them when this returns, or a disk until it has."""


def parse_event(raw: bytes) -> PlaybackEvent:
    """Read one message.

    Raises
    ------
    InvalidEventError
        With a :class:`Reason` code, for any bytes that are no valid event.

    Examples
    --------
    >>> parse_event(b"[]")
    Traceback (most recent call last):
    segue.errors.InvalidEventError: not_object: wanted a JSON object, got list
    """
    fields = _read_object(raw)
    _check_schema(fields)
    until = _optional(fields, "until", str)
    return PlaybackEvent(
        event_id=_id(fields, "event_id", MAX_EVENT_ID_CHARS),
        user_id=_id(fields, "user_id"),
        track_id=_id(fields, "track_id"),
        session_id=_id(fields, "session_id"),
        play_id=_id(fields, "play_id"),
        action=_action(fields),
        played_ms=_number(fields, "played_ms"),
        duration_ms=_number(fields, "duration_ms"),
        position_ms=_number(fields, "position_ms"),
        event_time=_time("event_time", _required(fields, "event_time", str)),
        source=_optional(fields, "source", dict),
        scope=_optional(fields, "scope", str),
        until=None if until is None else _time("until", until),
        extra={k: v for k, v in fields.items() if k not in FIELDS} or None,
    )


def _read_object(raw: bytes) -> dict[str, Any]:
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


def _check_schema(fields: dict[str, Any]) -> None:
    schema = _required(fields, "schema", int)
    if schema > SCHEMA:
        raise InvalidEventError(
            Reason.NEWER_SCHEMA, f"schema {schema}; this Segue reads {SCHEMA}"
        )
    if schema != SCHEMA:
        raise InvalidEventError(Reason.WRONG_VALUE, f"schema {schema}, want {SCHEMA}")


def _required(fields: dict[str, Any], name: str, kind: type[_T]) -> _T:
    value = _optional(fields, name, kind)
    if value is None:
        raise InvalidEventError(Reason.MISSING_FIELD, f"{name} is missing or null")
    return value


def _optional(fields: dict[str, Any], name: str, kind: type[_T]) -> _T | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, kind) or isinstance(value, bool):
        raise InvalidEventError(
            Reason.WRONG_TYPE,
            f"{name} is {type(value).__name__}, want {kind.__name__}",
        )
    return value


def _id(fields: dict[str, Any], name: str, limit: int = MAX_ID_CHARS) -> str:
    value = _required(fields, name, str)
    if not value:
        raise InvalidEventError(Reason.MISSING_FIELD, f"{name} is empty")
    if len(value) > limit:
        raise InvalidEventError(
            Reason.TOO_LONG, f"{name} has {len(value)} characters, at most {limit}"
        )
    return value


def _number(fields: dict[str, Any], name: str) -> int | None:
    value = _optional(fields, name, int)
    if value is not None and value < 0:
        raise InvalidEventError(Reason.NEGATIVE, f"{name} is {value}, want 0 or more")
    if value is not None and value > MAX_INT:
        raise InvalidEventError(Reason.WRONG_TYPE, f"{name} does not fit 64 bits")
    return value


def _action(fields: dict[str, Any]) -> Action:
    value = _required(fields, "action", str)
    try:
        return Action(value)
    except ValueError:
        raise InvalidEventError(
            Reason.WRONG_VALUE, f"action is {value!r}, want one of {', '.join(Action)}"
        ) from None


def _time(name: str, text: str) -> datetime:
    if not re.fullmatch(TIME_PATTERN, text, re.ASCII):
        raise InvalidEventError(
            Reason.BAD_TIME, f"{name} is {text[:40]!r}, want 2026-05-03T22:10:00.000Z"
        )
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidEventError(Reason.BAD_TIME, f"{name}: {error}") from None
    if moment.year < EARLIEST_YEAR:
        raise InvalidEventError(
            Reason.BAD_TIME,
            f"{name} is in {moment.year}, want {EARLIEST_YEAR} or later",
        )
    # the contract counts in milliseconds, and so does every store behind it
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


# --- the weight of a listen -------------------------------------------------------
# About half of all plays end in a skip in published logs, so a skip is graded by
# the part heard. Half a track or four minutes is where ListenBrainz and Last.fm
# begin to count a listen: there the weight is 0. A full play weighs 1, a skip in
# the first moment -1. A like or a dislike is one deliberate act and outweighs one play.
FULL_WEIGHT: Final = 1.0
REACTION_WEIGHT: Final = 2.0
UNGRADED_SKIP_WEIGHT: Final = -0.5
LISTEN_AT_SHARE: Final = 0.5
LISTEN_AT_MS: Final = 240_000


def listen_weight(
    action: Action, played_ms: int | None, duration_ms: int | None
) -> float:
    """Return how much one event says about taste, from -2 to 2.

    Examples
    --------
    >>> listen_weight(Action.SKIPPED, 3_000, 60_000)
    -0.9
    >>> listen_weight(Action.SKIPPED, 45_000, 60_000)
    0.5
    >>> listen_weight(Action.COMPLETED, 60_000, 60_000)
    1.0
    """
    match action:
        case Action.COMPLETED:
            return FULL_WEIGHT
        case Action.SKIPPED:
            graded = _graded(played_ms, duration_ms)
            return UNGRADED_SKIP_WEIGHT if graded is None else graded
        case Action.PROGRESSED:
            return max(0.0, _graded(played_ms, duration_ms) or 0.0)
        case Action.LIKED:
            return REACTION_WEIGHT
        case Action.DISLIKED:
            return -REACTION_WEIGHT
        case _:
            return 0.0


def _graded(played_ms: int | None, duration_ms: int | None) -> float | None:
    if played_ms is None or not duration_ms:
        return None
    listen_at_ms = min(duration_ms * LISTEN_AT_SHARE, LISTEN_AT_MS)
    return min(1.0, played_ms / listen_at_ms - 1.0)
