"""Somebody who has never seen it, and who has no mouse."""

import pytest
from playwright.sync_api import Locator, Page, expect

from segue import store
from segue.events import Action
from tests.dashboard.listening import WAIT_MS, expect_state, wait_for, wait_until
from tests.dashboard.site import Site
from tests.dashboard.test_radio import radio

__all__ = ["radio"]  # a site with an index
pytestmark = [pytest.mark.mongo, pytest.mark.browser, pytest.mark.slow]
MOST_STEPS = 200


def _reach(page: Page, goal: Locator) -> None:
    """Press Tab until the focus is there, as often as it takes."""
    expect(goal).to_be_visible(timeout=WAIT_MS)
    for _ in range(MOST_STEPS):
        if goal.evaluate("goal => goal === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{MOST_STEPS} steps do not lead to {goal}")


def _press(page: Page, goal: Locator) -> None:
    _reach(page, goal)
    page.keyboard.press("Enter")


def _choose(page: Page, entry: str) -> None:
    """Choose an entry of the menu that is open, by the arrow keys."""
    wanted = page.get_by_role("menuitem", name=entry)
    expect(wanted).to_be_visible()
    for _ in range(20):
        if wanted.evaluate("wanted => wanted === document.activeElement"):
            break
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")


def _row(page: Page, title: str) -> Locator:
    return page.locator("#found .track", has=page.get_by_text(title, exact=True)).first


def _kept(site: Site) -> list[str]:
    found = site.database[store.PLAYLISTS].find_one({"name": "Three tides"}) or {}
    return list(found.get("track_ids", []))


def test_all_that_matters_is_done_by_keyboard(page: Page, radio: Site) -> None:
    page.goto(radio.url)
    _press(page, page.locator("a.nav", has_text="Search"))
    expect(page.locator("h1")).to_have_text("Search", timeout=WAIT_MS)
    _reach(page, page.get_by_label("Search", exact=True))
    page.keyboard.type("tide 7")
    _press(page, _row(page, "Tide 7").locator("[data-do=play]"))
    expect_state(page, "playing")
    page.keyboard.press("l")
    event = wait_for(radio, Action.LIKED)
    playing = page.evaluate("segue.player.now().track.id")
    assert event.track_id == playing
    for n_before, title in enumerate(("Tide 7", "Tide 17", "Tide 27")):
        _reach(page, page.get_by_label("Search", exact=True))
        page.keyboard.press("Control+A")
        page.keyboard.type(title)
        _press(page, _row(page, title).locator("[data-do=menu]"))
        _choose(page, "Add to playlist…")
        dialog = page.get_by_role("dialog")
        if not n_before:
            _reach(page, dialog.get_by_label("Name of a new playlist"))
            page.keyboard.type("Three tides")
        else:
            _reach(page, dialog.get_by_role("button", name="Three tides"))
        page.keyboard.press("Enter")
        wait_until(
            lambda wanted=n_before + 1: len(_kept(radio)) == wanted,  # type: ignore[misc]
            lambda: f"the playlist has {_kept(radio)}",
        )
        expect(dialog).to_have_count(0)
    _press(page, page.locator("a.nav", has_text="Playlists"))
    _press(page, page.locator("a.card", has_text="Three tides"))
    expect(page.locator("#playlist > li")).to_have_count(3, timeout=WAIT_MS)
    _press(page, page.get_by_role("button", name="Start radio from Three tides"))
    is_on = "name => segue.player.plan().station.name === name"
    page.wait_for_function(is_on, arg="Three tides", timeout=WAIT_MS)
    assert page.evaluate("segue.player.now().track.id") == playing
