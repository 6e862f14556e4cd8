"""Liked and Blocked in a real browser: what is said of tracks comes round."""

import time

import pytest
from playwright.sync_api import Locator, Page, expect

from segue import store
from segue.events import Action
from tests.dashboard.pages.stream import say, stream, take
from tests.dashboard.site import Site, list_document

pytestmark = [pytest.mark.mongo, pytest.mark.browser, pytest.mark.slow]

EVIL = "<img src=x onerror=alert(1)>"
LIST_MS = 20_000


def rows(page: Page) -> Locator:
    return page.locator("#liked > .track")


def titles(page: Page) -> list[str]:
    return page.locator(".mine .title").all_inner_texts()


def play(page: Page, track_id: str) -> None:
    page.locator(f'[data-track-id="{track_id}"] [data-do=play]').first.click()
    expect(page.locator("#player")).to_have_attribute("data-state", "playing")


def open_page(page: Page, site: Site, name: str) -> None:
    page.goto(f"{site.url}/{name.lower()}")
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()


def test_a_like_shows_at_once_and_leaves_from_its_row(page: Page, site: Site) -> None:
    say(site, Action.LIKED, "t1", 1)
    say(site, Action.LIKED, "t2", 2)
    say(site, Action.DISLIKED, "t3", 3)
    say(site, Action.LIKED, "t4", 4, user_id="ben")
    open_page(page, site, "Liked")
    expect(rows(page)).to_have_count(2, timeout=LIST_MS)
    assert [text.split("\n")[0] for text in titles(page)] == ["Sweep 2", "Sweep 1"]
    assert page.locator("#liked-facts").inner_text() == "2 tracks, the newest first"

    play(page, "t1")
    page.get_by_label("Next track").click()  # the list on the page is the queue
    say(site, Action.LIKED, "t0", 5)
    started = time.monotonic()
    expect(rows(page).first).to_have_attribute("data-track-id", "t0")
    assert time.monotonic() - started < 2

    page.get_by_label("Unlike Sweep 2").focus()
    page.keyboard.press("Enter")
    unliked = take(site, Action.UNLIKED)
    assert (unliked.user_id, unliked.track_id) == ("ada", "t2")
    stream(site, unliked)
    expect(page.locator('#liked [data-track-id="t2"]')).to_have_count(0)
    expect(page.get_by_label("Unlike Sweep 1")).to_be_focused()
    page.locator("#toast").get_by_role("button", name="Undo").click()
    stream(site, take(site, Action.LIKED))
    expect(rows(page).first).to_have_attribute("data-track-id", "t2")
    play(page, "t2")
    assert page.locator("#player [data-do=like]").get_attribute("aria-pressed") == (
        "true"
    )


def test_what_a_row_says_of_the_track_that_plays_is_of_its_play(
    page: Page, site: Site
) -> None:
    say(site, Action.LIKED, "t0", 1)
    open_page(page, site, "Liked")
    expect(rows(page)).to_have_count(1, timeout=LIST_MS)
    play(page, "t0")
    started = take(site, Action.STARTED)
    page.get_by_label("Unlike Sweep 0").click()
    unliked = take(site, Action.UNLIKED)
    assert unliked.play_id == started.play_id
    assert unliked.played_ms is not None


def test_hearts_are_the_servers_unless_pressed_later_here(
    page: Page, site: Site
) -> None:
    heart = page.locator("#player [data-do=like]")
    say(site, Action.LIKED, "t0")
    store.upsert(
        site.database, store.RECOMMENDATIONS, [list_document("ada", ["t0", "t1"])]
    )
    page.goto(site.url)
    play(page, "t0")
    expect(heart).to_have_attribute("aria-pressed", "true")
    heart.click()
    expect(heart).to_have_attribute("aria-pressed", "false")
    unliked = take(site, Action.UNLIKED)
    page.reload()  # what was pressed has not come round
    page.evaluate("segue.likes.refresh()")
    expect(heart).to_have_attribute("aria-pressed", "false")
    stream(site, unliked)
    later = unliked.event_time.replace(year=unliked.event_time.year + 1)
    liked = unliked._replace(action=Action.LIKED, event_time=later, event_id="phone")
    stream(site, liked)
    page.evaluate("segue.likes.refresh()")
    expect(heart).to_have_attribute("aria-pressed", "true")
    kept = page.evaluate("localStorage.getItem('segue.likes.ada')")
    assert kept == "[]"


def test_what_is_gone_or_evil_is_text(page: Page, site: Site) -> None:
    site.database[store.TRACKS].update_one({"_id": "t1"}, {"$set": {"title": EVIL}})
    gone = {"$set": {"missing": True, "title": EVIL}}
    site.database[store.TRACKS].update_one({"_id": "t2"}, gone)
    for n, track_id in enumerate(["t1", "t2", "never there", "../../etc", "$x", "<b>"]):
        say(site, Action.LIKED, track_id, n)
        say(site, Action.BLOCKED, track_id, n)
    open_page(page, site, "Liked")
    expect(rows(page)).to_have_count(6, timeout=LIST_MS)
    assert page.locator("#liked .gone").count() == 5
    assert "No longer in the library" in rows(page).nth(4).inner_text()
    assert titles(page).count(EVIL) >= 1
    assert page.locator("#liked img[src='x']").count() == 0
    rows(page).nth(4).get_by_role("button").click()
    assert take(site, Action.UNLIKED).track_id == "t2"
    expect(page.locator("#toast")).to_contain_text(EVIL)
    page.get_by_role("button", name="Play all").click()
    open_page(page, site, "Blocked")
    expect(page.locator("#blocked .track")).to_have_count(6, timeout=LIST_MS)
    assert EVIL in titles(page)


def test_blocking_what_plays_goes_on_and_can_be_taken_back(
    page: Page, site: Site
) -> None:
    store.upsert(
        site.database, store.RECOMMENDATIONS, [list_document("ada", ["t0", "t2", "t4"])]
    )
    page.goto(site.url)
    play(page, "t0")
    take(site, Action.STARTED)
    page.locator("#player [data-do=menu]").click()
    page.get_by_role("menuitem", name="Block this track").click()
    blocked = take(site, Action.BLOCKED)
    assert (blocked.track_id, blocked.scope) == ("t0", "track")
    expect(page.locator("#now-title")).to_have_text("Sweep 2")
    take(site, Action.SKIPPED)
    page.locator("#toast").get_by_role("button", name="Undo").click()
    undone = take(site, Action.UNBLOCKED)
    assert (undone.track_id, undone.scope) == ("t0", "track")

    for name, scope in (("Artist 2", "artist"), ("the album “Sines”", "album")):
        page.locator('#for-you [data-track-id="t4"] [data-do=menu]').click()
        page.get_by_role("menuitem", name=f"Block {name}").click()
        said = take(site, Action.BLOCKED)
        assert (said.track_id, said.scope) == ("t4", scope)
        stream(site, said)
    stream(site, blocked, undone)
    open_page(page, site, "Blocked")
    named = page.locator("#blocked h2")
    expect(named).to_have_count(2, timeout=LIST_MS)
    assert named.all_inner_texts() == ["Artists", "Albums"]
    assert titles(page) == ["Artist 2", "Sines"]
    page.get_by_label("Unblock Artist 2").click()
    stream(site, take(site, Action.UNBLOCKED))
    expect(named).to_have_count(1)
    page.locator("#toast").get_by_role("button", name="Undo").click()
    stream(site, take(site, Action.BLOCKED))
    expect(named).to_have_count(2)
    for label in ("Unblock Artist 2", "Unblock Sines"):
        page.get_by_label(label).click()
        stream(site, take(site, Action.UNBLOCKED))
    expect(page.locator("#blocked")).to_contain_text("Nothing is blocked")


def test_empty_pages_say_how_to_fill_them(page: Page, site: Site) -> None:
    for name, words in (
        ("Liked", "Nothing liked yet"),
        ("History", "Nothing heard yet"),
        ("Blocked", "Nothing is blocked"),
    ):
        page.goto(site.url)
        page.get_by_role("link", name=name, exact=True).click()
        expect(page.locator(".mine")).to_contain_text(words, timeout=LIST_MS)
        expect(page).to_have_title(f"{name} · Segue")
