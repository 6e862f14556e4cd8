import inspect
import json
import logging
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from pymongo.asynchronous.database import AsyncDatabase
from starlette.routing import Route

from dashboard.access import KEYED_PAGES, PAGES, role_needed
from dashboard.app import create_pages, create_server
from dashboard.catalogue import Catalogue
from dashboard.identities import Identities
from dashboard.pages.frame import Layout
from dashboard.pages.layouts import page_layouts
from dashboard.playlists import Playlists
from dashboard.refusals import RefusedError
from segue import store
from segue.clock import system_clock
from segue.settings import MongoSettings, Settings
from tests.dashboard.api.test_accounts import ROUTES
from tests.dashboard.home_scene import write_index
from tests.dashboard.listening import wait_until
from tests.dashboard.site import CollectingSink, Site, read, served


def _readers(
    database: AsyncDatabase[store.Document],
) -> tuple[Catalogue, Playlists]:
    catalogue = Catalogue(database, Path("nowhere"))
    return catalogue, Playlists(database, system_clock)


def _pages_of(
    database: AsyncDatabase[store.Document],
) -> tuple[dict[str, Layout], Catalogue]:
    catalogue, kept = _readers(database)
    return page_layouts(catalogue, kept), catalogue


async def _callbacks(
    database: AsyncDatabase[store.Document],
) -> dict[str, object]:
    pages = create_pages(FastAPI(), *_pages_of(database))
    return {name: each.get("callback") for name, each in pages.callback_map.items()}


def test_no_callback_can_block_the_event_loop() -> None:
    ours = Settings(mongo=MongoSettings(uri=SecretStr("mongodb://127.0.0.1:1")))
    callbacks = read(ours, _callbacks)
    on_server = {name: each for name, each in callbacks.items() if each is not None}
    assert len(on_server) == 2
    assert all(map(inspect.iscoroutinefunction, on_server.values()))


def test_each_page_of_the_table_has_a_layout() -> None:
    ours = Settings(mongo=MongoSettings(uri=SecretStr("mongodb://127.0.0.1:1")))

    async def layouts(database: AsyncDatabase[store.Document]) -> set[str]:
        return set(page_layouts(*_readers(database)))

    first_words = {name.partition("/")[0] for name in PAGES}
    assert read(ours, layouts) == {"", *first_words, *KEYED_PAGES}


async def _routes(database: AsyncDatabase[store.Document]) -> list[Route]:
    sink = CollectingSink()
    identities = Identities(database, system_clock)
    server = create_server(Settings(), database, sink, sink, identities, system_clock)
    create_pages(server, *_pages_of(database))
    routers = [getattr(each, "original_router", None) for each in server.routes]
    together = [*server.routes, *(r for each in routers if each for r in each.routes)]
    return [each for each in together if isinstance(each, Route)]


def test_every_route_that_is_served_is_walked_or_closed() -> None:
    """`test_accounts` walks those that somebody gets to."""
    ours = Settings(mongo=MongoSettings(uri=SecretStr("mongodb://127.0.0.1:1")))
    n_walked = 0
    for route in read(ours, _routes):
        for method in (route.methods or set()) - {"HEAD"}:
            walked = [path for verb, path, _ in ROUTES if verb == method]
            if any(route.path_regex.match(path) for path in walked):
                n_walked += 1
                continue
            with pytest.raises(RefusedError):
                role_needed(method, re.sub(r"{.*?}", "x", route.path))
    assert n_walked >= 20


@pytest.mark.mongo
def test_pages_are_there_and_other_addresses_are_not(site: Site) -> None:
    for path in ("/", "/analytics", "/settings", "/log-in", "/sign-up"):
        assert site.ask(path).status == 200
        head = site.ask(path, "HEAD")
        assert (head.status, head.body) == (200, b"")
    for path in ("/docs", "/openapi.json", "/redoc", "/nowhere", "/scripts/nothing.js"):
        assert site.ask(path).status == 404
    assert site.ask("/", "PUT").status == 405


@pytest.mark.mongo
@pytest.mark.parametrize("what", KEYED_PAGES)
@pytest.mark.parametrize("key", ["none", "%ED%A0%80", "%00"])
def test_of_what_is_not_there_the_page_says_so_with_404(
    site: Site, what: str, key: str
) -> None:
    path = f"/{what}/{key}"
    answer = site.ask(path)
    assert answer.status == 404
    assert b'id="player"' in answer.body
    head = site.ask(path, "HEAD")
    assert (head.status, head.body) == (404, b"")
    assert site.ask("/track/t1").status == 200


@pytest.mark.mongo
def test_a_browser_at_a_wrong_address_is_led_back(site: Site) -> None:
    for path in ("/nowhere", "/playlists/x", "/api/nothing"):
        answer = site.ask(path, headers={"Accept": "text/html,*/*;q=0.8"})
        assert (answer.status, b'<a href="/">' in answer.body) == (404, True)
        assert "content-security-policy" in answer.headers
        told = json.loads(site.ask(path, headers={"Accept": "*/*"}).body)
        assert told["error"]["reason"] == "not_found"


@pytest.mark.mongo
def test_every_answer_has_the_headers_of_a_safe_page(site: Site) -> None:
    for path in ("/", "/nowhere", "/scripts/player.js", "/api/recommendations/ada"):
        headers = site.ask(path).headers
        assert "unsafe-eval" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"


@pytest.mark.mongo
def test_the_page_asks_no_other_host(site: Site) -> None:
    page = site.ask("/").body.decode()
    assert "https://" not in page
    assert page.count("http://") == 0


@pytest.mark.mongo
def test_a_name_that_is_not_ours_is_refused(site: Site) -> None:
    answer = site.ask("/", headers={"Host": "evil.example"})
    assert answer.status == 400
    assert b"wrong_host" in answer.body


@pytest.mark.mongo
def test_a_callback_takes_json_only(site: Site) -> None:
    path, kind = "/_dash-update-component", {"Content-Type": "text/plain"}
    assert site.ask(path, "POST", b"{}", kind).status == 415


@pytest.mark.mongo
def test_health_says_that_all_is_well(site: Site) -> None:
    answer = site.ask("/healthz")
    assert json.loads(answer.body) == {"status": "ok", "mongo": "up"}


@pytest.mark.mongo
def test_it_makes_itself_ready_to_rank(
    settings: Callable[..., Settings], caplog: pytest.LogCaptureFixture
) -> None:
    ours = settings()
    write_index(ours.home)
    caplog.set_level(logging.INFO, "dashboard.app")
    with served(ours, CollectingSink()):
        wait_until(lambda: "ready to rank after" in caplog.text, lambda: caplog.text)


def test_without_mongodb_the_door_is_there_and_the_rest_says_503(
    settings: Callable[..., Settings],
) -> None:
    uri = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=300"
    ours = settings(mongo={"uri": SecretStr(uri), "timeout_ms": 300})
    sink = CollectingSink()
    with served(ours, sink) as port:
        away = Site(port, sink, store.connect(ours.mongo), ours.home)
        assert away.ask("/log-in").status == 200
        somebody = {"Cookie": "segue_login=x"}
        for path in ("/", "/healthz", "/api/recommendations/ada", "/media/t1"):
            assert away.ask(path, headers=somebody).status == 503
        away.database.client.close()
