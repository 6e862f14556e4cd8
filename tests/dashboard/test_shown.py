"""Lists that are shown are noted, and nobody waits for that."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from websockets.sync.client import connect

from dashboard.records import ForYou, ListedTrack, TrackCard
from dashboard.shown import ShownLists
from segue import store
from segue.activity import Level
from segue.clock import rfc3339, system_clock
from segue.settings import MongoSettings
from tests.dashboard.api.test_radio import ask, radio, taste_of_ada, told
from tests.dashboard.listening import wait_until
from tests.dashboard.site import ADA, Site, cookie_header, list_document

__all__ = ["radio"]

pytestmark = pytest.mark.mongo
MADE_AT = datetime(2026, 5, 3, 22, 10, tzinfo=UTC)


def _listed(site: Site, *track_ids: str, **more: Any) -> store.Document:
    document = list_document("ada", list(track_ids)) | more
    store.upsert(site.database, store.RECOMMENDATIONS, [document])
    return document


def _noted(site: Site, *wanted: Sequence[str]) -> list[store.Document]:
    """Wait until lists of these tracks are noted, and nothing else; return them."""

    def is_whole() -> bool:
        lists, told = _ids_of(site)
        days, hours = _days(site), _hours(site)
        return (
            told == [*map(list, wanted)]
            and days == {track_id for each in told for track_id in each}
            and hours == {Level.HOUR.start_of(each["shown_at"]) for each in lists}
        )

    wait_until(
        is_whole, lambda: f"{_ids_of(site)[1]}, {_days(site)} and {_hours(site)}"
    )
    return _ids_of(site)[0]


def _ids_of(site: Site) -> tuple[list[store.Document], list[list[str]]]:
    found = site.database[store.SHOWN_LISTS].find().sort("shown_at").to_list()
    return found, [[row["track_id"] for row in each["rows"]] for each in found]


def _days(site: Site) -> set[str]:
    # at midnight there are two
    found = site.database[store.SHOWN_DAYS].find().to_list()
    return {track_id for each in found for track_id in each["track_ids"]}


def _hours(site: Site) -> set[datetime]:
    return {each["start"] for each in site.database[store.SERVED_DUE].find()}


@contextmanager
def _looking(site: Site) -> Iterator[Callable[[], str]]:
    """Open the page of the list; yields what waits for its next list's name."""
    cookie = {"Cookie": cookie_header(site.log_in())}
    address = f"ws://127.0.0.1:{site.port}/ws/live"
    with connect(address, additional_headers=cookie, proxy=None) as socket:
        socket.send('{"page": "for-you"}')

        def next_list() -> str:
            while True:
                props = json.loads(socket.recv(timeout=20))["props"].get("for-you", {})
                if "data-list-id" in props:
                    return str(props["data-list-id"])

        yield next_list


def test_a_list_is_noted_once_by_the_name_that_its_events_have(site: Site) -> None:
    document = _listed(site, "t3", "t1", model_version="m1")
    before = system_clock()
    with _looking(site) as next_list:
        list_id = next_list()
        with _looking(site) as another:
            assert another() == list_id
        (first,) = _noted(site, ["t3", "t1"])
        # pushed to a page that is open
        _listed(site, "t3", "t2", updated_at=document["updated_at"] + timedelta(1))
        _, second = _noted(site, ["t3", "t1"], ["t3", "t2"])
    assert first["_id"] == f"ada|{list_id}"
    assert (first["user_id"], first["surface"]) == ("ada", "player")
    assert (first["model_version"], second["model_version"]) == ("m1", None)
    assert before - timedelta(seconds=1) < first["shown_at"] < system_clock()
    new = {"part": "now", "is_fresh": True}
    assert first["rows"] == [
        {"track_id": "t3", "rank": 1, "explored": True, **new},
        {"track_id": "t1", "rank": 2, "explored": False, **new},
    ]
    assert first["outcomes"] == []


def test_what_the_player_or_a_program_asks_for_was_not_shown(site: Site) -> None:
    document = _listed(site, "t1", "t2")
    site.ask("/api/recommendations/ada")
    _listed(site, "t3", updated_at=document["updated_at"] + timedelta(1))
    with _looking(site) as next_list:
        list_id = next_list()
    # one after the other: what was asked for before would be there
    (only,) = _noted(site, ["t3"])
    assert only["list_id"] == list_id


def test_while_a_play_goes_on_the_list_keeps_its_name(site: Site) -> None:
    said: dict[str, Any] = {"event_id": "e", "action": "skipped", "track_id": "t1"}
    event = said | {"event_time": MADE_AT}
    diff = {"came": [], "left": [], "event": event, "made_at": MADE_AT}
    for _ in range(2):
        _listed(site, "t3", diff=diff)
        with _looking(site) as next_list:
            assert next_list() == f"ada@{rfc3339(MADE_AT)}"
    _noted(site, ["t3"])


def test_what_newcomers_see_is_no_recommendation(site: Site) -> None:
    with _looking(site) as next_list:
        assert next_list().endswith("@start")
        _listed(site, "t3")
        (only,) = _noted(site, ["t3"])
    assert not only["list_id"].endswith("@start")


def test_a_radio_is_noted_under_one_name_with_all_it_plays(radio: Site) -> None:
    site = radio
    as_of = datetime.now(UTC).replace(microsecond=0)
    store.upsert(site.database, store.TASTES, [taste_of_ada(as_of)])
    first = told(ask(site, n=3))
    assert first["list_id"] == f"radio:track:t003@{rfc3339(as_of)}"
    heard = [each["track_id"] for each in first["items"]]
    _noted(site, heard)
    second = told(ask(site, n=3, heard=heard))
    assert second["list_id"] == first["list_id"]
    ids = [each["track_id"] for each in (*first["items"], *second["items"])]
    (shown,) = _noted(site, ids)
    # as the events of these plays say it
    assert [row["rank"] for row in shown["rows"]] == [1, 2, 3, 1, 2, 3]
    assert (shown["user_id"], shown["surface"]) == (ADA.user_id, "radio")
    assert not any(row["explored"] for row in shown["rows"])


def test_without_mongodb_nothing_waits_and_nothing_grows(
    caplog: pytest.LogCaptureFixture,
) -> None:
    away = MongoSettings(uri=SecretStr("mongodb://127.0.0.1:1"), timeout_ms=100)

    async def run() -> int:
        database = store.connect_async(away)
        shown = ShownLists(database, 0.0, system_clock)
        for number in range(5_000):
            shown.note_for_you(_for_you(number))
        await asyncio.sleep(0.5)
        waiting = shown.n_waiting
        await shown.close()
        await database.client.close()
        return waiting

    with caplog.at_level(logging.WARNING):
        assert asyncio.run(run()) <= 1_000
    assert "lists that were shown wait" in caplog.text
    assert "are lost" in caplog.text


def _for_you(number: int) -> ForYou:
    return ForYou("ada", [_listed_at("t1")], is_fallback=False, list_id=f"ada@{number}")


def test_a_list_that_cannot_be_written_is_in_the_way_of_no_other(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.log_in()
    odd = ("ada", "radio:taste:@odd", _listed_at("t1", 2**70))
    _note(site, system_clock(), odd, ("ada", "radio:taste:@1", _listed_at("t1")))
    assert "cannot be noted" in caplog.text
    (only,) = _noted(site, ["t1"])
    assert only["list_id"] == "radio:taste:@1"


def test_a_list_counts_anew_in_the_hour_in_which_it_was_first_shown(site: Site) -> None:
    site.log_in()
    hour = Level.HOUR.start_of(system_clock())
    first, later = hour - timedelta(minutes=1), hour + timedelta(minutes=1)
    _note(site, first, ("ada", "radio:taste:@1", _listed_at("t1")))
    # counted since; then other dials, and a process that knows nothing of before
    for track_id in ("t2", "t1"):
        site.database[store.SERVED_DUE].delete_many({})
        _note(site, later, ("ada", "radio:taste:@1", _listed_at(track_id)))
        assert _hours(site) == {hour - timedelta(hours=1)}
    _noted(site, ["t1", "t2"])


def test_of_an_account_that_is_gone_nothing_is_noted(site: Site) -> None:
    site.log_in()
    gone, there = ("ben", "ben@1", _listed_at("t1")), ("ada", "a@1", _listed_at("t2"))
    _note(site, system_clock(), gone, there)
    _noted(site, ["t2"])
    for place in (store.SHOWN_LISTS, store.SHOWN_DAYS):
        assert site.database[place].distinct("user_id") == ["ada"]


def _listed_at(track_id: str, rank: int = 1) -> ListedTrack:
    card = TrackCard(track_id, "", "", "", "", None)
    return ListedTrack(card, rank, 0.5, {"now": 0.5}, ("",))


def _note(site: Site, at: datetime, *shown: tuple[str, str, ListedTrack]) -> None:
    """Note what radios play, as a process does that ends then."""

    async def run() -> None:
        assert site.mongo is not None
        database = store.connect_async(site.mongo)
        lists = ShownLists(database, 0.0, lambda: at)
        for user_id, list_id, row in shown:
            lists.note_radio(user_id, list_id, None, [row])
        await lists.close()
        await database.client.close()

    asyncio.run(run())
