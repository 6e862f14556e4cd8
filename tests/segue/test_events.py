"""The contract of a playback event, held by examples and by properties."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import InvalidEventError
from segue.events import (
    Action,
    PlaybackEvent,
    _judged_event,
    _plain_event,
    listen_weight,
    parse_event,
)

VALID: dict[str, Any] = {
    "schema": 1,
    "event_id": "e1",
    "user_id": "ada",
    "track_id": "t1",
    "session_id": "s1",
    "play_id": "p1",
    "action": "skipped",
    "played_ms": 3000,
    "duration_ms": 60000,
    "position_ms": 3000,
    "event_time": "2026-05-03T22:10:00.123Z",
    "source": {"surface": "player", "rank": 1},
}


def message(**changes: Any) -> bytes:
    return json.dumps(VALID | changes).encode()


def rejection_reason(raw: bytes) -> str | None:
    try:
        parse_event(raw)
    except InvalidEventError as error:
        return error.reason
    return None


def test_a_valid_message_becomes_an_event() -> None:
    event = parse_event(message())
    assert event.action is Action.SKIPPED
    assert event.event_time == datetime(2026, 5, 3, 22, 10, 0, 123000, tzinfo=UTC)
    assert event.source == {"surface": "player", "rank": 1}


def test_a_time_with_an_offset_is_the_same_moment_in_utc() -> None:
    event = parse_event(message(event_time="2026-05-04T00:10:00.123+02:00"))
    assert event.event_time == parse_event(message()).event_time


def test_a_time_is_kept_to_the_millisecond() -> None:
    event = parse_event(message(event_time="2026-05-03T22:10:00.123987Z"))
    assert event.event_time.microsecond == 123000


def test_an_unknown_field_is_kept() -> None:
    event = parse_event(message(mood="blue", extra=[1]))
    assert event.extra == {"mood": "blue", "extra": [1]}
    assert json.loads(event.to_json()).items() >= {"mood": "blue", "extra": [1]}.items()
    assert event._replace(extra=None) == parse_event(message())


INVALID: list[tuple[bytes, str]] = [
    (b"", "not_json"),
    (b"\xff\xfe", "not_json"),
    (b"not json", "not_json"),
    (b'{"schema": 1', "not_json"),
    (message() + message(), "not_json"),
    (b'{"schema": NaN}', "not_json"),
    (b"[" * 50_000, "not_json"),
    (b"[]", "not_object"),
    (b"null", "not_object"),
    (b"{}", "missing_field"),
    (message(user_id=None), "missing_field"),
    (message(user_id=""), "missing_field"),
    (message(user_id=5), "wrong_type"),
    (message(user_id={"$ne": None}), "wrong_type"),
    (message(played_ms="3000"), "wrong_type"),
    (message(played_ms=1.5), "wrong_type"),
    (message(played_ms=True), "wrong_type"),
    (message(played_ms=2**63), "wrong_type"),
    (message(source="player"), "wrong_type"),
    (message(event_id="x" * 65), "too_long"),
    (message(track_id="x" * 129), "too_long"),
    (message(action="danced"), "wrong_value"),
    (message(schema=0), "wrong_value"),
    (message(schema=2), "newer_schema"),
    (message(played_ms=-1), "negative"),
    (message(duration_ms=-1), "negative"),
    (message(event_time=-5), "wrong_type"),
    (message(event_time="yesterday"), "bad_time"),
    (message(event_time="2026-05-03T22:10:00"), "bad_time"),
    (message(event_time="2026-13-03T22:10:00Z"), "bad_time"),
    (message(event_time="0001-01-01T00:00:00+14:00"), "bad_time"),
    (message(event_time="1969-12-31T23:59:59Z"), "bad_time"),
    (message(until="soon"), "bad_time"),
    (message(scope="x" * 70_000), "too_large"),
    (message(scope="\ud800"), "not_json"),
    (message(action="forgotten", scope="planet"), "wrong_value"),
    (message(action="forgotten", scope="window"), "missing_field"),
]


@pytest.mark.parametrize(("raw", "reason"), INVALID)
def test_what_is_no_event_has_a_reason(raw: bytes, reason: str) -> None:
    assert rejection_reason(raw) == reason


def test_a_rejection_says_what_was_got_and_wanted() -> None:
    with pytest.raises(InvalidEventError, match=r"'danced', want one of started"):
        parse_event(message(action="danced"))


ids = st.text(min_size=1, max_size=64).filter(
    lambda text: not any("\ud800" <= char <= "\udfff" for char in text)
)
numbers = st.none() | st.integers(min_value=0, max_value=2**63 - 1)
times = st.datetimes(
    min_value=datetime(2000, 1, 2),
    max_value=datetime(9999, 12, 30),
    timezones=st.just(UTC),
).map(lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000))
events = st.builds(
    PlaybackEvent,
    event_id=ids,
    user_id=ids,
    track_id=ids,
    session_id=ids,
    play_id=ids,
    action=st.sampled_from(Action),
    event_time=times,
    played_ms=numbers,
    duration_ms=numbers,
    position_ms=numbers,
    source=st.none() | st.dictionaries(st.text("abc"), st.integers()),
    scope=st.none() | st.sampled_from(["track", "artist"]),
    until=st.none() | times,
    extra=st.none()
    | st.dictionaries(
        st.sampled_from(["mood", "extra", "x"]), st.integers(), min_size=1
    ),
)


@given(events)
def test_writing_and_reading_gives_the_same_event(event: PlaybackEvent) -> None:
    assert parse_event(event.to_json()) == event


@given(st.binary(max_size=300))
def test_any_bytes_give_an_event_or_a_reason(raw: bytes) -> None:
    reason = rejection_reason(raw)
    assert reason is None or reason.isidentifier()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(VALID)), json_values, max_size=4))
def test_any_fields_give_an_event_or_a_reason(changes: dict[str, Any]) -> None:
    reason = rejection_reason(json.dumps(VALID | changes).encode())
    assert reason is None or reason.isidentifier()


@pytest.mark.parametrize(
    ("played_ms", "duration_ms", "weight"),
    [
        (0, 60_000, -1.0),
        (15_000, 60_000, -0.5),
        (30_000, 60_000, 0.0),
        (60_000, 60_000, 1.0),
        (90_000, 60_000, 1.0),
        (240_000, 3_600_000, 0.0),  # four minutes of an hour are a listen
        (None, 60_000, -0.5),
        (10_000, None, -0.5),
        (10_000, 0, -0.5),
    ],
)
def test_a_skip_is_graded_by_the_part_heard(
    played_ms: int | None, duration_ms: int | None, weight: float
) -> None:
    assert listen_weight(Action.SKIPPED, played_ms, duration_ms) == weight


@given(st.sampled_from(Action), numbers, numbers)
def test_a_weight_lies_between_dislike_and_like(
    action: Action, played_ms: int | None, duration_ms: int | None
) -> None:
    assert -2.0 <= listen_weight(action, played_ms, duration_ms) <= 2.0


def test_progress_says_nothing_before_half_and_never_counts_against() -> None:
    assert listen_weight(Action.PROGRESSED, 10_000, 60_000) == 0.0
    assert listen_weight(Action.PROGRESSED, 45_000, 60_000) == 0.5


odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 2**70),
    st.floats(),
    st.text(max_size=130),
    st.sampled_from([*Action, "", "artist", "x" * 64, "x" * 65, "1e400", "\ud800"]),
    st.sampled_from(
        [
            "2026-05-03T22:10:00Z",
            "2026-05-03T22:10:60.000Z",
            "2026-05-03 22:10:00.000Z",
            "20260503--T22:10:00.000Z",
            "1999-12-31T23:59:59.999Z",
            "2026-05-03T22:10:00.123456Z",
        ]
    ),
    st.dictionaries(st.text(max_size=3), st.integers(0, 2**70), max_size=2),
)


@given(
    st.dictionaries(
        st.sampled_from([*VALID, "scope", "until", "mood"]), odd, max_size=3
    ),
    st.sets(st.sampled_from([*VALID]), max_size=1),
)
def test_the_quick_way_takes_nothing_that_the_judge_does_not(
    changes: dict[str, Any], without: set[str]
) -> None:
    fields = {k: v for k, v in (VALID | changes).items() if k not in without}
    raw = json.dumps(fields).encode()
    quick = _plain_event(raw)
    if quick is not None:
        assert quick == _judged_event(raw)
        assert quick.action is _judged_event(raw).action


@pytest.mark.parametrize(
    "raw",
    [
        message(source={"rank": 12345678901234567890}),
        message(source={"rank": [1e400]}).replace(b"Infinity", b"1e400"),
        b"\xef\xbb\xbf" + message(),
        message().replace(b"ada", b"a\xffa"),
        message(user_id="a\nb").replace(b"\\n", b"\n"),
        message() + b" ",
        message().replace(b'"t1"', b'"t0", "track_id": "t1"'),
    ],
)
def test_the_quick_way_leaves_what_is_odd_to_the_judge(raw: bytes) -> None:
    quick = _plain_event(raw)
    try:
        slow = _judged_event(raw)
    except InvalidEventError:
        slow = None
    assert quick in (None, slow)


def test_what_players_send_goes_the_quick_way() -> None:
    event = _plain_event(message())
    assert event == _judged_event(message())
    assert event is not None
    assert _plain_event(event.to_json()) == event
    for changed in ({"scope": "x"}, {"played_ms": None}, {"event_id": "3e-8"}):
        assert _plain_event(message(**changed)) is not None
