"""The playback event: fields, JSON form, validation, and the weight of a listen.

One Kafka message is one event about one play. `parse_event` is the only judge of
what is valid, for the dashboard and for the stream alike.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, NamedTuple, Protocol, TypeVar

import orjson
from msgspec import Meta, Struct
from msgspec.json import Decoder

from segue.clock import rfc3339
from segue.errors import InvalidEventError, Reason
from segue.fields import (
    EARLIEST_YEAR,
    MAX_EVENT_BYTES,
    MAX_ID_CHARS,
    identifier,
    moment,
    number,
    optional,
    read_object,
    required,
)

_T = TypeVar("_T")

SCHEMA: Final = 1
MAX_EVENT_ID_CHARS: Final = 64


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


class Scope(StrEnum):
    """What a `forgotten` event takes out, of what was heard before it."""

    LISTEN = "listen"
    SESSION = "session"
    TRACK = "track"
    ARTIST = "artist"
    ALBUM = "album"
    WINDOW = "window"
    EVERYTHING = "everything"


class PlaybackEvent(NamedTuple):
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
        `surface`, `list_id`, `rank`, `propensity`, `organic`: where the play came from.
    extra : dict, optional
        Fields that this version does not know; they are kept, and written again.
    scope : str, optional
        Of `forgotten`: a :class:`Scope`, none for `listen`.
    until : datetime, optional
        Of a forgotten window: its other end; the first is `event_time`.
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
        fields = {
            **(self.extra or {}),
            "schema": SCHEMA,
            "event_id": self.event_id,
            "user_id": self.user_id,
            "track_id": self.track_id,
            "session_id": self.session_id,
            "play_id": self.play_id,
            "action": self.action,
            "played_ms": self.played_ms,
            "duration_ms": self.duration_ms,
            "position_ms": self.position_ms,
            "event_time": rfc3339(self.event_time),
            "source": self.source,
            "scope": self.scope,
            "until": None if self.until is None else rfc3339(self.until),
        }
        try:
            return orjson.dumps(fields)
        except TypeError:  # numbers beyond 64 bits, in what we do not read
            return json.dumps(
                fields, ensure_ascii=False, separators=(",", ":")
            ).encode()


FIELDS: Final = frozenset({"schema", *PlaybackEvent.__annotations__} - {"extra"})
"""The names that the contract knows."""


_PLAIN_TIME: Final = re.compile(r"[\d-]{10}T[\d:]{8}(\.\d{3})?Z", re.ASCII)
# all but what has a scope to check
_PLAIN_ACTIONS: Final = {a.value: a for a in Action if a is not Action.FORGOTTEN}
# where readers of JSON begin to differ
_PLAIN_NUMBER: Final = 2**53

_PlainId = Annotated[
    str, Meta(min_length=1, max_length=min(MAX_EVENT_ID_CHARS, MAX_ID_CHARS))
]
_PlainCount = Annotated[int, Meta(ge=0, le=_PLAIN_NUMBER)]
_PlainInt = Annotated[int, Meta(ge=-_PLAIN_NUMBER, le=_PLAIN_NUMBER)]


class _Plain(Struct, forbid_unknown_fields=True, gc=False):
    """What nearly all messages look like."""

    schema: Literal[1]
    event_id: _PlainId
    user_id: _PlainId
    track_id: _PlainId
    session_id: _PlainId
    play_id: _PlainId
    action: str
    event_time: str
    played_ms: _PlainCount | None = None
    duration_ms: _PlainCount | None = None
    position_ms: _PlainCount | None = None
    source: dict[str, str | _PlainInt | bool | None] | None = None
    scope: str | None = None
    until: None = None


_PLAIN_DECODER: Final = Decoder(_Plain)


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
    return _plain_event(raw) or _judged_event(raw)


def _plain_event(raw: bytes) -> PlaybackEvent | None:
    """Return an event that is plainly valid: nearly all are. Else None, quickly.

    What this takes, :func:`_judged_event` takes the same; a test holds them equal.
    """
    if len(raw) > MAX_EVENT_BYTES:
        return None
    try:
        told = _PLAIN_DECODER.decode(raw)
        if not _PLAIN_TIME.fullmatch(told.event_time):
            return None
        event_time = datetime.fromisoformat(told.event_time)
        action = _PLAIN_ACTIONS[told.action]
    except (ValueError, KeyError):
        return None
    if event_time.year < EARLIEST_YEAR:
        return None
    return PlaybackEvent(
        told.event_id,
        told.user_id,
        told.track_id,
        told.session_id,
        told.play_id,
        action,
        event_time,
        told.played_ms,
        told.duration_ms,
        told.position_ms,
        told.source,
        told.scope,
    )


def _judged_event(raw: bytes) -> PlaybackEvent:
    """Read one message field by field, with the reason for what it lacks."""
    fields = read_object(raw)
    _check_schema(fields)
    until = optional(fields, "until", str)
    action, scope = _action(fields), optional(fields, "scope", str)
    if action is Action.FORGOTTEN:
        _check_scope(scope, until)
    return PlaybackEvent(
        event_id=identifier(fields, "event_id", MAX_EVENT_ID_CHARS),
        user_id=identifier(fields, "user_id"),
        track_id=identifier(fields, "track_id"),
        session_id=identifier(fields, "session_id"),
        play_id=identifier(fields, "play_id"),
        action=action,
        played_ms=number(fields, "played_ms"),
        duration_ms=number(fields, "duration_ms"),
        position_ms=number(fields, "position_ms"),
        event_time=moment("event_time", required(fields, "event_time", str)),
        source=optional(fields, "source", dict),
        scope=scope,
        until=None if until is None else moment("until", until),
        extra={k: v for k, v in fields.items() if k not in FIELDS} or None,
    )


def _check_schema(fields: dict[str, Any]) -> None:
    schema = required(fields, "schema", int)
    if schema > SCHEMA:
        raise InvalidEventError(
            Reason.NEWER_SCHEMA, f"schema {schema}; this Segue reads {SCHEMA}"
        )
    if schema != SCHEMA:
        raise InvalidEventError(Reason.WRONG_VALUE, f"schema {schema}, want {SCHEMA}")


def _action(fields: dict[str, Any]) -> Action:
    value = required(fields, "action", str)
    try:
        return Action(value)
    except ValueError:
        raise InvalidEventError(
            Reason.WRONG_VALUE, f"action is {value!r}, want one of {', '.join(Action)}"
        ) from None


def _check_scope(scope: str | None, until: str | None) -> None:
    if scope is not None and scope not in set(Scope):
        raise InvalidEventError(
            Reason.WRONG_VALUE, f"scope is {scope!r}, want one of {', '.join(Scope)}"
        )
    if scope == Scope.WINDOW and until is None:
        raise InvalidEventError(
            Reason.MISSING_FIELD, "until is missing: the other end of the window"
        )


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
_PLAIN_WEIGHTS: Final[Mapping[str, float]] = {
    Action.COMPLETED: FULL_WEIGHT,
    Action.LIKED: REACTION_WEIGHT,
    Action.DISLIKED: -REACTION_WEIGHT,
}


def listen_weight(action: str, played_ms: int | None, duration_ms: int | None) -> float:
    """Return how much one event says about taste, from -2 to 2.

    Parameters
    ----------
    action : str
        An :class:`Action`, or its value.

    Examples
    --------
    >>> listen_weight(Action.SKIPPED, 3_000, 60_000)
    -0.9
    >>> listen_weight(Action.SKIPPED, 45_000, 60_000)
    0.5
    >>> listen_weight(Action.COMPLETED, 60_000, 60_000)
    1.0
    """
    if action in _PLAIN_WEIGHTS:
        return _PLAIN_WEIGHTS[action]
    graded = _graded(played_ms, duration_ms)
    if action == Action.SKIPPED:
        return UNGRADED_SKIP_WEIGHT if graded is None else graded
    return max(0.0, graded or 0.0) if action == Action.PROGRESSED else 0.0


def _graded(played_ms: int | None, duration_ms: int | None) -> float | None:
    if played_ms is None or not duration_ms:
        return None
    listen_at_ms = min(duration_ms * LISTEN_AT_SHARE, LISTEN_AT_MS)
    return min(1.0, played_ms / listen_at_ms - 1.0)
