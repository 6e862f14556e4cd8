import json
from datetime import UTC, datetime
from typing import Any

import pytest

from dashboard.security import MAX_BODY_BYTES
from segue.clock import system_clock
from segue.tokens import create_token
from tests.dashboard.site import Answer, Site

pytestmark = pytest.mark.mongo


def _event(**fields: Any) -> dict[str, Any]:
    plain = {
        "schema": 1,
        "event_id": "e1",
        "user_id": "ada",
        "track_id": "t1",
        "session_id": "s1",
        "play_id": "p1",
        "action": "started",
        "played_ms": 0,
        "duration_ms": 4000,
        "position_ms": 0,
        "event_time": "2026-05-03T22:10:00.123Z",
        "source": {"surface": "player", "organic": False},
    }
    return plain | fields


def _post(site: Site, content: Any, **headers: str) -> Answer:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return site.ask(
        "/api/events", "POST", body, {"Content-Type": "application/json", **named}
    )


def test_one_event_goes_to_the_sink_as_it_came(site: Site) -> None:
    answer = _post(site, _event(title="not a field of an event"))
    assert (answer.status, json.loads(answer.body)) == (202, {"accepted": 1})
    (event,) = site.sink.events
    assert event.event_time == datetime(2026, 5, 3, 22, 10, 0, 123000, UTC)
    assert event.source == {"surface": "player", "organic": False}


def test_many_events_keep_their_order(site: Site) -> None:
    events = [_event(event_id=f"e{n}") for n in range(100)]
    assert json.loads(_post(site, {"events": events}).body) == {"accepted": 100}
    assert [event.event_id for event in site.sink.events] == [
        event["event_id"] for event in events
    ]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (_event(action="danced"), "wrong_value"),
        (_event(user_id="<script>"), "wrong_value"),
        (_event(user_id="x" * 65), "wrong_value"),
        (_event(played_ms=-1), "negative"),
        (_event(event_time="yesterday"), "bad_time"),
        (_event(event_id=None), "missing_field"),
        (_event(scope="x" * 70_000), "too_large"),
        ("text", "not_object"),
    ],
)
def test_one_bad_event_stops_all_of_its_post(site: Site, bad: Any, reason: str) -> None:
    answer = _post(site, {"events": [_event(), bad]})
    error = json.loads(answer.body)["error"]
    assert (answer.status, error["reason"], error["index"]) == (400, reason, 1)
    assert site.sink.events == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b"[" * 50_000, "not_json"),
        (b"[]", "not_object"),
        ({"events": []}, "wrong_value"),
        ({"events": {}}, "wrong_value"),
        ({"events": [_event()] * 101}, "wrong_value"),
        (b'{"events": ["\\ud800"]}', "not_json"),
    ],
)
def test_what_is_no_batch_is_refused(site: Site, content: Any, reason: str) -> None:
    answer = _post(site, content)
    assert (answer.status, json.loads(answer.body)["error"]["reason"]) == (400, reason)


def test_nobody_plays_for_another(site: Site) -> None:
    answer = _post(site, {"events": [_event(), _event(user_id="ben")]})
    assert (answer.status, json.loads(answer.body)["error"]["reason"]) == (
        403,
        "not_yours",
    )
    assert site.sink.events == []


def test_a_program_plays_for_the_listener_of_its_token(site: Site) -> None:
    token = create_token(site.database, "ada", system_clock)
    headers = {"Content-Type": "application/json", "Authorization": f"Token {token}"}
    for user_id, status in (("ada", 202), ("ben", 403)):
        body = json.dumps(_event(user_id=user_id)).encode()
        answer = site.ask("/api/events", "POST", body, headers, who=None)
        assert answer.status == status


def test_a_body_that_is_too_large_is_refused(site: Site) -> None:
    assert _post(site, b" " * (MAX_BODY_BYTES + 1)).status == 413
    assert site.sink.events == []


def test_a_body_of_unknown_length_is_cut_off_too(site: Site) -> None:
    def blocks() -> Any:
        for _ in range(40):
            yield b" " * 10_000

    headers = {"Content-Type": "application/json"}  # without a length: chunked
    answer = site.ask("/api/events", "POST", blocks(), headers)
    assert answer.status == 413


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", ""]
)
def test_only_json_is_taken(site: Site, kind: str) -> None:
    assert _post(site, _event(), Content_Type=kind).status == 415


def test_another_site_cannot_send_events(site: Site) -> None:
    assert _post(site, _event(), Origin="http://evil.example").status == 403
    assert _post(site, _event(), Sec_Fetch_Site="cross-site").status == 403
    assert _post(site, _event(), Origin=site.url).status == 202
    assert len(site.sink.events) == 1


def test_a_broker_that_is_away_is_503_and_then_events_go_again(site: Site) -> None:
    site.sink.is_away = True
    answer = _post(site, _event())
    error = json.loads(answer.body)["error"]
    assert (answer.status, error["reason"]) == (503, "kafka_unreachable")
    assert "no broker answers" in error["detail"]
    site.sink.is_away = False
    assert _post(site, _event()).status == 202
