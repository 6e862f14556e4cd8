"""The pages and the player in a real browser, on a real MongoDB."""

import re
import time

import pytest
from playwright.sync_api import Page, Request, expect

from segue import store
from segue.clock import rfc3339
from tests.dashboard.site import Site, list_document

pytestmark = [pytest.mark.mongo, pytest.mark.browser, pytest.mark.slow]
LIST_MS = 20_000


def _show(page: Page, site: Site, *track_ids: str) -> None:
    document = list_document("ada", list(track_ids))
    store.upsert(site.database, store.RECOMMENDATIONS, [document])
    page.goto(f"{site.url}/")
    row = page.locator("#for-you [data-track-id]").first
    expect(row).to_have_attribute("data-track-id", track_ids[0], timeout=LIST_MS)


def _listed(page: Page) -> list[str]:
    ids = "rows => rows.map(row => row.dataset.trackId)"
    found: list[str] = page.eval_on_selector_all("#for-you [data-track-id]", ids)
    return found


def _play(page: Page, place: int) -> None:
    page.locator(f"#for-you li:nth-child({place}) [data-do=play]").click()
    expect(page.locator("#player")).to_have_attribute("data-state", "playing")


def _wait_for(site: Site, action: str, n: int = 1) -> None:
    for _ in range(200):
        if site.sink.actions().count(action) >= n:
            return
        time.sleep(0.05)
    raise AssertionError(f"no {n} of {action}, only {site.sink.actions()}")


def test_the_list_follows_its_document_without_a_reload(page: Page, site: Site) -> None:
    _show(page, site, "t1", "t2", "t3")
    page.evaluate("window.isTheSamePage = true")
    document = list_document("ada", ["t3", "t1", "t4"])
    started = time.monotonic()
    store.upsert(site.database, store.RECOMMENDATIONS, [document])
    first = page.locator("#for-you li:first-child")
    expect(first).to_have_attribute("data-track-id", "t3", timeout=LIST_MS)
    assert time.monotonic() - started < 1
    assert _listed(page) == ["t3", "t1", "t4"]
    moved = page.locator("#for-you .moved").evaluate_all("all => all.map(m => m.title)")
    assert moved == ["Moved up", "Moved down", "New in the list"]
    assert page.evaluate("window.isTheSamePage") is True
    written = rfc3339(document["newest_event_at"])
    expect(page.locator("#for-you")).to_have_attribute("data-updated-at", written)


def test_the_list_is_there_again_after_a_page_without_one(
    page: Page, site: Site
) -> None:
    _show(page, site, "t1", "t2", "t3")
    page.locator("a.nav", has_text="Search").click()
    expect(page.get_by_label("Search", exact=True)).to_be_visible()
    page.locator("a.nav", has_text="Home").click()
    expect(page.locator("#for-you [data-track-id]")).to_have_count(3)


def test_a_row_that_moves_keeps_its_focus_and_its_element(
    page: Page, site: Site
) -> None:
    _show(page, site, "t1", "t2", "t3")
    page.locator("[data-track-id=t2] [data-do=play]").first.focus()
    page.evaluate("document.activeElement.closest('li').isMine = true")
    document = list_document("ada", ["t2", "t4", "t1"])
    store.upsert(site.database, store.RECOMMENDATIONS, [document])
    first = page.locator("#for-you li:first-child")
    expect(first).to_have_attribute("data-track-id", "t2", timeout=LIST_MS)
    expect(first).to_have_attribute("data-rank", "1")
    expect(first.locator("[data-do=play]")).to_be_focused()
    assert first.evaluate("row => row.isMine") is True
    assert first.locator(".score").inner_text() == "0.85"


def test_without_a_list_there_is_a_marked_start(page: Page, site: Site) -> None:
    page.goto(site.url)
    expect(page.locator("#for-you-note")).to_contain_text(
        "this list will follow", timeout=LIST_MS
    )
    assert len(_listed(page)) == 3
    expect(page.get_by_role("button", name="Why")).to_have_count(0)


def test_a_play_tells_what_was_heard_and_a_skip_says_so(page: Page, site: Site) -> None:
    ranges: list[str] = []

    def note(request: Request) -> None:
        if "/media/t0" in request.url:
            ranges.append(request.headers.get("range", ""))

    page.on("request", note)
    _show(page, site, "t0", "t2")
    _play(page, 1)
    _wait_for(site, "started")
    page.locator("#seek").evaluate(
        "(seek) => { seek.value = 150; seek.dispatchEvent(new Event('change')); }"
    )
    _wait_for(site, "progressed")
    expect(page.locator("#elapsed")).to_contain_text("2:31", timeout=15_000)
    page.get_by_label("Next track").click()
    _wait_for(site, "skipped")
    _wait_for(site, "started", 2)
    started, sought, *_ = site.sink.events
    (skipped,) = (e for e in site.sink.events if e.action == "skipped")
    assert ranges[0] == "bytes=0-"
    assert (started.user_id, started.track_id) == ("ada", "t0")
    assert sought.position_ms == 150_000
    assert skipped.played_ms is not None
    assert 800 < skipped.played_ms < 15_000  # what was jumped over was not heard
    assert skipped.position_ms is not None
    assert skipped.position_ms > 150_500
    assert skipped.duration_ms == 180_000
    assert skipped.play_id == started.play_id
    assert skipped.source is not None
    assert skipped.source["surface"] == "player"
    assert (skipped.source["rank"], skipped.source["organic"]) == (1, False)
    assert skipped.source["list_id"].startswith("ada@")
    assert skipped.source["propensity"] == 0.95
    assert site.sink.events[-1].track_id == "t2"
    assert len({event.event_id for event in site.sink.events}) == len(site.sink.events)


def test_a_track_that_ends_is_complete_and_the_newest_first_one_follows(
    page: Page, site: Site
) -> None:
    _show(page, site, "t1", "t2")
    _play(page, 1)
    _wait_for(site, "started")
    changed = list_document("ada", ["t5", "t2"])
    store.upsert(site.database, store.RECOMMENDATIONS, [changed])
    page.locator("a.nav", has_text="Analytics").click()  # music goes on
    expect(page.locator("h1")).to_have_text("Now")
    _wait_for(site, "completed")
    _wait_for(site, "started", 2)
    (done,) = (e for e in site.sink.events if e.action == "completed")
    assert done.played_ms == pytest.approx(4000, abs=400)
    assert site.sink.events[-1].track_id == "t5"
    assert "skipped" not in site.sink.actions()


def test_keys_play_like_and_can_be_switched_off(page: Page, site: Site) -> None:
    _show(page, site, "t0", "t2")
    _play(page, 1)
    _wait_for(site, "started")
    page.locator("body").press("l")
    _wait_for(site, "liked")
    expect(page.get_by_label("Like")).to_have_attribute("aria-pressed", "true")
    page.locator("a.nav", has_text="Search").click()
    page.get_by_role("searchbox", name="Search").press_sequentially("l l")
    page.locator("a.nav", has_text="Home").click()
    page.locator("h1", has_text="For you").click()
    page.locator("body").press("l")
    _wait_for(site, "unliked")
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_label("Shortcuts are on").uncheck()
    page.keyboard.press("Escape")
    page.locator("body").press("l")
    # events leave in order: once the pause has arrived, so would a like have
    n_told = site.sink.actions().count("progressed")
    page.get_by_label("Pause").click()
    _wait_for(site, "progressed", n_told + 1)
    assert site.sink.actions().count("liked") == 1
    expect(page.locator("#player")).to_have_attribute("data-state", "paused")


def test_keys_dislike_and_block_what_is_on_and_the_next_one_plays(
    page: Page, site: Site
) -> None:
    _show(page, site, "t0", "t2", "t3")
    _play(page, 1)
    _wait_for(site, "started")
    page.locator("body").press("d")
    _wait_for(site, "disliked")
    _wait_for(site, "started", 2)
    page.locator("body").press("b")
    _wait_for(site, "blocked")
    _wait_for(site, "started", 3)
    said = [e for e in site.sink.events if e.action in ("disliked", "blocked")]
    assert [(e.action, e.track_id) for e in said] == [
        ("disliked", "t0"),
        ("blocked", "t2"),
    ]
    assert site.sink.events[-1].track_id == "t3"


def test_events_wait_while_kafka_is_away_and_are_sent_once_it_is_back(
    page: Page, site: Site
) -> None:
    page.context.set_default_timeout(LIST_MS)
    _show(page, site, "t0", "t2")
    with page.expect_request("**/api/events"):
        _play(page, 1)
    _wait_for(site, "started")
    note = page.locator("#player-note")
    site.sink.is_away = True
    page.locator("body").press("l")
    expect(note).to_have_text(re.compile("What you play is kept here"))
    expect(page.locator("#player")).to_have_attribute("data-state", "playing")
    site.sink.is_away = False
    expect(note).to_have_text("All that you played has been sent", timeout=LIST_MS)
    _wait_for(site, "liked")
    page.wait_for_function("segue.outbox.waiting() === 0")
    assert site.sink.actions().count("liked") == 1


def test_events_stay_until_the_server_itself_has_taken_them(
    page: Page, site: Site
) -> None:
    _show(page, site, "t0", "t2")
    portal = "<title>Log in to this network</title>"
    page.route("**/api/events", lambda route: route.fulfill(status=200, body=portal))
    with page.expect_response("**/api/events"):
        _play(page, 1)
    page.unroute("**/api/events")
    page.reload()
    _wait_for(site, "started")


def test_only_one_tab_plays(page: Page, site: Site) -> None:
    _show(page, site, "t0", "t2")
    _play(page, 1)
    other = page.context.new_page()
    _show(other, site, "t0", "t2")
    _play(other, 1)
    expect(page.locator("#player")).to_have_attribute("data-state", "paused")
    expect(page.locator("#player-note")).to_have_text("Playing in another tab")
    expect(other.locator("#player")).to_have_attribute("data-state", "playing")


def test_tags_are_text_wherever_they_show(page: Page, site: Site) -> None:
    evil = "<img src=x onerror=\"document.title='broken'\">"
    tracks = site.database[store.TRACKS]
    tracks.update_many({}, {"$set": {"title": evil, "artist": evil, "genre": evil}})
    _show(page, site, "t0", "t2")
    _play(page, 1)
    expect(page.locator("#now-title")).to_have_text(evil)
    assert page.locator("img[src=x]").count() == 0
    assert page.title() == "Home · Segue"


def test_a_narrow_page_has_nothing_beside_it(page: Page, site: Site) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    _show(page, site, "t1", "t2")
    _play(page, 1)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.goto(f"{site.url}/analytics")
    expect(page.locator(".tile").first).to_be_visible(timeout=LIST_MS)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
