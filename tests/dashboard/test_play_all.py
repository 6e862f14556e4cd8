"""All that a page lists, played by one button: in its order, or in none."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from segue import store
from segue.discography import refresh_discography
from tests.dashboard.furnished import with_ids
from tests.dashboard.listening import (
    WAIT_MS,
    expect_state,
    listener_page,
    wait_for,
)
from tests.dashboard.site import Site

pytestmark = [pytest.mark.mongo, pytest.mark.browser, pytest.mark.slow]
WHOLE = ["t0", "t1", "t2", "t3", "t4"]
"""One album of one artist; another track is of others."""
CHOSEN = ["t0", "t5", "t2"]
PLAN = """() => {
  const { items, done } = segue.player.plan();
  return [...done, segue.player.item(), ...items].map(({ track }) => track.id);
}"""
PAGES = ("album", "artist", "playlist")


@pytest.fixture
def listener(browser: Browser, site: Site) -> Iterator[Page]:
    tracks = [
        with_ids(each | ({"artist": "Ada"} if each["_id"] in WHOLE else {}))
        for each in site.database[store.TRACKS].find()
    ]
    store.upsert(site.database, store.TRACKS, tracks)
    refresh_discography(site.database)
    with listener_page(browser, site) as page:
        yield page


def _open(page: Page, site: Site, kind: str) -> list[str]:
    """Open a page and return the tracks that it lists."""
    if kind == "playlist":
        told = json.dumps({"name": "Night", "track_ids": CHOSEN}).encode()
        headers = {"Content-Type": "application/json"}
        answer = site.ask("/api/playlists", "POST", told, headers)
        key, listed = json.loads(answer.body)["key"], CHOSEN
    else:
        (track,) = site.database[store.TRACKS].find({"_id": "t0"})
        key, listed = track[f"{kind}_id"], WHOLE
    page.goto(f"{site.url}/{kind}/{key}")
    rows = page.locator("main [data-track-list] [data-track-id]")
    expect(rows).to_have_count(len(listed), timeout=WAIT_MS)
    return listed


@pytest.mark.parametrize("kind", PAGES)
def test_play_plays_all_in_their_order(listener: Page, site: Site, kind: str) -> None:
    listed = _open(listener, site, kind)
    listener.locator("main").get_by_role("button", name="Play", exact=True).click()
    expect_state(listener, "playing")
    assert listener.evaluate(PLAN) == listed
    started = wait_for(site, "started")
    assert started.track_id == "t0"
    assert started.source is not None
    assert started.source["surface"] == kind
    listener.locator("#player").get_by_label("Queue").click()
    titles = [f"Sweep {each[1:]}" for each in listed[1:]]
    expect(listener.locator("#queue-next .title")).to_have_text(titles)


@pytest.mark.parametrize("kind", PAGES)
def test_shuffle_plays_each_once(listener: Page, site: Site, kind: str) -> None:
    listed = _open(listener, site, kind)
    listener.locator("main").get_by_role("button", name="Shuffle", exact=True).click()
    expect_state(listener, "playing")
    assert sorted(listener.evaluate(PLAN)) == sorted(listed)
    shuffle = listener.locator("#player [data-do=shuffle]")
    expect(shuffle).to_have_attribute("aria-pressed", "true")
    assert wait_for(site, "started").track_id in listed
