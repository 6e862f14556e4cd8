import asyncio

import pytest
from starlette.datastructures import Headers
from starlette.types import Message, Receive

from dashboard.access import role_needed
from dashboard.refusals import RefusedError
from dashboard.security import (
    check_origin,
    is_own_host,
    security_headers,
    whole_body,
)


@pytest.mark.parametrize(
    ("name", "bound_to", "is_ours"),
    [
        ("localhost", "127.0.0.1", True),
        ("::1", "127.0.0.1", True),
        ("music.example", "music.example", True),
        ("evil.example", "127.0.0.1", False),
        ("192.168.1.7", "127.0.0.1", False),
        ("192.168.1.7", "0.0.0.0", True),
        ("evil.example", "0.0.0.0", False),
        ("", "127.0.0.1", False),
    ],
)
def test_only_own_names_are_answered(name: str, bound_to: str, is_ours: bool) -> None:
    assert is_own_host(name, bound_to) is is_ours


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "localhost:8050", "origin": "http://evil.example"},
        {"host": "localhost:8050", "origin": "http://localhost:3000"},
        {"host": "localhost:8050", "origin": "null"},
        {"host": "localhost:8050", "sec-fetch-site": "cross-site"},
        {"host": "localhost:8050", "sec-fetch-site": "same-site"},
    ],
)
def test_another_site_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(RefusedError) as refusal:
        check_origin(Headers(headers))
    assert refusal.value.status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "localhost:8050"},
        {"host": "localhost:8050", "origin": "http://localhost:8050"},
        {"host": "localhost:8050", "sec-fetch-site": "same-origin"},
    ],
)
def test_our_own_page_and_programs_may_ask(headers: dict[str, str]) -> None:
    check_origin(Headers(headers))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/docs", 404),
        ("GET", "/openapi.json", 404),
        ("GET", "/etc/passwd", 404),
        ("GET", "/_reload-hash", 404),
        ("POST", "/", 404),
        ("DELETE", "/api/events", 405),
    ],
)
def test_no_other_route_is_there(method: str, path: str, status: int) -> None:
    with pytest.raises(RefusedError) as refusal:
        role_needed(method, path)
    assert refusal.value.status == status


def test_the_policy_lets_no_other_script_run() -> None:
    policy = security_headers(["'sha256-x'"])["content-security-policy"]
    assert "script-src 'self' 'sha256-x';" in policy
    assert "unsafe-eval" not in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([("half", True), None], "cut_off"),
        ([None], "cut_off"),
        ([("x" * 60, True), ("x" * 41, False)], "too_large"),
    ],
)
def test_half_a_body_and_too_much_are_refused(
    messages: list[tuple[str, bool] | None], reason: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        asyncio.run(whole_body(_sending(messages), 100))
    assert refused.value.reason == reason


def test_a_body_in_parts_is_whole() -> None:
    told = _sending([("ha", True), ("", True), ("lf", False)])
    assert asyncio.run(whole_body(told, 4)) == b"half"


def _sending(messages: list[tuple[str, bool] | None]) -> Receive:
    """Return what the server hands out; None: the client has gone."""
    left = iter(messages)

    async def receive() -> Message:
        told = next(left)
        if told is None:
            return {"type": "http.disconnect"}
        body, is_more = told
        return {"type": "http.request", "body": body.encode(), "more_body": is_more}

    return receive
