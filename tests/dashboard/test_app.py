import inspect
import json
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from pymongo.asynchronous.database import AsyncDatabase

from dashboard.app import create_pages
from segue import store
from segue.settings import MongoSettings, Settings
from tests.dashboard.site import CollectingSink, Site, read, served


async def _callbacks(
    database: AsyncDatabase[store.Document],
) -> dict[str, object]:
    pages = create_pages(FastAPI(), database)
    return {name: each.get("callback") for name, each in pages.callback_map.items()}


def test_no_callback_can_block_the_event_loop() -> None:
    ours = Settings(mongo=MongoSettings(uri=SecretStr("mongodb://127.0.0.1:1")))
    callbacks = read(ours, _callbacks)
    on_server = {name: each for name, each in callbacks.items() if each is not None}
    assert len(on_server) == 2
    assert all(map(inspect.iscoroutinefunction, on_server.values()))


@pytest.mark.mongo
def test_pages_are_there_and_other_addresses_are_not(site: Site) -> None:
    for path in ("/", "/analytics", "/?listener=ada"):
        assert site.ask(path).status == 200
        head = site.ask(path, "HEAD")
        assert (head.status, head.body) == (200, b"")
    for path in ("/docs", "/openapi.json", "/redoc", "/nowhere", "/assets/nothing.js"):
        assert site.ask(path).status == 404
    assert site.ask("/", "PUT").status == 405


@pytest.mark.mongo
def test_every_answer_has_the_headers_of_a_safe_page(site: Site) -> None:
    for path in ("/", "/nowhere", "/assets/player.js", "/api/recommendations/ada"):
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


def test_without_mongodb_the_page_is_there_and_the_api_says_503(
    settings: Callable[..., Settings],
) -> None:
    uri = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=300"
    ours = settings(mongo={"uri": SecretStr(uri), "timeout_ms": 300})
    sink = CollectingSink()
    with served(ours, sink) as port:
        away = Site(port, sink, store.connect(ours.mongo), ours.home)
        assert away.ask("/").status == 200
        for path in ("/healthz", "/api/recommendations/ada", "/media/t1"):
            assert away.ask(path).status == 503
        away.database.client.close()
