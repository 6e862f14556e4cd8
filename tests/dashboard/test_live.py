import asyncio
import json
import time
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from dashboard.live import LivePage, View
from dashboard.live_socket import MAX_OWN_SOCKETS, MAX_QUESTIONS
from dashboard.security import LOG_IN_FIRST, TRY_LATER
from dashboard.subscriber import Subscriber
from segue import store
from segue.roles import Identity, Role
from tests.dashboard.home_scene import taste_of
from tests.dashboard.site import ADA, Site, cookie_header, list_document

BEN = Identity("ben", Role.LISTENER)


def _messages(*states: dict[str, str]) -> list[Any]:
    async def collect() -> list[Any]:
        subscriber = Subscriber()
        found: list[Any] = []
        for state in states:
            subscriber.offer(state)
            try:
                text = await asyncio.wait_for(subscriber.next_message(), 0.05)
            except TimeoutError:
                found.append(None)
            else:
                found.append(json.loads(text)["props"])
        return found

    return asyncio.run(collect())


def test_a_socket_gets_only_what_differs_from_what_it_has() -> None:
    first = {"a": '{"x": 1}', "b": '{"y": 2}'}
    second = {"a": '{"x": 1}', "b": '{"y": 3}'}
    assert _messages(first, second, second) == [
        {"a": {"x": 1}, "b": {"y": 2}},
        {"b": {"y": 3}},
        None,
    ]


def test_a_slow_socket_gets_the_newest_state_and_skips_the_others() -> None:
    async def collect() -> str:
        subscriber = Subscriber()
        for value in range(100):
            subscriber.offer({"a": f'{{"x": {value}}}'})
        return await subscriber.next_message()

    assert json.loads(asyncio.run(collect()))["props"] == {"a": {"x": 99}}


def test_a_view_that_takes_long_rests_as_long_as_its_share_says() -> None:
    async def render(_: View) -> dict[str, str]:
        return {}

    quick = LivePage(render, frozenset(), pause_s=0.25, share=0.02)
    assert quick.pause_after(0.002) == 0.25
    assert quick.pause_after(0.1) == pytest.approx(4.9)
    assert LivePage(render, frozenset(), pause_s=0.25).pause_after(0.1) == 0.25


def _open(
    site: Site, origin: str | None = None, who: Identity | None = ADA
) -> ClientConnection:
    headers = {} if origin is None else {"Origin": origin}
    if who is not None:
        headers["Cookie"] = cookie_header(site.log_in(who))
    address = f"ws://127.0.0.1:{site.port}/ws/live"
    return connect(address, additional_headers=headers, proxy=None)


def _ask(socket: ClientConnection, page: str) -> None:
    socket.send(json.dumps({"page": page}))


def _next_props(socket: ClientConnection, name: str, within_s: float = 10) -> Any:
    """Return the next properties of one component."""
    while True:
        message = json.loads(socket.recv(timeout=within_s))
        if name in message["props"]:
            return message["props"][name]


@pytest.mark.mongo
def test_a_changed_list_is_pushed_to_those_who_look_at_it(site: Site) -> None:
    with _open(site) as ada, _open(site, who=BEN) as ben:
        _ask(ada, "for-you")
        _ask(ben, "for-you")
        assert _next_props(ada, "for-you")["data-updated-at"] == ""
        assert _next_props(ben, "for-you")["data-updated-at"] == ""
        started = time.monotonic()
        document = list_document("ada", ["t2", "t1"])
        store.upsert(site.database, store.RECOMMENDATIONS, [document])
        rows = _next_props(ada, "for-you")["children"]
        assert time.monotonic() - started < 2
        assert [row["props"]["data-track-id"] for row in rows] == ["t2", "t1"]
        with pytest.raises(TimeoutError):
            _next_props(ben, "for-you", within_s=0.4)


@pytest.mark.mongo
def test_a_socket_that_changes_its_page_gets_the_other_page(site: Site) -> None:
    with _open(site) as socket:
        _ask(socket, "for-you")
        _next_props(socket, "for-you")
        _ask(socket, "analytics-health")
        assert _next_props(socket, "tiles")


@pytest.mark.mongo
def test_a_page_of_several_views_gets_them_all(site: Site) -> None:
    with _open(site) as socket:
        _ask(socket, "for-you horizons home-shelves")
        wanted = {"for-you", "home-now", "home-trending"}
        while wanted:
            wanted -= set(json.loads(socket.recv(timeout=10))["props"])
        document = list_document("ada", ["t2"])
        store.upsert(site.database, store.RECOMMENDATIONS, [document])
        assert len(_next_props(socket, "for-you")["children"]) == 1


@pytest.mark.mongo
def test_a_page_without_views_gets_none_until_it_is_left(site: Site) -> None:
    with _open(site) as socket:
        _ask(socket, "for-you")
        _next_props(socket, "for-you")
        _ask(socket, "")
        document = list_document("ada", ["t2"])
        store.upsert(site.database, store.RECOMMENDATIONS, [document])
        assert _next_props(socket, "up-next")  # the player's own stays
        with pytest.raises(TimeoutError):
            _next_props(socket, "for-you", within_s=0.4)
        _ask(socket, "for-you")
        assert len(_next_props(socket, "for-you")["children"]) == 1


@pytest.mark.mongo
def test_a_slow_view_does_not_hold_the_list_up(site: Site) -> None:
    with _open(site) as socket:
        _ask(socket, "for-you horizons home-shelves")
        _next_props(socket, "home-trending")
        taste = taste_of("ada", datetime.now(UTC))
        for number in range(5):
            store.upsert(site.database, store.TASTES, [taste])
            document = list_document("ada", [f"t{number}"])
            started = time.monotonic()
            store.upsert(site.database, store.RECOMMENDATIONS, [document])
            _next_props(socket, "for-you")
            assert time.monotonic() - started < 1


@pytest.mark.mongo
def test_another_site_gets_no_socket(site: Site) -> None:
    with pytest.raises(InvalidStatus), _open(site, origin="http://evil.example"):
        pass


def _code_of(socket: ClientConnection, within_s: float) -> int | None:
    """Wait until the socket has ended; return the code."""
    try:
        while True:
            socket.recv(timeout=within_s)
    except ConnectionClosed as closed:
        return None if closed.rcvd is None else closed.rcvd.code


@pytest.mark.mongo
def test_without_a_log_in_there_is_no_socket(site: Site) -> None:
    with _open(site, who=None) as socket:
        assert _code_of(socket, 5) == LOG_IN_FIRST


@pytest.mark.mongo
@pytest.mark.parametrize(
    "name", ["now", "tracks", "feed", "stream", "health", "ledger"]
)
def test_a_listener_gets_no_analytics(site: Site, name: str) -> None:
    with _open(site, who=BEN) as socket:
        _ask(socket, f"analytics-{name}")
        assert _code_of(socket, 5) == 1008


@pytest.mark.mongo
@pytest.mark.slow
def test_a_socket_ends_with_its_log_in(site: Site) -> None:
    with _open(site, who=BEN) as socket:
        _ask(socket, "for-you")
        _next_props(socket, "for-you")
        json_kind = {"Content-Type": "application/json"}
        assert site.ask("/api/log-out", "POST", b"{}", json_kind, BEN).status == 200
        assert _code_of(socket, 15) == LOG_IN_FIRST


@pytest.mark.mongo
@pytest.mark.slow
def test_one_listener_does_not_take_all_sockets(site: Site) -> None:
    with ExitStack() as opened:
        for _ in range(MAX_OWN_SOCKETS):
            opened.enter_context(_open(site, who=BEN))
        with pytest.raises(InvalidStatus):
            _open(site, who=BEN)
        with _open(site) as socket:
            _ask(socket, "for-you")
            _next_props(socket, "for-you")
    with _open(site, who=BEN) as socket:  # those that were closed count no more
        _ask(socket, "for-you")
        _next_props(socket, "for-you")


@pytest.mark.mongo
@pytest.mark.slow
def test_who_asks_without_end_is_closed_and_others_are_not(site: Site) -> None:
    with _open(site, who=BEN) as socket, _open(site) as other:
        with suppress(ConnectionClosed):
            # they may fall into two windows of ten seconds
            for _ in range(2 * MAX_QUESTIONS + 1):
                _ask(socket, "")
        assert _code_of(socket, 20) == TRY_LATER
        _ask(other, "for-you")
        _next_props(other, "for-you")


@pytest.mark.mongo
def test_dash_has_no_socket_of_its_own(site: Site) -> None:
    address = f"ws://127.0.0.1:{site.port}/_dash-ws-callback"
    with pytest.raises(InvalidStatus), connect(address, proxy=None):
        pass


@pytest.mark.mongo
@pytest.mark.parametrize(
    "message",
    [
        *("", "{", "[]", "x" * 2000, b"\0", '{"page": "x"}', "{}"),
        *(
            '{"page": "for-you x"}',
            '{"page": ["for-you"]}',
            '{"page": "for-you", "key": 1}',
        ),
    ],
)
def test_nonsense_ends_the_socket(site: Site, message: str | bytes) -> None:
    with _open(site) as socket:
        socket.send(message)
        assert _code_of(socket, 5) == (1008 if isinstance(message, str) else None)
