"""MongoDB goes away while somebody looks at what they like, and comes back."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from pydantic import SecretStr

from segue import store
from segue.events import Action
from segue.services import mongo, process
from segue.settings import Settings
from tests.dashboard.pages.stream import say, take
from tests.dashboard.site import CollectingSink, Site, served, write_library
from tests.dashboard.test_outage import home

__all__ = ["home"]
pytestmark = [pytest.mark.mongo, pytest.mark.browser, pytest.mark.slow]
LIST_MS = 30_000


def test_what_is_shown_stays_and_catches_up(
    home: Path,
    settings: Callable[..., Settings],
    browser: Browser,
) -> None:
    uri = mongo.wait(mongo.launch(home, 0))
    port_of_mongo = int(uri.split(":")[2].split("/")[0])
    ours = settings(mongo={"uri": SecretStr(uri), "timeout_ms": 800})
    database, sink = store.connect(ours.mongo), CollectingSink()
    store.upsert(database, store.TRACKS, write_library(home / "music"))
    with served(ours, sink) as port:
        site = Site(port, sink, database, home, mongo=ours.mongo)
        context = browser.new_context()
        for each in site.log_in().cookies():
            cookie = {"name": each["name"], "value": each["value"], "url": site.url}
            context.add_cookies([cookie])  # type: ignore[list-item]
        page = context.new_page()
        say(site, Action.LIKED, "t1", 1)
        page.goto(f"{site.url}/liked")
        rows = page.locator("#liked > .track")
        expect(rows).to_have_count(1, timeout=LIST_MS)

        process.stop(home, mongo.NAME)
        expect(page.locator("#banner")).to_contain_text(
            "does not answer", timeout=LIST_MS
        )
        expect(rows).to_have_count(1)
        answer = site.ask("/api/reactions")
        assert answer.status == 503
        assert json.loads(answer.body)["error"]["reason"] == "mongo_away"
        page.get_by_label("Unlike Sweep 1").click()  # Kafka has it, whoever is away
        assert take(site, Action.UNLIKED).track_id == "t1"
        page.get_by_role("link", name="Blocked", exact=True).click()
        expect(page.get_by_role("heading", name="Blocked", level=1)).to_be_visible()

        assert mongo.wait(mongo.launch(home, port_of_mongo)) == uri
        say(site, Action.BLOCKED, "t2")
        expect(page.locator("#blocked > .track")).to_have_count(1, timeout=LIST_MS)
        expect(page.locator("#banner")).to_be_hidden()
        context.close()
    database.client.close()
